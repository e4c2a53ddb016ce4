"""The infant in 3D, and the sliders of its joints and its age."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from mjviser import ViserMujocoScene
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.senses.skin.touch import Contacts

from ..show.outside_view import strongest
from .infant import Moment
from .studio import Studio, spoken

TOUCHED = (213, 94, 0)
"""Color of touched places."""
_MOST_BALLS, _FULL = 12, 50.0  # balls; newtons at which a ball is largest
_GAZE = "gaze to the left", "gaze down"
FLOOR, SKY = (226, 214, 198), (214, 226, 234)


class BodyView:
    """Shows the infant and moves its joints.

    Attributes:
        gaze_sliders: of the gaze to the left and down; none if it is held.
        touched: balls where its skin is touched.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio, self._infant = studio, studio.infant
        gui = studio.server.gui
        gui.add_markdown(
            "Drag a joint, or take a random pose. Angles are in degrees; servos move the arm in the simulator."
        )
        arm = self._infant.arm
        self._sliders = [
            self._add_slider(name, ends, partial(self._move_joint, k))
            for k, (name, ends) in enumerate(zip(spoken(arm.joint_names), arm.joint_ranges, strict=True))
        ]
        self.gaze_sliders = [
            self._add_slider(name, ends, partial(self._turn_gaze, k))
            for k, (name, ends) in enumerate(zip(_GAZE[: len(arm.gaze_joints)], arm.gaze.ranges, strict=True))
        ]
        studio.when(gui.add_button("A pose at random").on_click, self._take_random_pose)
        body = studio.data.body
        if body.mjcf is None:
            self._age = gui.add_slider("age (months)", min=1, max=24, step=1, initial_value=round(body.age_months))
            studio.when(self._age.on_update, self._change_age, "age")
            gui.add_markdown(f"Its mind learned with a body of {body.age_months:g} months. Can it use another body?")
        self._pose = gui.add_markdown("")
        self._infant.body_listeners.append(self._show_body)
        self._infant.listeners.append(self._show)
        self._shown_targets: tuple[int, ...] = ()  # the sliders' values
        self._shown_gaze: tuple[int, ...] = ()

    def _add_slider(self, name: str, ends: NDArray[np.float64], move: Callable[[float], None]) -> Any:
        """A slider between two angles, rad; it calls `move` with degrees."""
        low, high = np.degrees(ends)
        middle = round(float(low + high) / 2)
        slider = self._studio.server.gui.add_slider(name, min=round(low), max=round(high), step=1, initial_value=middle)
        self._studio.when(slider.on_update, lambda event: move(slider.value), ("slider", name))
        return slider

    def _move_joint(self, joint: int, degrees: float) -> None:
        targets = self._infant.targets.copy()
        targets[joint] = np.radians(degrees)
        self._shown_targets = _whole_degrees(targets)  # do not set the slider: the user may still drag it
        self._infant.move_to(targets)
        self._studio.say(f"**{spoken(self._infant.arm.joint_names)[joint].capitalize()}** goes to {degrees:.0f}°.")

    def _turn_gaze(self, angle: int, degrees: float) -> None:
        targets = self._infant.gaze.copy()
        targets[angle] = np.radians(degrees)
        self._shown_gaze = _whole_degrees(targets)
        self._infant.stop()
        self._infant.look(targets)
        self._studio.say(f"**The gaze** turns to {degrees:.0f}° {_GAZE[angle].removeprefix('gaze ')}.")

    def _take_random_pose(self, event: Any) -> None:
        self._infant.move_to(self._infant.arm.valid_pose(self._infant.arm.new_data(), self._infant.random))
        self._studio.say("It goes to **a random pose**.")

    def _change_age(self, event: Any) -> None:
        months = self._age.value
        arm = ArmModel.of(replace(self._infant.arm.body, age_months=months))
        if arm.fingerprint != self._infant.arm.fingerprint:
            self._studio.say(f"It is now **{months} months** old.")
            self._infant.change_body(arm)

    def _show_body(self, arm: ArmModel) -> None:
        """Builds the scene again for another body, and gives the sliders its joint ranges."""
        scene = self._studio.server.scene
        scene.reset()
        self._scene = ViserMujocoScene(self._studio.server, copy.copy(arm.model), num_envs=1)
        self._scene.camera_tracking_enabled = False
        scene.remove_by_name("/fixed_bodies/world/floor")  # MuJoCo's plane, which mjviser shows as an endless grid
        scene.add_box("/floor", FLOOR, (9.0, 9.0, 0.02), position=(0.0, 0.0, -0.0105))
        scene.set_background_image(np.full((2, 2, 3), SKY, np.uint8))
        self.touched = TouchedPlaces(scene)
        for slider, (low, high) in zip(self._sliders, np.degrees(arm.joint_ranges), strict=True):
            slider.min, slider.max = round(low), round(high)

    def _show(self, moment: Moment) -> None:
        self._scene.update_from_mjdata(self._infant.data)
        degrees, gaze = _whole_degrees(moment.targets), _whole_degrees(self._infant.gaze)
        if degrees != self._shown_targets:  # something else than a slider moved the arm
            self._shown_targets = degrees
            _set(self._sliders, degrees)
        if gaze != self._shown_gaze:
            self._shown_gaze = gaze
            _set(self.gaze_sliders, gaze)
        depth = moment.info["penetration"]
        touch = f"It touches something ({1000 * depth:.0f} mm deep)." if depth > 0 else "It touches nothing."
        if self._infant.touch is not None:
            self.touched.show(self._infant.touch.touched(self._infant.data))
            pressed = strongest(self._infant.touch, self._infant.data)
            touch += f" It feels {', '.join(pressed)}." if pressed else ""
        self._pose.content = f"Now at {', '.join(f'{d:.0f}°' for d in np.degrees(moment.joints))}. {touch}"


def _set(sliders: Sequence[Any], degrees: Sequence[int]) -> None:
    for slider, value in zip(sliders, degrees, strict=True):
        slider.value = value


class TouchedPlaces:
    """Balls where the skin is touched; the stronger the touch, the larger.

    Args:
        scene: the page's scene; when it is reset, the balls are gone.
    """

    def __init__(self, scene: Any) -> None:
        self.balls = [
            scene.add_icosphere(f"/touched/{k}", radius=1.0, color=TOUCHED, subdivisions=2, visible=False)
            for k in range(_MOST_BALLS)
        ]

    def show(self, touched: Contacts) -> None:
        """Shows these places; of very many, those with the strongest touch."""
        order = np.argsort(-touched.forces, kind="stable")[:_MOST_BALLS]
        for k, ball in enumerate(self.balls):
            if k < len(order):
                ball.position = touched.positions[order[k]]
                ball.scale = 0.006 + 0.008 * min(touched.forces[order[k]] / _FULL, 1.0)
            if ball.visible != (k < len(order)):
                ball.visible = k < len(order)


def _whole_degrees(joints: NDArray[np.float64]) -> tuple[int, ...]:
    """Angles in rad as the sliders show them."""
    return tuple(np.round(np.degrees(joints)).astype(int).tolist())
