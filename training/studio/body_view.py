"""The infant in 3D, and the sliders of its joints and its age."""

import copy
from typing import Any

import mujoco
import numpy as np
from mjviser import ViserMujocoScene
from numpy.typing import NDArray

from infant_env.body.model import ArmModel

from .infant import Moment
from .stage import Stage, spoken

FLOOR, SKY = (226, 214, 198), (214, 226, 234)


class BodyView:
    """Shows the infant and moves it joint by joint."""

    def __init__(self, stage: Stage) -> None:
        self._stage, infant = stage, stage.infant
        gui, arm = stage.server.gui, infant.arm
        gui.add_markdown("Drag a joint, or let chance choose. Angles in degrees; the servos move it in real physics.")
        self._sliders = [self._add_slider(k) for k in range(len(arm.joint_names))]
        stage.when(gui.add_button("A pose at random").on_click, self._at_random)
        body = stage.data.body
        if body.mjcf is None:
            self._age = gui.add_slider("age (months)", min=1, max=24, step=1, initial_value=round(body.age_months))
            stage.when(self._age.on_update, self._grow, "age")
            gui.add_markdown(f"Its mind learned with a body of {body.age_months:g} months. Does it cope with another?")
        self._pose = gui.add_markdown("")
        infant.bodies.append(self._show_body)
        infant.listeners.append(self._show)
        self._aimed: tuple[float, ...] = ()

    def _add_slider(self, joint: int) -> Any:
        arm = self._stage.infant.arm
        low, high = np.degrees(arm.joint_ranges[joint])
        middle = round(float(low + high) / 2)
        slider = self._stage.server.gui.add_slider(
            spoken(arm.joint_names[joint]), min=round(low), max=round(high), step=1, initial_value=middle
        )
        self._stage.when(slider.on_update, lambda event: self._bend(joint, slider.value), ("joint", joint))
        return slider

    def _bend(self, joint: int, degrees: float) -> None:
        targets = self._stage.infant.targets.copy()
        targets[joint] = np.radians(degrees)
        self._aimed = _whole(targets)  # the sliders show that already; the user may have dragged one further by now
        self._stage.infant.go(targets)
        self._stage.say(f"**{spoken(self._stage.infant.arm.joint_names[joint]).capitalize()}** goes to {degrees:.0f}°.")

    def _at_random(self, event: Any) -> None:
        infant = self._stage.infant
        infant.go(infant.arm.valid_pose(mujoco.MjData(infant.arm.model), infant.random))
        self._stage.say("It goes to **a pose at random**.")

    def _grow(self, event: Any) -> None:
        months = self._age.value
        if ArmModel.infant(months).fingerprint != self._stage.infant.arm.fingerprint:
            self._stage.say(f"It is now **{months} months** old.")
            self._stage.infant.become(ArmModel.infant(months))

    def _show_body(self, arm: ArmModel) -> None:
        """Another body: the scene is built anew, and the sliders end where its joints do."""
        scene = self._stage.server.scene
        scene.reset()
        self._scene = ViserMujocoScene(self._stage.server, copy.copy(arm.model), num_envs=1)
        self._scene.camera_tracking_enabled = False
        scene.remove_by_name("/fixed_bodies/world/floor")  # MuJoCo's plane, of which mjviser makes an endless grid
        scene.add_box("/floor", FLOOR, (9.0, 9.0, 0.02), position=(0.0, 0.0, -0.0105))
        scene.set_background_image(np.full((2, 2, 3), SKY, np.uint8))
        for slider, (low, high) in zip(self._sliders, np.degrees(arm.joint_ranges), strict=True):
            slider.min, slider.max = round(low), round(high)

    def _show(self, moment: Moment) -> None:
        self._scene.update_from_mjdata(self._stage.infant.data)
        degrees = _whole(moment.targets)
        if degrees != self._aimed:  # whoever moved it
            self._aimed = degrees
            for slider, value in zip(self._sliders, degrees, strict=True):
                slider.value = value
        touch = moment.info["penetration"]
        words = f"It touches something ({1000 * touch:.0f} mm deep)." if touch > 0 else "It touches nothing."
        self._pose.content = f"Now at {', '.join(f'{d:.0f}°' for d in np.degrees(moment.joints))}. {words}"


def _whole(joints: NDArray[np.float64]) -> tuple[int, ...]:
    """Angles in rad as the sliders show them."""
    return tuple(np.round(np.degrees(joints)).astype(int).tolist())
