"""What an environment's `render_mode` shows: the infant from outside."""

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from .body import ArmModel
from .camera import OutsideCamera

OUTSIDE_SIZE = (480, 640)
"""Rows and columns of the frames."""


class Onlooker:
    """Frames, or a window that is kept up to date; opens its camera when it first looks.

    Args:
        arm: the body.
        title: of the window.
    """

    def __init__(self, arm: ArmModel, title: str) -> None:
        self._arm = arm
        self._title = title
        self._camera: OutsideCamera | None = None
        self._window: Any = None

    def frame(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """The infant from outside, shape (480, 640, 3), uint8."""
        self._camera = self._camera or OutsideCamera(self._arm, OUTSIDE_SIZE)
        return self._camera.render(data)

    def show(self, data: mujoco.MjData) -> None:
        """Keeps the window up to date; where there is no display, matplotlib draws it unseen."""
        import matplotlib.pyplot as plt  # slow to load, and only this mode needs it

        frame = self.frame(data)
        if self._window is None:
            plt.ion()
            self._window = plt.figure(self._title, figsize=(6.4, 4.8))
            self._window.add_axes((0, 0, 1, 1), frameon=False).imshow(frame)
        self._window.axes[0].images[0].set_data(frame)
        self._window.canvas.draw_idle()
        self._window.canvas.flush_events()

    def close(self) -> None:
        """Frees the camera and the window."""
        if self._camera is not None:
            self._camera.close()
        if self._window is not None:
            import matplotlib.pyplot as plt

            plt.close(self._window)
