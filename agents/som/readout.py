"""How a map's candidates for a query become a recalled value."""

from dataclasses import dataclass

import torch
from torch import Tensor

BANDWIDTH = 0.35
"""Width of the Gaussian weights of the candidates, in mean distances of the candidates."""
RIDGE = 1e-3
"""Ridge of the local linear fit, as a share of the candidates' variance per known dimension."""


@dataclass(frozen=True)
class Recall:
    """What a map associates with the rows of a query.

    Attributes:
        values: wanted modality -> recalled features, shape (B, width).
        spread: wanted modality -> how much the candidates disagree: their weighted standard deviation, averaged over
            the dimensions, shape (B,). Large where the query is ambiguous.
        distance: distance -A between the query and its winner, shape (B,). Large where the map knows nothing alike.
        winners: flat index of the winner, shape (B,).
    """

    values: dict[str, Tensor]
    spread: dict[str, Tensor]
    distance: Tensor
    winners: Tensor


def candidate_weights(distances: Tensor) -> Tensor:
    """Gaussian weights of candidates by their distance from the query, (B, K) -> (B, K), summing to 1.

    The width follows the candidates: `BANDWIDTH` times their mean distance.
    """
    width = (BANDWIDTH * distances.mean(1, keepdim=True)).clamp(min=1e-12)
    return torch.softmax(-0.5 * (distances / width) ** 2, 1)


def weighted_mean(wanted: Tensor, weights: Tensor) -> Tensor:
    """Mean of the candidates' wanted features: (B, K, w) and (B, K) -> (B, w)."""
    return (weights[:, None] @ wanted).squeeze(1)


def weighted_spread(wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted standard deviation of the candidates, averaged over their dimensions: (B, K, w), (B, K) -> (B,)."""
    around = wanted - weighted_mean(wanted, weights)[:, None]
    return weighted_mean(around**2, weights).sqrt().mean(1)


def local_linear(query: Tensor, known: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """A linear fit through the candidates from known to wanted features, evaluated at the query.

    Weighted ridge regression around the weighted mean, solved in the smaller of the two spaces (dimensions or
    candidates), and clamped to the range of the candidates.

    Args:
        query: known features of the query, shape (B, d).
        known: the same features of the candidates, shape (B, K, d).
        wanted: wanted features of the candidates, shape (B, K, w).
        weights: weights of the candidates, shape (B, K), summing to 1.

    Returns:
        Shape (B, w).
    """
    center, level = weighted_mean(known, weights), weighted_mean(wanted, weights)
    root = weights.sqrt()[..., None]
    inputs, outputs = (known - center[:, None]) * root, (wanted - level[:, None]) * root  # (B, K, d), (B, K, w)
    ridge = RIDGE * inputs.square().sum((1, 2)) / inputs.shape[2] + 1e-12  # (B,)
    step = (query - center)[:, None]  # (B, 1, d)
    if inputs.shape[2] <= inputs.shape[1]:
        gram = inputs.mT @ inputs
        slope = torch.linalg.solve(_add_ridge(gram, ridge), inputs.mT @ outputs)  # (B, d, w)
        value = level + (step @ slope).squeeze(1)
    else:
        gram = inputs @ inputs.mT
        shares = torch.linalg.solve(_add_ridge(gram, ridge), (step @ inputs.mT).mT)  # (B, K, 1)
        value = level + (shares.mT @ outputs).squeeze(1)
    return torch.minimum(torch.maximum(value, wanted.amin(1)), wanted.amax(1))


def _add_ridge(gram: Tensor, ridge: Tensor) -> Tensor:
    return gram + ridge[:, None, None] * torch.eye(gram.shape[1], device=gram.device)
