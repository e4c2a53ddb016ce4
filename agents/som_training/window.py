"""The search around a sample's last winner: after the first epochs, a winner moves by a few neurons at most."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..som.distances import Distance, cost
from ..som.grid import Grid

WINDOW = 2
"""How far a sample's winner may move per epoch, in neurons."""
TOGETHER = 4096
"""Number of samples that are searched together."""


def winners_around(
    winners: Tensor,
    grid: Grid,
    neurons_at: Callable[[Tensor], Tensor],
    features: Tensor,
    scales: Tensor,
    distance: Distance,
) -> tuple[Tensor, Tensor]:
    """The best neuron at most `WINDOW` away from each sample's last winner.

    Args:
        winners: the last winners, flat indices (N,).
        grid: the places of the neurons.
        neurons_at: the weights of some neurons: flat indices (n, K) -> (n, K, D).
        features: the samples, shape (N, D).
        scales: the factor of each dimension in the distance -A of each sample, 0 where it is missing, shape (N, D).
        distance: how a gap between a feature and a weight counts.

    Returns:
        Flat indices and distances, (N,) each.
    """
    steps = torch.arange(-WINDOW, WINDOW + 1, device=winners.device)
    down, across = torch.cartesian_prod(steps, steps).unbind(1)  # (K,)
    found = []
    for rows in torch.arange(len(winners), device=winners.device).split(TOGETHER):
        x, y = grid.split(winners[rows, None])
        near = grid.at(x + down, y + across)  # (n, K)
        gaps = cost(neurons_at(near) - features[rows, None], distance)  # (n, K, D)
        distances, best = (gaps @ scales[rows, :, None]).squeeze(2).min(1)
        found.append((near.gather(1, best[:, None]).squeeze(1), distances))
    return torch.cat([near for near, _ in found]), torch.cat([distances for _, distances in found])
