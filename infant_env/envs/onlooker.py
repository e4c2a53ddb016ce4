"""Rendering of an environment by its `render_mode`: the infant from outside."""

from typing import Any

import mujoco
from numpy.typing import NDArray

from ..body.checks import check_choice, check_sides
from ..body.model import ArmModel
from ..senses.camera import OutsideCamera
from .viewer import Viewer

RENDER_MODES = ["human", "rgb_array", "depth_array"]
"""MuJoCo's viewer; RGB frames, uint8 (H, W, 3); depth frames, float32 (H, W), m."""


class Onlooker:
    """Frames from outside, or a window that every step updates.

    Args:
        arm: the body.
        mode: one of `RENDER_MODES`, or None.
        width: columns of a frame.
        height: rows of a frame.
        camera_name: a camera of the body's model; None: the body's outside camera.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    def __init__(self, arm: ArmModel, mode: str | None, width: int, height: int, camera_name: str | None) -> None:
        check_choice("render_mode", mode, [None, *RENDER_MODES])
        check_sides(width=width, height=height)
        self._mode = mode
        self._first = OutsideCamera(arm, (height, width), camera_name)
        self._cameras = {arm: self._first}
        self._arm = arm
        self._viewer = Viewer(arm, camera_name or arm.outside_camera) if mode == "human" else None

    def change(self, arm: ArmModel) -> None:
        """Goes on with another body."""
        self._arm, self._cameras = arm, {}
        if self._viewer is not None:
            self._viewer = self._viewer.like(arm)

    @property
    def has_window(self) -> bool:
        """Whether there is a window."""
        return self._viewer is not None

    def watch(self, data: mujoco.MjData) -> None:
        """Updates the window if there is one."""
        if self._viewer is not None:
            self._viewer.show(data)

    def frame(self, data: mujoco.MjData, arm: ArmModel | None = None) -> NDArray[Any] | None:
        """The frame that `render_mode` asks for; None without a render mode or with a window.

        Args:
            data: the simulation.
            arm: its body, if it is another one; such bodies share an OpenGL context.
        """
        shown = arm or self._arm
        if shown not in self._cameras:
            self._cameras[shown] = self._first.like(shown)
        if self._mode == "rgb_array":
            return self._cameras[shown].render(data)
        return self._cameras[shown].depth(data) if self._mode == "depth_array" else None

    def close(self) -> None:
        """Frees the cameras and closes the window; the next frame opens them again."""
        for camera in {self._first, *self._cameras.values()}:
            camera.close()
        if self._viewer is not None:
            self._viewer.close()
