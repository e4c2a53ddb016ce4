"""The coarse-to-fine schedule, that is, shape and radius of every epoch; and Gaussian sums over a neighborhood."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

COARSEST_SIDE = 32
"""The coarsest level has at most the square of this many neurons; of a large map, the longer side has at most this many."""
FEW_LEVELS = 4
"""Maps with more levels (above about 250x250) are large: most of their epochs are short, because many levels follow."""
LARGE_LEVELS, LARGE_SIGMAS = (7, 4, 4, 4), (3.0, 3.0)
"""Epochs of a large map's first levels, all others have 3; and the first radius of the levels after the coarsest, then 2."""
LARGE_EPOCHS, LARGE_UPDATES = 30, 2**19
"""The last level of a large map gets more epochs, up to this many, within so many updates of single neurons."""
SMALL_EPOCHS, COARSEST_EPOCHS, MIDDLE_EPOCHS, LAST_EPOCHS = 16, 12, 5, 8
"""Epochs of a small map of one level; and of the coarsest, the middle and the last level of one with more levels."""
HELD = 2
"""Up to so many epochs, at most a third of a level's, keep the last radius: then the map settles."""

REACH = 4.5
"""Distance at which the Gaussian of the batch rule is cut, in sigma."""


@dataclass(frozen=True)
class Epoch:
    """Shape of the map and radius of the neighborhood, in neurons, in one epoch."""

    shape: tuple[int, int]
    sigma: float
    quick: bool = False
    """Whether winners are found by Euclid's distance, whatever the map's own: fast, and good while the radius is wide."""


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
        last_epochs: number of epochs at the full size; the default depends on the size.
    """
    large = _levels(shape, lambda level: max(level) > COARSEST_SIDE)
    if len(large) > FEW_LEVELS:
        return _large_map(large, last_sigma, last_epochs)
    levels = _levels(shape, lambda level: math.prod(level) > COARSEST_SIDE**2)
    if len(levels) == 1:
        sigmas = _settling(_widest(shape), last_sigma, last_epochs or SMALL_EPOCHS)
        return [Epoch(shape, sigma, quick=step < len(sigmas) - HELD) for step, sigma in enumerate(sigmas)]
    plan = [Epoch(levels[0], sigma, quick=True) for sigma in geometric(_widest(levels[0]), 1.5, COARSEST_EPOCHS)]
    for level in levels[1:-1]:
        plan += [Epoch(level, sigma) for sigma in geometric(3.0, 1.0, MIDDLE_EPOCHS)]
    return plan + [Epoch(shape, sigma) for sigma in _settling(3.0, last_sigma, last_epochs or LAST_EPOCHS)]


def _levels(shape: tuple[int, int], too_large: Callable[[tuple[int, int]], bool]) -> list[tuple[int, int]]:
    """Shapes from the coarsest to the full size, each about half as long as the next."""
    shapes = [shape]
    while too_large(shapes[0]):
        rows, columns = shapes[0]
        shapes.insert(0, (math.ceil(rows / 2), math.ceil(columns / 2)))
    return shapes


def _widest(shape: tuple[int, int]) -> float:
    """The first radius of the coarsest level: about a third of the map."""
    return max(0.32 * max(shape), 1.0)


def _settling(first: float, last: float, count: int) -> list[float]:
    """Radii that fall to the last one and stay there for some epochs."""
    held = min(HELD, -(-count // 3))
    return geometric(max(first, last), last, count - held) + [last] * held


def _large_map(levels: list[tuple[int, int]], last_sigma: float, last_epochs: int | None) -> list[Epoch]:
    """The schedule of a map of many levels."""
    counts = [*LARGE_LEVELS, *[3] * len(levels)][: len(levels)]
    counts[-1] = last_epochs or max(counts[-1], min(LARGE_EPOCHS, LARGE_UPDATES // math.prod(levels[-1])))
    plan = []
    for level, shape in enumerate(levels):
        first = _widest(shape) if level == 0 else LARGE_SIGMAS[level - 1] if level <= 2 else 2.0
        last = last_sigma if level == len(levels) - 1 else 1.5 if level == 0 else 1.0
        plan += [Epoch(shape, sigma) for sigma in geometric(max(first, last), last, counts[level])]
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
    rows = _banded(planes.shape[1], radius, sigma, block, planes.dtype, planes.device)
    if len(columns) == len(rows) == 1:
        return rows[0][2] @ (planes @ columns[0][2].T)
    along_y = torch.cat([planes[:, :, lo:hi] @ kernel.T for lo, hi, kernel in columns], 2)
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
