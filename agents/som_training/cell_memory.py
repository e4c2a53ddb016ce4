"""What a map remembers, cell by cell: discounted sums of the samples that won there, from which its weights follow."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ..som.distances import SIDE, by_block
from ..som.grid import Grid
from ..som.modalities import Modalities
from .schedule import REACH, smooth
from .tiled_map import TiledMap
from .window import WINDOW, winners_around

LEAST = 1e-30
"""A neuron keeps its weights if the remembered samples around it weigh less than this."""
ROOM = 0.1
"""If more than this share of new samples would move as far as a sample can move in an epoch, they lack room."""
LARGEST_GAIN = 1e12
"""The sums are rescaled when a new sample counts this much; until then, old samples fade because new ones count more."""


class CellMemory:
    """Sums of samples and their weights, for each cell of a map.

    Attributes:
        sums: the samples of each cell, weighted and summed, shape (D, X', Y'); the sides are multiples of 8.
        counts: their weights, for each modality, shape (M, X', Y').
        gain: weight of a new sample. Only ratios matter, so a larger gain means that all old samples have faded.
    """

    def __init__(self, layout: Modalities, grid: Grid, device: torch.device) -> None:
        self.layout, self.shape, self.grid = layout, grid.shape, grid
        sides = [-(-side // SIDE) * SIDE for side in grid.shape]
        self.sums = torch.zeros((layout.width, *sides), device=device)
        self.counts = torch.zeros((len(layout.widths), *sides), device=device)
        self.gain = 1.0

    def fade(self, share: float, samples: int) -> None:
        """Makes all remembered samples lose this share of their weight for each of some new samples."""
        self.gain *= (1 - share) ** -samples
        if self.gain > LARGEST_GAIN:
            self.sums /= self.gain
            self.counts /= self.gain
            self.gain = 1.0

    def add(self, features: Tensor, weights: Tensor, cells: Tensor) -> None:
        """Adds samples (B, D) with weights (B, M) in their cells, flat indices (B,)."""
        at = self._places(cells)
        known = self.layout.per_dimension(weights) * self.gain
        self.sums.flatten(1).index_add_(1, at, (features * known).T)
        self.counts.flatten(1).index_add_(1, at, (weights * self.gain).T)

    def refresh(self, tiled: TiledMap, winner: int, sigma: float) -> None:
        """Computes the neurons around one cell from the sums."""
        radius = max(1, int(-(-REACH * sigma // 1)))
        if self.grid.topology != "plane":
            self._refresh_by_distance(tiled, winner, sigma, radius)
            return
        center = (winner // self.shape[1], winner % self.shape[1])
        inner = [
            _aligned(at - radius, at + radius + 1, side) for at, side in zip(center, self.sums.shape[1:], strict=True)
        ]
        outer = [
            (max(lo - radius, 0), min(hi + radius, side))
            for (lo, hi), side in zip(inner, self.sums.shape[1:], strict=True)
        ]
        down, across = (_kernel(to, of, radius, sigma, self.sums) for to, of in zip(inner, outer, strict=True))
        window = (slice(None), slice(*outer[0]), slice(*outer[1]))
        sums, counts = (down @ planes[window] @ across.T for planes in (self.sums, self.counts))
        first, count = inner[0][0] // SIDE, self.sums.shape[2] // SIDE
        rows = torch.arange(first, inner[0][1] // SIDE, device=sums.device)
        columns = torch.arange(inner[1][0] // SIDE, inner[1][1] // SIDE, device=sums.device)
        tiles = (rows[:, None] * count + columns).flatten()
        old = tiled.weights.index_select(1, tiles)
        tiled.store(tiles, self._means(by_block(sums), by_block(counts), lambda: old))

    def _refresh_by_distance(self, tiled: TiledMap, winner: int, sigma: float, radius: int) -> None:
        """`refresh` for any topology: from the distances between the neurons around a cell and the occupied cells there."""
        tiles = tiled.tiles_of(self.grid.window(winner, radius).to(self.sums.device)).unique()
        cells = self.grid.window(winner, 2 * radius + SIDE).to(self.sums.device)
        counts = self.counts.flatten(1)[:, self._places(cells)]
        cells = cells[(counts > 0).any(0)]
        neurons = tiled.neurons[tiles].flatten()[:, None]
        down, across = self.grid.steps(*self.grid.split(neurons), *self.grid.split(cells))
        near = (self.grid.squared(down) <= radius**2) & (across <= radius)
        mu = torch.exp(self.grid.squared(down, across) / (-2 * sigma**2)) * near  # (64 t, cells)
        sums, counts = (
            (planes.flatten(1)[:, self._places(cells)] @ mu.T).unflatten(1, (-1, SIDE * SIDE))
            for planes in (self.sums, self.counts)
        )
        old = tiled.weights.index_select(1, tiles)
        tiled.store(tiles, self._means(sums, counts, lambda: old))

    def rearrange(
        self,
        tiled: TiledMap,
        features: Tensor,
        has: Tensor,
        winners: Tensor,
        sigmas: Sequence[float],
        move_old: bool,
        most: int = 0,
    ) -> None:
        """Adds samples, and computes the whole map in some epochs in which they move to better cells.

        Args:
            tiled: the map; its weights change.
            features: new samples, shape (B, D).
            has: mask of their modalities, shape (B, M).
            winners: their winners, shape (B,).
            sigmas: radius of each epoch.
            move_old: whether the remembered samples move too.
            most: number of further epochs with the last radius at most, while many new samples lack room.
        """
        old, old_weights, old_cells = self._samples()
        rows = torch.cat([old, features])
        weights = torch.cat([old_weights, has * self.gain])
        kept = 0 if move_old else len(old)  # the first sample that moves

        def moved(cells: Tensor, first: int, last: int) -> Tensor:
            found = self._moved(tiled, rows[first:last], weights[first:last], cells[first:last])
            return torch.cat([cells[:first], found, cells[last:]])

        cells = moved(torch.cat([old_cells, winners]), kept, len(old))  # new samples are at their winners
        for number in range(len(sigmas) + most):
            self._fill(tiled, rows, weights, cells, sigmas[min(number, len(sigmas) - 1)])
            if number + 1 == len(sigmas) + most:
                break
            better = moved(cells, len(old), len(rows))
            if number + 1 >= len(sigmas) and self._far(cells[len(old) :], better[len(old) :]) <= ROOM:
                break
            cells = moved(better, kept, len(old))

    def _fill(self, tiled: TiledMap, rows: Tensor, weights: Tensor, cells: Tensor, sigma: float) -> None:
        """Computes the whole map from samples in their cells."""
        self.sums.zero_()
        self.counts.zero_()
        at = self._places(cells)
        self.sums.flatten(1).index_add_(1, at, (rows * self.layout.per_dimension(weights)).T)
        self.counts.flatten(1).index_add_(1, at, weights.T)
        sums, counts = self._smoothed(self.sums, sigma), self._smoothed(self.counts, sigma)
        tiled.store(None, by_block(self._means(sums, counts, lambda: tiled.planes(padded=True))))

    def _far(self, cells: Tensor, better: Tensor) -> float:
        """Share of samples whose better cell is as far away as a sample moves in an epoch."""
        steps = self.grid.steps(*self.grid.split(cells), *self.grid.split(better))
        return float((torch.maximum(*steps) >= WINDOW).float().mean())

    def state(self) -> dict[str, Tensor]:
        """All tensors of the memory."""
        return {"sums": self.sums, "counts": self.counts, "gain": torch.tensor(self.gain, dtype=torch.float64)}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Takes over a state."""
        self.sums, self.counts = (state[name].to(self.sums.device, copy=True) for name in ("sums", "counts"))
        self.gain = float(state["gain"])

    def _samples(self) -> tuple[Tensor, Tensor, Tensor]:
        """The mean sample of each occupied cell (n, D), its weights (n, M), and its cell, a flat index (n,)."""
        counts = self.counts.flatten(1)
        at = (counts > 0).any(0).nonzero().squeeze(1)
        weights = counts[:, at].T
        means = self.sums.flatten(1)[:, at].T / self.layout.per_dimension(weights).clamp(min=LEAST)
        columns = self.sums.shape[2]
        return means, weights, at // columns * self.shape[1] + at % columns

    def _moved(self, tiled: TiledMap, rows: Tensor, weights: Tensor, cells: Tensor) -> Tensor:
        """The best neuron around each sample's cell, flat indices (B,)."""
        scales = self.layout.row_scales(weights > 0)
        return winners_around(cells, self.grid, tiled.at, rows, scales, self.layout.distance)[0]

    def _smoothed(self, planes: Tensor, sigma: float) -> Tensor:
        """The Gaussian sums of planes with padding; on a torus, the padding repeats the other side."""
        if self.grid.topology != "torus":
            return smooth(planes, sigma, topology=self.grid.topology)
        inner = smooth(planes[:, : self.shape[0], : self.shape[1]], sigma, topology="torus")
        rows, columns = (
            torch.arange(padded, device=planes.device) % side
            for padded, side in zip(planes.shape[1:], self.shape, strict=True)
        )
        return inner[:, rows][:, :, columns]

    def _means(self, sums: Tensor, counts: Tensor, old: Callable[[], Tensor]) -> Tensor:
        """Means of the samples, in place, from smoothed sums (D, ...) and counts (M, ...).

        Neurons around which nothing is remembered keep their old weights (D, ...).
        """
        for number, name in enumerate(self.layout.widths):
            part, reached = sums[self.layout.slice(name)], counts[number] > LEAST * self.gain
            if bool(reached.all()):
                part.div_(counts[number])
            else:
                means = part / torch.where(reached, counts[number], 1.0)
                part.copy_(torch.where(reached, means, old()[self.layout.slice(name)]))
        return sums

    def _places(self, cells: Tensor) -> Tensor:
        """Flat indices on the map -> flat indices in the padded planes."""
        return cells // self.shape[1] * self.sums.shape[2] + cells % self.shape[1]


def _aligned(low: int, high: int, side: int) -> tuple[int, int]:
    """The smallest range of whole tiles that holds low..high, within the side."""
    return max(low, 0) // SIDE * SIDE, min(-(-high // SIDE) * SIDE, side)


def _kernel(to: tuple[int, int], of: tuple[int, int], radius: int, sigma: float, like: Tensor) -> Tensor:
    """The Gaussian between two ranges of rows or columns, (outputs, inputs)."""
    outputs, inputs = (torch.arange(*span, dtype=like.dtype, device=like.device) for span in (to, of))
    gaps = outputs[:, None] - inputs
    return torch.exp(-(gaps**2) / (2 * sigma**2)) * (gaps.abs() <= radius)
