"""The coarse-to-fine schedule, that is, shape and radius of every epoch; and Gaussian sums over a neighborhood."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

COARSEST_SIDE = 32
"""The longer side of the coarsest level has at most this many neurons."""
FEW_LEVELS, MANY_LEVELS = (15, 6, 5, 5), (7, 4, 4, 4, 3)
"""Epochs per level from the coarsest, for maps with up to four levels (to about 250x250) and with more; all others have 3.

The first levels matter less if many levels follow.
"""
LAST_EPOCHS, LAST_UPDATES = 30, 2**19
"""Small maps have cheap epochs: the last level gets up to this many epochs, within this many updates of single neurons."""

REACH = 4.5
"""Distance at which the Gaussian of the batch rule is cut, in sigma."""


@dataclass(frozen=True)
class Epoch:
    """Shape of the map and radius of the neighborhood, in neurons, in one epoch."""

    shape: tuple[int, int]
    sigma: float
    every: int = 1
    """Only each `every`-th sample takes part: a mean over a wide neighborhood hardly changes."""


def sigma_for(shape: tuple[int, int], count: int) -> float:
    """The default last radius, in neurons, of a map of this shape that is trained on `count` samples.

    It is about a quarter of the samples' mean spacing on the map, at least .4: smaller radii memorize single samples, larger
    ones blur.
    """
    return max(0.4, 0.275 * math.sqrt(shape[0] * shape[1] / count))


def schedule(shape: tuple[int, int], last_sigma: float, last_epochs: int | None = None) -> list[Epoch]:
    """Shape and radius of every epoch, coarse to fine.

    Args:
        shape: rows and columns of the map.
        last_sigma: radius of the last epoch, in neurons.
        last_epochs: number of epochs at the full size; by default as many as are cheap.
    """
    shapes = [shape]
    while max(shapes[0]) > COARSEST_SIDE:
        rows, columns = shapes[0]
        shapes.insert(0, (math.ceil(rows / 2), math.ceil(columns / 2)))
    counts = [*(FEW_LEVELS if len(shapes) <= len(FEW_LEVELS) else MANY_LEVELS), *[3] * len(shapes)][: len(shapes)]
    counts[-1] = last_epochs or max(counts[-1], min(LAST_EPOCHS, LAST_UPDATES // (shape[0] * shape[1])))
    plan = []
    for level, level_shape in enumerate(shapes):
        first = max(0.32 * max(level_shape), 1.0) if level == 0 else 3.0 if level <= 2 else 2.0
        last = last_sigma if level == len(shapes) - 1 else 1.5 if level == 0 else 1.0
        sigmas = geometric(max(first, last), last, counts[level])
        plan += [Epoch(level_shape, sigma) for sigma in sigmas]
    return plan


def geometric(first: float, last: float, count: int) -> list[float]:
    """A geometric sequence of `count` values from first to last."""
    return [first * (last / first) ** (step / max(count - 1, 1)) for step in range(count)]


def smooth(planes: Tensor, sigma: float, reach: float = REACH, block: int = 32) -> Tensor:
    """Sums over a Gaussian neighborhood, exp(-distance^2 / (2 sigma^2)), cut at `reach` sigma and not normalized.

    The Gaussian is separable; each axis is a product with a banded matrix, computed block by block.

    Args:
        planes: sums per cell, shape (D, X, Y).
        sigma: radius in neurons.
        reach: distance at which the Gaussian is cut, in sigma.
        block: number of outputs per product.

    Returns:
        Shape (D, X, Y).
    """
    radius = max(1, math.ceil(reach * sigma))
    columns = _banded(planes.shape[2], radius, sigma, block, planes.dtype, planes.device)
    along_y = torch.cat([planes[:, :, lo:hi] @ kernel.T for lo, hi, kernel in columns], 2)
    rows = _banded(planes.shape[1], radius, sigma, block, planes.dtype, planes.device)
    return torch.cat([kernel @ along_y[:, lo:hi] for lo, hi, kernel in rows], 1)


@lru_cache(maxsize=4)  # an epoch smooths both axes, and more than once
def _banded(
    size: int, radius: int, sigma: float, block: int, dtype: torch.dtype, device: torch.device
) -> list[tuple[int, int, Tensor]]:
    """Blocks of a banded Gaussian matrix: the inputs' range from lo to hi, and the kernel (outputs, hi - lo)."""
    places = torch.arange(size, dtype=dtype, device=device)
    blocks = []
    for start in range(0, size, block):
        stop = min(start + block, size)
        lo, hi = max(0, start - radius), min(size, stop + radius)
        gaps = places[start:stop, None] - places[None, lo:hi]
        kernel = torch.exp(-(gaps**2) / (2 * sigma**2)) * (gaps.abs() <= radius)
        blocks.append((lo, hi, kernel))
    return blocks
