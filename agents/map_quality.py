"""How good a map is, and pictures of it: errors, hits, U-matrix and component planes."""

import torch
from torch import Tensor

from .modalities import Samples
from .som import MultiModalSom


def quantization_error(som: MultiModalSom, samples: Samples) -> float:
    """Mean distance (-A of Eq. 3) between samples and their winners; on unseen samples it tells learning from
    memorising."""
    return float(som.nearest(samples)[0].mean())


def topographic_error(som: MultiModalSom, samples: Samples) -> float:
    """Share of samples whose second best neuron is not one of the eight around the winner; 0 for a map without folds.

    A map of two dimensions has to fold through samples of more, so that a good large map has some.
    """
    best, second = som.two_nearest(samples).unbind(1)
    columns = som.shape[1]
    steps = torch.stack([best // columns - second // columns, best % columns - second % columns])
    return float((steps.abs().amax(0) > 1).float().mean())


def hit_histogram(winners: Tensor, shape: tuple[int, int]) -> Tensor:
    """How often each neuron won.

    A trained map that uses its neurons evenly has no zeros and no peaks; 53 neurons per sample (paper) leave most at
    zero.

    Args:
        winners: flat index of every sample's winner, shape (N,), int64.
        shape: rows and columns of the map, (X, Y).

    Returns:
        Counts, shape (X, Y), int64; they sum to N.

    Raises:
        ValueError: a winner lies outside the map.
    """
    rows, columns = shape
    if winners.numel() and not 0 <= winners.min() <= winners.max() < rows * columns:
        raise ValueError(
            f"winners span {int(winners.min())}..{int(winners.max())}, but a {rows}x{columns} map has "
            f"neurons 0..{rows * columns - 1}; were they found on another map?"
        )
    return torch.bincount(winners, minlength=rows * columns).view(rows, columns)  # (X, Y)


def u_matrix(som: MultiModalSom) -> Tensor:
    """Mean distance (-A of Eq. 3) of each neuron to its direct neighbors, shape (X, Y): ridges are the map's folds."""
    rows, columns = som.shape
    total = torch.zeros((rows, columns), device=som.device)
    count = torch.zeros_like(total)
    scale = sum(som.c.values())
    for name, width in som.modalities.items():
        weights = som.weights(name).view(rows, columns, width)
        factor = som.c[name] / width / scale
        for axis in (0, 1):
            gaps = weights.diff(dim=axis).abs().sum(2) * factor
            low, high = (total.narrow(axis, start, total.shape[axis] - 1) for start in (0, 1))
            low += gaps
            high += gaps
    for axis in (0, 1):
        count.narrow(axis, 0, count.shape[axis] - 1).add_(1)
        count.narrow(axis, 1, count.shape[axis] - 1).add_(1)
    return total / count.clamp(min=1)


def component_planes(som: MultiModalSom, modality: str) -> Tensor:
    """What each neuron holds in each dimension of a modality, shape (width, X, Y).

    Raises:
        ValueError: the map does not know the modality.
    """
    return som.weights(modality).T.reshape(-1, *som.shape)
