"""Cameras: the infant's eye, and a view of the infant from outside."""

import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.checks import check_choice
from ..body.model import ArmModel
from .acuity import Blur, pixels_per_degree
from .drawing.screen import Edit, Screen
from .seen.seen_arm import SeenArm
from .sense import frame_size

HAND_IN_VIEW = 0.003
"""A picture "shows the hand" if at least this share of its pixels does."""

_COUNTING_ROWS = 60
"""Rows of the small frame in which the arm's and the hand's pixels are counted."""


class EyeCamera:
    """The cameras of the infant's eyes: of the right eye, or of those that its body has.

    Frames depend only on the pose, not on earlier frames: equal poses give equal bytes. The first frame opens OpenGL. It
    raises a `RuntimeError` with advice if there is no OpenGL, or if the process was forked after OpenGL had been opened.
    Pickled and deep-copied cameras open contexts of their own.

    Args:
        arm: the body.
        size: rows and columns of the frames, (H, W); those of the fovea are 128x128.
        acuity: frames are blurred to this acuity, cycles per degree; None: no blur.
        screen: the OpenGL context of another camera, see `like`.
    """

    def __init__(
        self,
        arm: ArmModel,
        size: tuple[int, int] = (300, 500),
        acuity: float | None = None,
        screen: Screen | None = None,
    ) -> None:
        self.size = (int(size[0]), int(size[1]))
        self._arm, self.acuity = arm, acuity
        self.sizes = {name: frame_size(name, self.size) for name in arm.eyes}
        """Rows and columns of the frames of each of the body's `ArmModel.eyes`."""
        self._blurs = {} if acuity is None else {name: self._blur_of(name, acuity) for name in arm.eyes}
        self._cameras = {name: _camera(arm.model, camera) for name, camera in arm.eyes.items()}
        self._small = _counting_size(self.size)
        rows, columns = zip(self._small, *self.sizes.values(), strict=True)
        self._screen = Screen(arm.model, (max(rows), max(columns))) if screen is None else screen

    def _blur_of(self, eye: str, acuity: float) -> Blur:
        return Blur(acuity, pixels_per_degree(self._arm.model, self._arm.eyes[eye], self.sizes[eye][0]))

    def __reduce__(self) -> tuple[Any, ...]:
        return EyeCamera, (self._arm, self.size, self.acuity, self._screen)

    def like(self, arm: ArmModel, acuity: float | None = None) -> "EyeCamera":
        """The camera of another body with frames of the same size; they share an OpenGL context if both are of one kind."""
        return EyeCamera(arm, self.size, acuity, self._screen if _of_one_kind(arm, self._arm) else None)

    def render(
        self, data: mujoco.MjData, eye: str = "eye", seen: SeenArm | None = None, late: mujoco.MjData | None = None
    ) -> NDArray[np.uint8]:
        """A new RGB frame of what an eye sees, shape (H, W, 3), uint8; of the fovea (128, 128, 3).

        Args:
            data: the simulation, with positions.
            eye: one of the body's `ArmModel.eyes`.
            seen: what is seen in place of the arm; None: the arm.
            late: the simulation, with positions, at the moment in which the arm is seen; None: `data`.
        """
        return self._draw(self._arm.model, data, eye, self._edit(data, eye, seen, late))

    def render_changed(self, data: mujoco.MjData, change: Edit | None, eye: str = "eye") -> NDArray[np.uint8]:
        """A new RGB frame, as of `render`, of a scene that `change` changes before it is drawn; the model stays as it is."""
        return self._draw(self._arm.model, data, eye, change)

    def in_view(self, data: mujoco.MjData, seen: SeenArm | None = None) -> tuple[float, ...]:
        """Shares of the pixels of `eye` that show the arm (or both), and each hand, in [0, 1]; counted in a small frame."""
        edit = self._edit(data, "eye", seen, None)
        counts = self._screen.geom_counts(self._arm.model, data, self._cameras["eye"], self._small, edit)
        pixels = self._small[0] * self._small[1]
        parts = self._arm.arm_geoms, *(hand.geoms for hand in self._arm.hands.values())
        return tuple(float(counts[part].sum() / pixels) for part in parts)

    def background(self, eye: str = "eye") -> NDArray[np.uint8]:
        """What an eye sees of the same scene without the arm, RGB, shape (H, W, 3), uint8."""
        return next(self.backgrounds(np.zeros((1, len(self._arm.gaze_joints))), eye))

    def backgrounds(self, gazes: NDArray[Any], eye: str = "eye") -> Iterator[NDArray[np.uint8]]:
        """What an eye sees of the same scene without the arm.

        Args:
            gazes: angles of the gaze, shape (N, G), rad.
            eye: one of the body's `ArmModel.eyes`.

        Yields:
            N RGB frames, shape (H, W, 3), uint8.
        """
        armless = copy.copy(self._arm.model)
        armless.geom_matid[self._arm.arm_geoms] = -1
        armless.geom_rgba[self._arm.arm_geoms, 3] = 0  # MuJoCo does not draw fully transparent geoms
        data = self._arm.new_data()
        for gaze in gazes:
            self._arm.gaze.turn(data, gaze)
            mujoco.mj_forward(armless, data)
            yield self._draw(armless, data, eye)

    def _edit(self, data: mujoco.MjData, eye: str, seen: SeenArm | None, late: mujoco.MjData | None) -> Edit | None:
        """Puts the seen arm in the place of the arm."""
        return None if seen is None else partial(seen.show, data=data, late=late or data, camera=self._cameras[eye])

    def _draw(
        self, model: mujoco.MjModel, data: mujoco.MjData, eye: str, edit: Edit | None = None
    ) -> NDArray[np.uint8]:
        frame = self._screen.draw(model, data, self._cameras[eye], self.sizes[eye], edit)
        return self._blurs[eye](frame) if self._blurs else frame

    def close(self) -> None:
        """Frees the OpenGL context; the next frame opens it again."""
        self._screen.close()


