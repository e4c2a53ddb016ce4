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
_NARROW, _MOST_WEIGHTED = 0.5, 3.0  # standard deviations of blurs, pixels
_ROWS = 60  # of a frame that are blurred together
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
        if self.sigma > _MOST_WEIGHTED:
            return np.array(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(self.sigma)))
        return weighted(frame, _weights(self.sigma))


def _weights(sigma: float) -> NDArray[np.uint16]:
    """The Gaussian's weights of a pixel and of its neighbors to one side, the nearest first, in 256ths; all sides sum to 256."""
    apart = np.arange(1, int(np.ceil(3 * sigma)) + 1)
    # a narrow Gaussian has hardly a weight at the next pixel; its variance then follows from the neighbors alone
    beside = np.array([sigma**2 / 2]) if sigma < _NARROW else np.exp(-(apart**2) / (2 * sigma**2))
    whole = 1.0 if sigma < _NARROW else 1 + 2 * beside.sum()
    sides = np.rint(256 * beside / whole)
    sides = sides[: np.flatnonzero(sides)[-1] + 1]
    return np.append(256 - 2 * sides.sum(), sides).astype(np.uint16)


def weighted(frame: NDArray[np.uint8], weights: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A frame whose bytes are means of their neighbors, down and then across; the outermost pixels go on beyond the edge.

    Whole numbers of 16 bits, in parts that fit into the processor's cache, take a third to a sixth of the time of pillow's blur.

    Args:
        frame: RGB, shape (H, W, 3), uint8.
        weights: of a pixel and of its neighbors to each side, in 256ths; see `_weights`.

    Returns:
        A new frame of the same shape.
    """
    rows, columns, _ = frame.shape
    reach, blurred = len(weights) - 1, np.empty_like(frame)
    above = frame[np.arange(-reach, rows + reach).clip(0, rows - 1)].reshape(rows + 2 * reach, -1)
    wide = np.empty((min(rows, _ROWS), columns + 2 * reach, 3), np.uint8)
    spare = np.empty((2, len(wide), 3 * columns), np.uint16)
    for first in range(0, rows, _ROWS):
        count = min(_ROWS, rows - first)
        part = above[first : first + count + 2 * reach]
        down = _mean([part[k : k + count] for k in range(2 * reach + 1)], weights, spare)
        wide[:count, reach : reach + columns] = down.reshape(count, columns, 3)
        wide[:count, :reach], wide[:count, reach + columns :] = down[:, None, :3], down[:, None, -3:]
        line = wide.reshape(len(wide), -1)[:count]
        across = _mean([line[:, 3 * k : 3 * (k + columns)] for k in range(2 * reach + 1)], weights, spare)
        blurred[first : first + count] = across.reshape(count, columns, 3)
    return blurred


def _mean(
    shifted: list[NDArray[np.uint8]], weights: NDArray[np.uint16], spare: NDArray[np.uint16]
) -> NDArray[np.uint16]:
    """The weighted mean of bytes and their neighbors, rounded.

    Args:
        shifted: from the farthest neighbors on one side to those on the other, shape (rows, bytes) each.
        weights: as for `weighted`.
        spare: memory for two of these; the result lies in it.
    """
    reach, (total, pair) = len(weights) - 1, spare[:, : len(shifted[0])]
    np.multiply(shifted[reach], weights[0], out=total, dtype=np.uint16)
    for away in range(1, reach + 1):
        np.add(shifted[reach - away], shifted[reach + away], out=pair, dtype=np.uint16)
        pair *= weights[away]
        total += pair
    total += np.uint16(128)
    total >>= np.uint16(8)
    return total
