"""Readouts: a recalled value from a query's candidate neurons."""

from dataclasses import dataclass

import torch
from torch import Tensor

BANDWIDTH = 0.35
"""Width of the candidates' Gaussian weights, as a multiple of their mean distance."""
RIDGE = 1e-3
"""Ridge of the local linear fit, as a multiple of the candidates' variance per known dimension."""


@dataclass(frozen=True)
class Recall:
    """What a map recalls for the rows of a query.

    Attributes:
        values: wanted modality -> recalled features, shape (B, width).
        spread: wanted modality -> weighted standard deviation of the candidates, averaged over the dimensions, shape (B,).
            It is large if the query is ambiguous.
        distance: distance -A between the query and its winner, shape (B,). It is large if the query is unlike all neurons.
        winners: flat index of the winner, shape (B,).
    """

    values: dict[str, Tensor]
    spread: dict[str, Tensor]
    distance: Tensor
    winners: Tensor


def candidate_weights(distances: Tensor) -> Tensor:
    """Gaussian weights of candidates by their distance from the query, (B, K) -> (B, K); they sum to 1.

    The Gaussian's width is `BANDWIDTH` times the candidates' mean distance.
    """
    width = (BANDWIDTH * distances.mean(1, keepdim=True)).clamp(min=1e-12)
    return torch.softmax(-0.5 * (distances / width) ** 2, 1)


def weighted_mean(wanted: Tensor, weights: Tensor) -> Tensor:
    """Mean of the candidates' wanted features: (B, K, w) and (B, K) -> (B, w)."""
    return (weights[:, None] @ wanted).squeeze(1)


def weighted_spread(wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted standard deviation of the candidates, averaged over their dimensions: (B, K, w), (B, K) -> (B,)."""
    deviations = wanted - weighted_mean(wanted, weights)[:, None]
    return weighted_mean(deviations**2, weights).sqrt().mean(1)


def local_linear(query: Tensor, known: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """A linear fit of the candidates' wanted features to their known features, evaluated at the query.

    This is weighted ridge regression around the weighted mean, solved in the smaller space (dimensions or candidates), and
    clamped to the range of the candidates.

    Args:
        query: known features of the query, shape (B, d).
        known: the same features of the candidates, shape (B, K, d).
        wanted: wanted features of the candidates, shape (B, K, w).
        weights: weights of the candidates, shape (B, K); they sum to 1.

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
