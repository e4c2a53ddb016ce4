"""The infant from outside, with spots where its skin is touched."""

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from infant_env.body.model import ArmModel
from infant_env.senses.camera import OutsideCamera
from infant_env.senses.skin.touch import Touch

_SPOT, _LISTED = (213, 94, 0), 3
_LEAST, _MOST, _FULL = 4.0, 11.0, 50.0  # radius of a spot, pixels, at 0 N and from 50 N on


class OutsideView:
    """Frames of the infant from outside.

    If it feels touch, each touched place has a spot: the stronger the touch, the larger. Spots lie over everything, because
    most contacts are hidden between two parts of the body. The names of the patches that are pressed most stand in a corner.

    Args:
        arm: the body.
        size: rows and columns of the frames.
        touch: whether touch is felt.
    """

    def __init__(self, arm: ArmModel, size: tuple[int, int], touch: bool = False) -> None:
        self._camera = OutsideCamera(arm, size)
        self._touch = Touch(arm) if touch else None

    @property
    def feels(self) -> bool:
        """Whether touch is felt, so that its places and names are shown."""
        return self._touch is not None

    def render(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """A new RGB frame, shape (H, W, 3), uint8; `data` has current positions and contacts."""
        frame = self._camera.render(data)
        return frame if self._touch is None else self._with_touch(frame, data, self._touch)

    def close(self) -> None:
        """Frees the camera."""
        self._camera.close()

    def _with_touch(self, frame: NDArray[np.uint8], data: mujoco.MjData, touch: Touch) -> NDArray[np.uint8]:
        touched = touch.touched(data)
        if not len(touched.forces):
            return frame
        picture = Image.fromarray(frame)
        pen = ImageDraw.Draw(picture)
        for (row, column), force in zip(self._camera.pixels(data, touched.positions), touched.forces, strict=True):
            radius = _LEAST + (_MOST - _LEAST) * min(force / _FULL, 1)
            pen.ellipse((column - radius, row - radius, column + radius, row + radius), _SPOT, "white")
        _write(pen, strongest(touch, data), frame.shape[0])
        return np.asarray(picture)


def strongest(touch: Touch, data: mujoco.MjData) -> list[str]:
    """The patches that are pressed most, at most three, strongest first: `right cheek 1: 12.0 N`."""
    felt = touch.felt(data)
    order = np.argsort(-felt, kind="stable")[:_LISTED]
    return [f"{touch.names[patch].replace('_', ' ')}: {felt[patch]:.1f} N" for patch in order if felt[patch] > 0]


def _write(pen: ImageDraw.ImageDraw, lines: list[str], rows: int) -> None:
    """Lines in the lower left corner, dark with a light rim, so that they stand out from any picture."""
    font = ImageFont.load_default(16)
    for k, line in enumerate(reversed(lines)):
        pen.text((8, rows - 26 - 20 * k), line, "black", font, stroke_width=2, stroke_fill="white")
