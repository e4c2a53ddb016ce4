"""The coarse-to-fine schedule: shape and radius of every epoch, growth of the map, and Gaussian sums over a neighborhood."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from ..som.grid import ROW, Grid, Topology

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


def enlarged(planes: Tensor, grid: Grid, shape: tuple[int, int]) -> Tensor:
    """The weights (D, X, Y) of a map, interpolated to a map of a larger shape, (D, X', Y')."""
    if grid.topology == "plane":
        return functional.interpolate(planes[None], size=shape, mode="bilinear", align_corners=False)[0]
    rows = _enlarging(grid.shape[0], shape[0], planes)
    columns = _enlarging(grid.shape[1], shape[1], planes)
    if grid.topology == "torus":
        return _between(_between(planes, rows, 1, joined=True), columns, 2, joined=True)
    larger = planes.new_empty((len(planes), *shape))
    half = 0.5 * grid.shape[1] / shape[1]  # half a new neuron, in old ones
    for parity in (0, 1):  # of the new rows
        places = columns + (parity - 0.5) * half  # counted from the middle between the old even rows and the odd ones
        seen = planes.new_empty((*planes.shape[:2], shape[1]))
        for old in (0, 1):
            seen[:, old::2] = _between(planes[:, old::2], places - (old - 0.5) / 2, 2)
        larger[:, parity::2] = _between(seen, rows[parity::2], 1)
    return larger


def enlarged_places(places: Tensor, grid: Grid, shape: tuple[int, int]) -> Tensor:
    """The same relative places on a map of a larger shape: rows and columns, (N, 2)."""
    old, new = (places.new_tensor(sides, dtype=torch.float32) for sides in (grid.shape, shape))
    exact = (places + 0.5) * (new / old) - 0.5
    if grid.topology == "hexagonal":
        aside, new_aside = (rows % 2 / 2 - 0.25 for rows in (places[:, 0], exact[:, 0].floor()))
        exact[:, 1] += aside * (new / old)[1] - new_aside
    larger = exact.floor().long().clamp(min=0)  # after doubling, place p lies between 2p and 2p + 1
    return torch.minimum(larger, (new - 1).long())


def _enlarging(old: int, new: int, like: Tensor) -> Tensor:
    """Where the places of a larger axis lie on the old one, (new,)."""
    places = torch.arange(new, dtype=like.dtype, device=like.device)
    return (places + 0.5) * (old / new) - 0.5


def _between(planes: Tensor, places: Tensor, axis: int, joined: bool = False) -> Tensor:
    """Linear interpolation along an axis; beyond its ends their values, or with joined ends those of the other end."""
    low, size = places.floor(), planes.shape[axis]
    ends = (low.long(), low.long() + 1)
    first, second = (planes.index_select(axis, end % size if joined else end.clamp(0, size - 1)) for end in ends)
    return torch.lerp(first, second, (places - low).view([-1 if dim == axis else 1 for dim in range(3)]))


def smooth(planes: Tensor, sigma: float, reach: float = REACH, block: int = 32, topology: Topology = "plane") -> Tensor:
    """Sums over a Gaussian neighborhood, exp(-distance^2 / (2 sigma^2)), cut at `reach` sigma and not normalized.

    The Gaussian is separable; each axis is a product with a banded matrix, computed block by block.

    Args:
        planes: sums per cell, shape (D, X, Y).
        sigma: radius in neurons.
        reach: distance along rows and along columns at which the Gaussian is cut, in sigma.
        block: number of outputs per product.
        topology: of the map, see `Grid`.

    Returns:
        Shape (D, X, Y).
    """
    radius, joined = max(1, math.ceil(reach * sigma)), topology == "torus"
    if topology == "hexagonal":
        return _smooth_hexagonal(planes, sigma, radius, block)
    columns, rows = (
        _banded(side, radius, sigma, block, planes.dtype, planes.device, joined) for side in planes.shape[:0:-1]
    )
    if len(columns) == len(rows) == 1:
        return rows[0][1] @ (planes @ columns[0][1].T)
    along_y = torch.cat([planes[:, :, inputs] @ kernel.T for inputs, kernel in columns], 2)
    return torch.cat([kernel @ along_y[:, inputs] for inputs, kernel in rows], 1)


def _smooth_hexagonal(planes: Tensor, sigma: float, radius: int, block: int) -> Tensor:
    """`smooth` on a hexagonal map: seen from a row, the rows of the other parity lie half a neuron aside."""

    def along_columns(part: Tensor, aside: float) -> Tensor:
        columns = _banded(part.shape[2], radius, sigma, block, part.dtype, part.device, aside=aside)
        return torch.cat([part[:, :, inputs] @ kernel.T for inputs, kernel in columns], 2)

    even = block + block % 2  # blocks start at even rows
    rows = _banded(planes.shape[1], radius, sigma, even, planes.dtype, planes.device, spacing=ROW)
    straight, smoothed = along_columns(planes, 0.0), torch.empty_like(planes)
    for parity, aside in ((0, -0.5), (1, 0.5)):
        seen = straight.clone()
        seen[:, 1 - parity :: 2] = along_columns(planes[:, 1 - parity :: 2], aside)
        smoothed[:, parity::2] = torch.cat([kernel[parity::2] @ seen[:, inputs] for inputs, kernel in rows], 1)
    return smoothed


@lru_cache(maxsize=4)  # an epoch smooths both axes, and more than once
def _banded(
    size: int,
    radius: int,
    sigma: float,
    block: int,
    dtype: torch.dtype,
    device: torch.device,
    joined: bool = False,
    spacing: float = 1.0,
    aside: float = 0.0,
) -> list[tuple[slice | Tensor, Tensor]]:
    """Blocks of a banded Gaussian matrix: the places of the inputs, and the kernel (outputs, inputs).

    Args:
        size: number of places along the axis.
        radius: distance at which the Gaussian is cut.
        sigma: its radius.
        block: number of outputs per block.
        dtype: type of the kernels.
        device: their device.
        joined: whether the two ends of the axis are joined.
        spacing: distance between two places.
        aside: how far the outputs are shifted against the inputs.
    """
    places = torch.arange(size, dtype=dtype, device=device)
    reach = math.ceil((radius + abs(aside)) / spacing)
    blocks: list[tuple[slice | Tensor, Tensor]] = []
    for start in range(0, size, block):
        stop = min(start + block, size)
        lo, hi = start - reach, stop + reach
        inputs = _joined(lo, hi, size, device) if joined else slice(max(0, lo), min(size, hi))
        gaps = (places[start:stop, None] - places[inputs]) * spacing + aside
        if joined:
            gaps = torch.minimum(gaps.abs(), size - gaps.abs())
        kernel = torch.exp(-(gaps**2) / (2 * sigma**2)) * (gaps.abs() <= radius)
        blocks.append((inputs, kernel))
    return blocks


def _joined(lo: int, hi: int, size: int, device: torch.device) -> Tensor:
    """Places from lo to hi on an axis whose ends are joined, each once."""
    places = torch.arange(lo, hi, device=device) if hi - lo < size else torch.arange(size, device=device)
    return places % size
