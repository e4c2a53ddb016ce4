"""The samples whose weighted mean is a neuron of `SampleSom`, and their weights in it."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

REACH = 34.0
"""A neuron's mean skips samples whose squared distance exceeds the nearest one's by more than this many sigma^2 (4e-8)."""
TILE = 16
"""Neurons along the side of a tile; the neurons of a tile share one list of samples that may count for them."""


class SampleNeighborhoods:
    """The neighborhood of the batch rule from a neuron's side: the samples of its mean, and their shares.

    The shares are proportional to exp(-distance^2 / (2 sigma^2)), with the distance on the map between the neuron and the
    sample's winner. They are computed relative to the nearest winner, so their sum never underflows.
    """

    def __init__(self, winners: Tensor, sigma: float, shape: tuple[int, int]) -> None:
        """Finds the samples that may count for each tile.

        Args:
            winners: row and column of each sample's winner, shape (N, 2), int64.
            sigma: radius of the neighborhood in neurons.
            shape: rows and columns of the map.
        """
        self.winners, self.sigma, self.shape = winners, sigma, shape
        rows, columns = (torch.arange(0, side, TILE) for side in shape)
        lists = [self._within_reach(corner) for corner in torch.cartesian_prod(rows, columns).to(winners.device)]
        self._lists = pad_sequence(lists, batch_first=True, padding_value=len(winners))  # (T, K)
        places = torch.cat([winners, winners.new_full((1, 2), 2**20)]).to(torch.float32)  # padding is far away
        self._rows, self._columns = places[self._lists].unbind(2)  # (T, K)

    def means(self, neurons: Tensor, values: Tensor) -> Tensor:
        """Neighborhood-weighted means of the samples' values: flat indices (n,) and (N, width) -> (n, width)."""
        samples, starts, shares = self.shares(neurons)
        return functional.embedding_bag(samples, values, starts, mode="sum", per_sample_weights=shares)

    def shares(self, neurons: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The samples of each neuron, concatenated: indices (S,), each neuron's start (n,), and shares (S,).

        The shares of a neuron sum to 1.
        """
        rows, columns = neurons // self.shape[1], neurons % self.shape[1]
        tiles = rows // TILE * -(-self.shape[1] // TILE) + columns // TILE
        along = self._rows.index_select(0, tiles).sub_(rows[:, None]).square_()  # (n, K)
        squared = self._columns.index_select(0, tiles).sub_(columns[:, None]).square_().add_(along)
        squared.sub_(squared.amin(1, keepdim=True))
        at, place = (squared <= REACH * self.sigma**2).nonzero().unbind(1)
        shares = torch.exp(squared[at, place] / (-2 * self.sigma**2))
        shares = shares / shares.new_zeros(len(neurons)).index_add_(0, at, shares)[at]
        starts = torch.searchsorted(at, torch.arange(len(neurons), device=at.device))
        return self._lists[tiles[at], place], starts, shares

    def _within_reach(self, corner: Tensor) -> Tensor:
        """Indices of the samples that may count for a neuron of the tile with this first neuron, ascending."""
        beyond = (self.winners - corner).clamp(max=0).abs() + (self.winners - corner - (TILE - 1)).clamp(min=0)
        to_center = (self.winners - corner - (TILE - 1) / 2).square().sum(1).amin().sqrt()  # of the nearest sample
        nearest = float(to_center) + TILE / 2**0.5  # upper bound of each neuron's distance to its nearest sample
        return (beyond.square().sum(1) <= nearest**2 + REACH * self.sigma**2).nonzero().squeeze(1)
