"""The search around a sample's last winner: after the first epochs, a winner moves by a few neurons at most."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..som.distances import Distance, cost

WINDOW = 2
"""How far a sample's winner may move per epoch, in neurons."""
TOGETHER = 4096
"""Number of samples that are searched together."""


def winners_around(
    winners: Tensor,
    shape: tuple[int, int],
    neurons_at: Callable[[Tensor], Tensor],
    features: Tensor,
    scales: Tensor,
    distance: Distance,
) -> tuple[Tensor, Tensor]:
    """The best neuron at most `WINDOW` away from each sample's last winner.

    Args:
        winners: the last winners, flat indices (N,).
        shape: rows and columns of the map.
        neurons_at: the weights of some neurons: flat indices (n, K) -> (n, K, D).
        features: the samples, shape (N, D).
        scales: the factor of each dimension in the distance -A of each sample, 0 where it is missing, shape (N, D).
        distance: how a gap between a feature and a weight counts.

    Returns:
        Flat indices and distances, (N,) each.
    """
    limit = winners.new_tensor(shape) - 1
    steps = torch.arange(-WINDOW, WINDOW + 1, device=winners.device)
    offsets = torch.cartesian_prod(steps, steps)  # (K, 2)
    found = []
    for rows in torch.arange(len(winners), device=winners.device).split(TOGETHER):
        places = torch.stack([winners[rows] // shape[1], winners[rows] % shape[1]], 1)
        places = torch.minimum((places[:, None] + offsets).clamp(min=0), limit)  # (n, K, 2)
        near = places[..., 0] * shape[1] + places[..., 1]
        gaps = cost(neurons_at(near) - features[rows, None], distance)  # (n, K, D)
        distances, best = (gaps @ scales[rows, :, None]).squeeze(2).min(1)
        found.append((near.gather(1, best[:, None]).squeeze(1), distances))
    return torch.cat([near for near, _ in found]), torch.cat([distances for _, distances in found])
