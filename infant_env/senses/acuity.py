"""Acuity: the finest grating that the eye sees, by age, and the blur of frames that hides finer ones."""

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..body.description import Body
from ..errors import UserError
from ..given import numbers, shown

# Means of Teller acuity cards, one eye (Mayer et al. 1995, Invest Ophthalmol Vis Sci 36:671), as secondary sources quote them;
# between these ages octaves are interpolated linearly.
_NORM = ((1.0, 6.0, 12.0, 24.0), (0.9, 5.7, 6.4, 9.6))  # months, cycles per degree
_LIMITS = 0.05, 100.0  # cycles per degree
SEEN = 0.1
"""The finest grating that is seen keeps this share of its contrast."""
_LEAST_BLUR = 0.25  # pixels; even the finest grating of the frame keeps three quarters of its contrast


def acuity_at(age_months: float) -> float:
    """Grating acuity of one eye at an age, cycles per degree."""
    ages, cycles = _NORM
    return float(2 ** np.interp(age_months, ages, np.log2(cycles)))


def checked_acuity(given: Any, body: Body, eye: bool = True) -> float | None:
    """The eye's acuity, cycles per degree; None: no blur.

    Args:
        given: a number of cycles per degree; "age": the norm of the body's age; None: no blur.
        body: the body.
        eye: whether the body's eye is used.

    Raises:
        UserError: it is none of these, is out of range, or the body has no age or no eye.
    """
    if given is None:
        return None
    if not eye:
        raise UserError(
            f"got acuity={shown(given)} without eye_size, expected both; add an eye, such as eye_size=(300, 500)"
        )
    if isinstance(given, str) and given == "age":
        if body.mjcf is not None:
            raise UserError(
                f'got acuity="age" of the body {body.mjcf}, which has no age, expected cycles per degree, such as acuity=6.4'
            )
        return acuity_at(body.age_months)
    (low, high), number = _LIMITS, numbers(given)
    if isinstance(given, str) or number.shape != () or not low <= number <= high:
        raise UserError(
            f'got acuity={shown(given)}, expected cycles per degree from {low:g} to {high:g}, "age", or None'
        )
    return float(number)


def pixels_per_degree(model: mujoco.MjModel, camera: str, rows: int) -> float:
    """Pixels per degree in the middle of a camera's frames with this number of rows."""
    half = np.deg2rad(model.camera(camera).fovy[0]) / 2
    return float(np.deg2rad(1) * rows / 2 / np.tan(half))


class Blur:
    """A Gaussian blur after which the finest grating that is seen keeps a tenth of its contrast in the frame's middle.

    Args:
        acuity: cycles per degree.
        density: pixels per degree.
    """

    def __init__(self, acuity: float, density: float) -> None:
        self.sigma = float(np.sqrt(-np.log(SEEN) / 2) / np.pi / acuity * density)
        """Standard deviation, pixels."""

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The blurred frame, RGB, shape (H, W, 3), uint8; the frame itself if its pixels are too coarse for a blur."""
        if self.sigma < _LEAST_BLUR:
            return frame
        return np.array(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(self.sigma)))
