"""The only preprocessing: the eye's frames -> the autoencoder's input, and back for display."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError

GRAY_SIZE = (64, 64)
"""Rows and columns of a preprocessed picture (paper: 64x64, one channel)."""

VERSION = "gray64-v3"
"""Name of this preprocessing in caches and checkpoints; it changes whenever the output changes."""

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of red, green and blue in the luminance (ITU-R BT.601)."""

LUMA = LUMINANCE / 255
"""How much each byte of a pixel adds to its luminance."""


@cache
def area_filter(source: int, target: int) -> NDArray[np.float64]:
    """Averaging weights, (target, source): row i weighs the source pixels by their overlap with target pixel i; sums to 1."""
    edges = np.arange(target + 1) * (source / target)
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return overlap.clip(0) * (target / source)  # (target, source)


@cache
def _windows(source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nonzero part of `area_filter`: source pixels of each target pixel and their weights, both (target, K).

    A sum over them is faster than a product with the whole filter. It also needs no BLAS threads, which can take a hundred
    times as long when other processes use the cores.
    """
    weights = area_filter(source, target)
    width = int((weights > 0).sum(1).max())
    pixels = np.minimum((weights > 0).argmax(1), source - width)[:, None] + np.arange(width)
    return pixels, np.take_along_axis(weights, pixels, 1)


@dataclass(frozen=True)
class Format:
    """Format of preprocessed pictures. The paper's autoencoder sees the default one, and the agent sees in color."""

    side: int = GRAY_SIZE[0]
    """Rows and columns."""
    color: bool = False
    """Red, green and blue instead of luminance."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one picture: (side, side) or (3, side, side)."""
        return (*([3] if self.color else []), self.side, self.side)

    @classmethod
    def of(cls, shape: Sequence[int]) -> "Format":
        """The format of pictures of this shape, (side, side) or (3, side, side)."""
        return cls(shape[-1], len(shape) == 3)

    @property
    def name(self) -> str:
        """Unique name of this format and version."""
        return VERSION if self == GRAY else f"{VERSION}-as-{self.side}{'-rgb' if self.color else ''}"

    def squeeze(self, eye: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Resizes RGB frames of any size, shape (..., H, W, 3), uint8, to (..., *shape) in [0, 1]; see `to_gray`."""
        if eye.dtype != np.uint8 or eye.ndim < 3 or eye.shape[-1] != 3:
            raise UserError(
                f"got pictures of dtype {eye.dtype} and shape {eye.shape}, expected uint8 RGB of shape (..., H, W, 3); "
                "if they are floats in [0, 1], multiply by 255 and convert"
            )
        (rows, row_weights), (columns, column_weights) = (_windows(size, self.side) for size in eye.shape[-3:-1])
        planes = np.moveaxis(eye / np.float32(255), -1, -3) if self.color else eye @ LUMA
        low = (row_weights[..., None] * planes[..., rows, :]).sum(-2)  # (..., side, W), in double precision
        return np.asarray((column_weights * low[..., columns]).sum(-1), np.float32)

    def gray(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """The luminance of pictures in this format, (..., *shape) -> (..., side, side); gray ones stay as they are."""
        return np.tensordot(pictures, LUMINANCE, (-3, 0)) if self.color else pictures

    def to_rgb(self, pictures: NDArray[Any], size: tuple[int, int] = (300, 500)) -> NDArray[np.uint8]:
        """Enlarges preprocessed pictures to the eye's aspect for display, without interpolation.

        Args:
            pictures: shape (..., *shape), in [0, 1]; values outside are clipped.
            size: rows and columns to show, (H, W).

        Returns:
            RGB frames, shape (..., H, W, 3), uint8.
        """
        rows, columns = (np.arange(t) * s // t for s, t in zip(np.shape(pictures)[-2:], size, strict=True))
        frame = np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)[..., rows[:, None], columns]  # (..., H, W)
        return (
            np.ascontiguousarray(np.moveaxis(frame, -3, -1)) if self.color else np.repeat(frame[..., None], 3, axis=-1)
        )


GRAY = Format()
"""The paper's format (64x64, one channel)."""
COLOR = Format(color=True)
"""The agent's format."""


def to_gray(eye: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Resizes frames of the eye to 64x64 luminance.

    The whole frame is kept, of any aspect (a center crop loses the arm), and averaged by area (a bilinear resize aliases by
    .004, half of an autoencoder's error). Collection and acting both use this function, so queries look like the training data.

    Args:
        eye: RGB frames of any size, shape (..., H, W, 3), uint8.

    Returns:
        Luminance in [0, 1], shape (..., 64, 64), float32.

    Raises:
        UserError: the frames are not uint8 RGB.
    """
    return GRAY.squeeze(eye)


def to_rgb(gray: NDArray[Any], size: tuple[int, int] = (300, 500)) -> NDArray[np.uint8]:
    """Enlarges gray pictures for display, see `Format.to_rgb`."""
    return GRAY.to_rgb(gray, size)