class OutsideCamera:
    """A camera that sees the body from outside; `EyeCamera` explains its use of OpenGL.

    Args:
        arm: the body.
        size: rows and columns of the frames, (H, W).
        camera: name of a camera of the body's model; None: the body's own outside camera.
        screen: the OpenGL context of another camera, see `like`.

    Raises:
        UserError: the model has no camera of this name.
    """

    def __init__(
        self,
        arm: ArmModel,
        size: tuple[int, int] = (480, 640),
        camera: str | None = None,
        screen: Screen | None = None,
    ) -> None:
        self.size = (int(size[0]), int(size[1]))
        self._arm, self._name = arm, camera
        if camera is not None:
            check_choice("camera_name", camera, [arm.model.camera(i).name for i in range(arm.model.ncam)])
        self._camera = _camera(arm.model, arm.outside_camera if camera is None else camera)
        self._screen = Screen(arm.model, self.size) if screen is None else screen

    def __reduce__(self) -> tuple[Any, ...]:
        return OutsideCamera, (self._arm, self.size, self._name, self._screen)

    def like(self, arm: ArmModel) -> "OutsideCamera":
        """The camera that sees another body; they share an OpenGL context if both are of one kind."""
        return OutsideCamera(arm, self.size, self._name, self._screen if _of_one_kind(arm, self._arm) else None)

    def render(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """A new RGB frame of the body from outside, shape (H, W, 3), uint8."""
        return self._screen.draw(self._arm.model, data, self._camera, self.size)

    def depth(self, data: mujoco.MjData) -> NDArray[np.float32]:
        """Depth of each pixel along the camera's axis, shape (H, W), float32, m."""
        return self._screen.depth(self._arm.model, data, self._camera, self.size)

    def pixels(self, data: mujoco.MjData, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where places in the world lie in a frame; they may lie outside of it, or behind something.

        Args:
            data: the simulation, with positions.
            places: in front of the camera, shape (N, 3), m.

        Returns:
            Row and column, shape (N, 2), pixels; (0, 0) is the upper left corner.
        """
        scene = mujoco.MjvScene(self._arm.model, maxgeom=0)
        mujoco.mjv_updateCamera(self._arm.model, data, self._camera, scene)
        middle = scene.camera[0]  # of the two for stereo, which differ only in `pos`
        forward, up = middle.forward.astype(np.float64), middle.up.astype(np.float64)
        seen = places - (scene.camera[0].pos + scene.camera[1].pos) / 2
        flat = seen @ np.stack([-up, np.cross(forward, up)], axis=1) / (seen @ forward)[:, None]
        (rows, columns), high = self.size, middle.frustum_top - middle.frustum_bottom
        return np.array([rows, columns]) / 2 + flat * middle.frustum_near / high * rows

    def close(self) -> None:
        """Frees the OpenGL context; the next frame opens it again."""
        self._screen.close()


def _camera(model: mujoco.MjModel, name: str | int) -> mujoco.MjvCamera:
    camera = mujoco.MjvCamera()
    if isinstance(name, str):
        camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        camera.fixedcamid = model.camera(name).id
    else:
        mujoco.mjv_defaultFreeCamera(model, camera)
    return camera


def _of_one_kind(arm: ArmModel, other: ArmModel) -> bool:
    """Whether both bodies have the same textures, and meshes that differ in their shapes alone."""
    return arm is other or (arm.body.mjcf is None and other.body.mjcf is None and arm.body.name == other.body.name)


def _counting_size(size: tuple[int, int]) -> tuple[int, int]:
    rows, columns = size
    return _COUNTING_ROWS, max(1, round(_COUNTING_ROWS * columns / rows))
