"""The only preprocessing: what the eye sees -> what the autoencoder gets, and back for display."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError

GRAY_SIZE = (64, 64)
"""Rows and columns of a preprocessed picture (paper: 64x64, one channel)."""

VERSION = "gray64-v3"
"""Names this preprocessing in caches and checkpoints; changes whenever its numbers do."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32) / 255
"""How much each byte of a pixel adds to its luminance (ITU-R BT.601)."""


@cache
def area_filter(source: int, target: int) -> NDArray[np.float64]:
    """Row i holds how much of each source pixel falls into target pixel i; rows sum to 1."""
    edges = np.arange(target + 1) * (source / target)
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return overlap.clip(0) * (target / source)  # (target, source)


@cache
def _windows(source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which source pixels fall into each target pixel, and how much of each, (target, K): few of them do.

    Adding these up is faster than a product with the whole filter, and does not wait for BLAS's threads, which takes up to
    a hundred times as long where other processes keep the cores busy.
    """
    shares = area_filter(source, target)
    width = int((shares > 0).sum(1).max())
    pixels = np.minimum((shares > 0).argmax(1), source - width)[:, None] + np.arange(width)
    return pixels, np.take_along_axis(shares, pixels, 1)


@dataclass(frozen=True)
class Format:
    """What frames of the eye are squeezed to; all but the default are there to see what the paper's choice is worth."""

    side: int = GRAY_SIZE[0]
    """Rows and columns."""
    color: bool = False
    """Red, green and blue instead of luminance."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture: (side, side) or (3, side, side)."""
        return (*([3] if self.color else []), self.side, self.side)

    @property
    def name(self) -> str:
        """Unlike those of all other formats and versions."""
        return VERSION if self == GRAY else f"{VERSION}-as-{self.side}{'-rgb' if self.color else ''}"

    def squeeze(self, eye: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Squeezes RGB frames of any size, shape (..., H, W, 3), uint8, to (..., *shape) in [0, 1]; see `to_gray`."""
        if eye.dtype != np.uint8 or eye.ndim < 3 or eye.shape[-1] != 3:
            raise UserError(
                f"got pictures of dtype {eye.dtype} and shape {eye.shape}, expected uint8 RGB of shape (..., H, W, 3); "
                "if they are floats in [0, 1], multiply by 255 and convert"
            )
        (rows, above), (columns, beside) = (_windows(size, self.side) for size in eye.shape[-3:-1])
        planes = np.moveaxis(eye / np.float32(255), -1, -3) if self.color else eye @ LUMA
        low = (above[..., None] * planes[..., rows, :]).sum(-2)  # (..., side, W), in double precision
        return np.asarray((beside * low[..., columns]).sum(-1), np.float32)


GRAY = Format()
"""What the agent sees (paper: 64x64, one channel)."""


def to_gray(eye: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Squeezes frames of the eye to 64x64 luminance.

    The whole frame is kept, of whatever aspect (a centre crop loses the arm), and averaged by area (a bilinear resize aliases
    by .004, half an autoencoder's error). Collection and acting both come through here, so that a map is asked what it was
    trained on.

    Args:
        eye: RGB frames of any size, shape (..., H, W, 3), uint8.

    Returns:
        Luminance in [0, 1], shape (..., 64, 64), float32.

    Raises:
        UserError: the frames are not uint8 RGB.
    """
    return GRAY.squeeze(eye)


def to_rgb(gray: NDArray[Any], size: tuple[int, int] = (300, 500)) -> NDArray[np.uint8]:
    """Spreads preprocessed pictures to the eye's size and aspect for display; nothing is invented between the pixels.

    Args:
        gray: luminance in [0, 1], shape (..., 64, 64); values outside are clipped.
        size: rows and columns to show, (H, W).

    Returns:
        RGB frames, shape (..., H, W, 3), uint8.
    """
    rows, columns = (np.arange(t) * s // t for s, t in zip(np.shape(gray)[-2:], size, strict=True))
    frame = np.rint(np.clip(gray, 0, 1) * 255).astype(np.uint8)[..., rows[:, None], columns]  # (..., H, W)
    return np.repeat(frame[..., None], 3, axis=-1)
