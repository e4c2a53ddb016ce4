"""A map in tiles for training step by step: exact winners, and steps that change only a few tiles."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..som.bounds import TINY
from ..som.distances import BLOCK, HALF, SIDE, BlockedNeurons, Distance, block_neurons, by_block, cost, planes_of
from ..som.grid import Grid, Topology
from .neighborhoods import Neighborhood


class TiledMap:
    """Weights in tiles of 8x8 neurons, with the smallest and largest weight of each tile in each dimension.

    These bound a sample's distance to all neurons of a tile from below, so the search for its winner needs only a few tiles.
    Matrix products take whole tiles only, so a neuron's sum has the same bits for any number of tiles. A map whose sides are
    not multiples of 8 is padded with neurons that move with the others but never win.

    Attributes:
        weights: shape (D, T, 64), in the order of `by_block`.
        neurons: flat index of each neuron, (T, 64).
    """

    def __init__(
        self,
        weights: Tensor,
        shape: tuple[int, int],
        spans: Sequence[slice],
        distance: Distance = "l1",
        topology: Topology = "plane",
    ) -> None:
        """Arranges the weights (X*Y, D) of a map of this shape; `spans` are the dimensions of each modality."""
        self.shape, self.spans, self.distance, self.grid = shape, spans, distance, Grid(shape, topology)
        self.neurons, real = block_neurons(shape, weights.device)
        self._padding = torch.where(real, 0.0, torch.inf)
        self.weights = by_block(weights.T.reshape(-1, *shape))
        self._low, self._high = self.weights.amin(2), self.weights.amax(2)  # (D, T)
        sides = (torch.arange(-(-side // SIDE) * SIDE, device=weights.device) for side in shape)
        self._rows, self._columns = (side.to(weights) for side in sides)  # (8 TX,), (8 TY,)

    def flat(self) -> Tensor:
        """The weights neuron by neuron, (X*Y, D)."""
        return self.planes().flatten(1).T.contiguous()

    def planes(self, padded: bool = False) -> Tensor:
        """The weights dimension by dimension, (D, X, Y), or with the padding."""
        planes = planes_of(self.weights, self.shape)
        return planes if padded else planes[:, : self.shape[0], : self.shape[1]]

    def blocked(self) -> BlockedNeurons:
        """The present map for a search; it shares the weights if no tile has padding."""
        if any(side % SIDE for side in self.shape):
            return BlockedNeurons(by_block(self.planes()), self.shape, self.distance)
        return BlockedNeurons(self.weights, self.shape, self.distance)

    def winners(self, samples: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
        """Flat index of each sample's winner, the lowest among equals, and its distance -A of Eq. 3, (B,) each.

        Args:
            samples: shape (B, D), 0 where a modality is missing.
            factors: c_m / n_m / sum(c) of Eq. 2-3 in each dimension, 0 where the sample lacks the modality, (B, D).
        """
        values = samples[:, :, None]
        gaps = cost(torch.clamp(values, self._low, self._high).sub_(values), self.distance)  # (B, D, T)
        lower = gaps.mul_(factors[:, :, None]).sum(1)  # (B, T)
        every = torch.arange(len(samples), device=samples.device)
        limit = self._distances(samples, factors, every, lower.argmin(1)).amin(1)  # (B,)
        slack = (4 * samples.shape[1] + 64) * 2.0**-24  # more than all rounding errors together
        rows, tiles = (lower <= (limit * (1 + slack) + TINY)[:, None]).nonzero().unbind(1)  # (P,) each
        distances = self._distances(samples, factors, rows, tiles)  # (P, 64)
        best = limit.scatter_reduce(0, rows, distances.amin(1), "amin")
        none = self.shape[0] * self.shape[1]
        lowest = torch.where(distances == best[rows][:, None], self.neurons[tiles], none).amin(1)
        return torch.full_like(every, none).scatter_reduce_(0, rows, lowest, "amin"), best

    def step(
        self, winners: Tensor, samples: Tensor, known: Tensor, rate: float, neighborhood: Neighborhood, sigma: float
    ) -> None:
        """Moves the weights toward a batch, Eq. 4-5: w <- w - rate / B * sum of mu (w - d).

        Args:
            winners: flat index of each sample's winner, (B,).
            samples: shape (B, D), 0 where a modality is missing.
            known: 1 where a sample has a modality, else 0, (B, M).
            rate: lambda of Eq. 4.
            neighborhood: mu of Eq. 4.
            sigma: radius of the neighborhood in neurons.
        """
        down, across = self._squared_gaps(winners)
        tiles = self._tiles_within(down, across, neighborhood.reach(sigma))
        mu = self._mu(down, across, tiles, neighborhood, sigma)  # (B, 64 t)
        scaled = torch.cat([samples, known], 1).T * (rate / len(samples))  # (D + M, B)
        sums = (scaled @ mu).view(len(scaled), -1, BLOCK)  # over the batch, (D + M, t, 64)
        targets, rates = sums.split([len(self.weights), len(self.spans)])
        weights = self.weights if tiles is None else self.weights.index_select(1, tiles)  # (D, t, 64)
        for span, moved in zip(self.spans, rates, strict=True):
            weights[span].mul_(1 - moved)
        self.store(tiles, weights.add_(targets))

    def _distances(self, samples: Tensor, factors: Tensor, rows: Tensor, tiles: Tensor) -> Tensor:
        """Distances of pairs of a sample and a tile, with the same bits as `all_distances`, (P, 64)."""
        gaps = cost(self.weights.index_select(1, tiles).sub_(samples.T[:, rows, None]), self.distance)  # (D, P, 64)
        factors, total = factors[rows], self._padding[tiles]
        for span in self.spans:
            sums, *others = gaps[span]
            for gap in others:
                sums.add_(gap)
            total.add_(sums.mul_(factors[:, span.start, None]))
        return total

    def _squared_gaps(self, winners: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distances between each winner and all rows and all columns, (B, 8 TX) and (B, 8 TY).

        On a hexagonal map, the columns lie elsewhere in odd rows than in even ones: (B, 2, 8 TY).
        """
        x, y = (part[:, None] for part in self.grid.split(winners))
        if self.grid.topology == "hexagonal":
            parity = torch.arange(2, device=x.device)[:, None]
            down, _ = self.grid.steps(x, y, self._rows, y)
            _, across = self.grid.steps(x[:, None], y[:, None], parity, self._columns)
        else:
            down, across = self.grid.steps(x, y, self._rows, self._columns)
        return self.grid.squared(down), across.square()

    def _tiles_within(self, down: Tensor, across: Tensor, reach: float) -> Tensor | None:
        """Tiles at most `reach` from any winner, (t,); None, which means all tiles, if these are more than half."""
        nearest = across if across.ndim == 2 else across.amin(1)
        rows, columns = (gaps.unflatten(1, (-1, SIDE)).amin(2) for gaps in (down, nearest))  # (B, TX), (B, TY)
        near = (rows[:, :, None] + columns[:, None] <= reach**2).any(0)  # (TX, TY)
        tiles = near.flatten().nonzero().squeeze(1)
        return None if 2 * len(tiles) > near.numel() else tiles

    def _mu(
        self, down: Tensor, across: Tensor, tiles: Tensor | None, neighborhood: Neighborhood, sigma: float
    ) -> Tensor:
        """mu of each winner for all neurons of the given tiles, (B, 64 t)."""
        if neighborhood.separable:
            down, across = neighborhood(down, sigma), neighborhood(across, sigma)
        down, across = _by_tile(down, across)  # (B, TX, 64), (B, TY, 64)
        if tiles is None:
            down, across = down[:, :, None], across[:, None]
        else:
            count = across.shape[1]
            down, across = down[:, tiles // count], across[:, tiles % count]
        mu = down * across if neighborhood.separable else neighborhood(down + across, sigma)
        return mu.flatten(1)

    def at(self, neurons: Tensor) -> Tensor:
        """The weights of some neurons: flat indices (...,) -> (..., D)."""
        rows, columns = self.grid.split(neurons)
        leaves = rows // HALF % 2 * 2 + columns // HALF % 2
        places = (leaves * HALF + rows % HALF) * HALF + columns % HALF
        return self.weights[:, self.tiles_of(neurons), places].movedim(0, -1)

    def tiles_of(self, neurons: Tensor) -> Tensor:
        """The tiles in which some neurons are."""
        rows, columns = self.grid.split(neurons)
        return rows // SIDE * -(-self.shape[1] // SIDE) + columns // SIDE

    def store(self, tiles: Tensor | None, weights: Tensor) -> None:
        """Stores new weights (D, t, 64) of some tiles (t,), or of all, and their bounds."""
        low, high = weights.amin(2), weights.amax(2)
        if tiles is None:
            self.weights, self._low, self._high = weights, low, high
            return
        for all_tiles, changed in ((self.weights, weights), (self._low, low), (self._high, high)):
            all_tiles.index_copy_(1, tiles, changed)


def _by_tile(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column values of each neuron, tile by tile: (..., 8 TX), (..., 8 TY) -> (..., TX, 64), (..., TY, 64).

    Columns of shape (..., 2, 8 TY) hold values of even rows and of odd rows.
    """
    down = rows.unflatten(-1, (-1, 2, 1, HALF, 1))
    across = columns.unflatten(-1, (-1, 1, 2, 1, HALF))
    if columns.ndim > rows.ndim:
        across = torch.cat([*across.unbind(-6)] * (HALF // 2), -2)
    inside = (2, 2, HALF, HALF)
    down, across = (side.expand(*side.shape[:-4], *inside).flatten(-4) for side in (down, across))
    return down, across
