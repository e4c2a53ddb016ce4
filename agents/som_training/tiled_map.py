"""A map that changes with every step, laid out in tiles: exact winners, and steps that touch few tiles alone."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .neighborhoods import Neighborhood

SIDE = 8
"""Neurons along a tile's side."""
TINY = 1e-37
"""Added to a limit besides its share of roundings, for distances so small that they are not rounded relatively."""


class TiledMap:
    """Weights in tiles of 8x8 neurons, with the smallest and largest weight of each tile in each dimension.

    These bound a sample's distance to all neurons of a tile from below, so that its winner is sought in a few tiles.
    Whole tiles alone enter a matrix product, so that a neuron's sum has the same bits however many tiles take part. A
    map whose sides are no multiple of 8 is padded by more neurons, which move with the others but never win.

    Attributes:
        weights: shape (D, T, 64).
        neurons: flat index of the neuron at each place, (T, 64).
        own: which places are the map's own, not padding, (T, 64).
    """

    def __init__(self, weights: Tensor, shape: tuple[int, int], spans: Sequence[slice]) -> None:
        """Lay out weights (X*Y, D) of a map of the given shape; `spans` are the dimensions of each modality."""
        self.shape, self.spans = shape, spans
        rows, columns = (torch.arange(-(-side // SIDE) * SIDE, device=weights.device) for side in shape)
        down, across = _by_tile(rows, columns)
        self.own = ((down < shape[0])[:, None] & (across < shape[1])).flatten(0, 1)
        self.neurons = (down.clamp(max=shape[0] - 1)[:, None] * shape[1] + across.clamp(max=shape[1] - 1)).flatten(0, 1)
        self.weights = weights.T[:, self.neurons]
        self._low, self._high = self.weights.amin(2), self.weights.amax(2)  # (D, T)
        self._rows, self._columns = rows.to(weights), columns.to(weights)  # (8 TX,), (8 TY,)
        self._padding = torch.where(self.own, 0.0, torch.inf)

    def flat(self) -> Tensor:
        """The weights neuron by neuron, (X*Y, D)."""
        out = self.weights.new_empty((self.shape[0] * self.shape[1], len(self.weights)))
        out[self.neurons[self.own]] = self.weights[:, self.own].T
        return out

    def winners(self, samples: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
        """Flat index of each sample's winner, the lowest among equals, and its distance -A of Eq. 3, (B,) each.

        Args:
            samples: shape (B, D), 0 where a modality is missing.
            factors: c_m / n_m / sum(c) of Eq. 2-3 in each dimension, 0 where the sample has no vote, (B, D).
        """
        values = samples[:, :, None]
        gaps = torch.clamp(values, self._low, self._high).sub_(values).abs_()  # (B, D, T)
        lower = gaps.mul_(factors[:, :, None]).sum(1)  # (B, T)
        every = torch.arange(len(samples), device=samples.device)
        limit = self._distances(samples, factors, every, lower.argmin(1)).amin(1)  # (B,)
        slack = (4 * samples.shape[1] + 64) * 2.0**-24  # more than all roundings together
        rows, tiles = (lower <= (limit * (1 + slack) + TINY)[:, None]).nonzero().unbind(1)  # (P,) each
        distances = self._distances(samples, factors, rows, tiles)  # (P, 64)
        best = limit.scatter_reduce(0, rows, distances.amin(1), "amin")
        none = self.shape[0] * self.shape[1]
        lowest = torch.where(distances == best[rows][:, None], self.neurons[tiles], none).amin(1)
        return torch.full_like(every, none).scatter_reduce_(0, rows, lowest, "amin"), best

    def step(
        self, winners: Tensor, samples: Tensor, known: Tensor, rate: float, neighborhood: Neighborhood, sigma: float
    ) -> None:
        """Move the weights towards a batch, Eq. 4-5: w <- w - rate / B * sum of mu (w - d).

        Args:
            winners: flat index of each sample's winner, (B,).
            samples: shape (B, D), 0 where a modality is missing.
            known: 1 where a sample has a modality, else 0, (B, M).
            rate: lambda of Eq. 4.
            neighborhood: mu of Eq. 4.
            sigma: its radius in neurons.
        """
        down, across = self._squared_gaps(winners)
        tiles = self._within(down, across, neighborhood.reach(sigma))
        mu = self._mu(down, across, tiles, neighborhood, sigma)  # (B, 64 t)
        shares = torch.cat([samples, known], 1).T * (rate / len(samples))  # (D + M, B)
        sums = (shares @ mu).view(len(shares), -1, SIDE * SIDE)  # over the batch, (D + M, t, 64)
        pull, held = sums.split([len(self.weights), len(self.spans)])
        weights = self.weights if tiles is None else self.weights.index_select(1, tiles)  # (D, t, 64)
        for span, share in zip(self.spans, held, strict=True):
            weights[span].mul_(1 - share)
        self._put(tiles, weights.add_(pull))

    def _distances(self, samples: Tensor, factors: Tensor, rows: Tensor, tiles: Tensor) -> Tensor:
        """Distances of pairs of a sample and a tile, bit for bit those of `l1_distances`, (P, 64)."""
        gaps = self.weights.index_select(1, tiles).sub_(samples.T[:, rows, None]).abs_()  # (D, P, 64)
        factors, total = factors[rows], self._padding[tiles]
        for span in self.spans:
            sums, *others = gaps[span]
            for gap in others:
                sums.add_(gap)
            total.add_(sums.mul_(factors[:, span.start, None]))
        return total

    def _squared_gaps(self, winners: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distances of all rows and all columns from each winner's, (B, 8 TX) and (B, 8 TY)."""
        x, y = winners // self.shape[1], winners % self.shape[1]
        return (self._rows - x[:, None]).square_(), (self._columns - y[:, None]).square_()

    def _within(self, down: Tensor, across: Tensor, reach: float) -> Tensor | None:
        """Tiles not farther than `reach` from some winner, (t,); None, meaning all, when they are most."""
        rows, columns = (gaps.unflatten(1, (-1, SIDE)).amin(2) for gaps in (down, across))  # (B, TX), (B, TY)
        near = (rows[:, :, None] + columns[:, None] <= reach**2).any(0)  # (TX, TY)
        tiles = near.flatten().nonzero().squeeze(1)
        return None if 2 * len(tiles) > near.numel() else tiles

    def _mu(
        self, down: Tensor, across: Tensor, tiles: Tensor | None, neighborhood: Neighborhood, sigma: float
    ) -> Tensor:
        """mu of each winner at all places of the given tiles, (B, 64 t)."""
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

    def _put(self, tiles: Tensor | None, weights: Tensor) -> None:
        """Take the new weights of some tiles, and their bounds."""
        low, high = weights.amin(2), weights.amax(2)
        if tiles is None:
            self.weights, self._low, self._high = weights, low, high
            return
        for all_tiles, some in ((self.weights, weights), (self._low, low), (self._high, high)):
            all_tiles.index_copy_(1, tiles, some)


def _by_tile(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """What belongs to the places of each row and column, (..., 8 TX) and (..., 8 TY), in the order in which they lie in
    a tile: (..., TX, 64) and (..., TY, 64)."""
    down = rows.unflatten(-1, (-1, SIDE)).repeat_interleave(SIDE, -1)
    across = torch.cat([columns.unflatten(-1, (-1, SIDE))] * SIDE, -1)
    return down, across
