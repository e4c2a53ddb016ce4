"""Quality measures and pictures of a map: errors, hits, U-matrix and component planes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError

from .distances import cost
from .grid import Grid
from .modalities import Modalities
from .samples import Samples
from .som import MultiModalSom

Gap = Callable[[Tensor, Tensor], Tensor]
"""Weights of two neurons, (..., width) each -> their distance, (...)."""
_EVEN = 1e-4  # relative tolerance; with it, an evenly stretched map remembers all its neurons
PAIRS = 2**18
"""Number of pairs of samples that are compared together; about 20 MB."""


def quantization_error(som: MultiModalSom, samples: Samples) -> float:
    """Mean distance (-A of Eq. 3) between samples and their winners; measure it on unseen samples to detect overfitting."""
    return float(som.nearest(samples)[0].mean())


def topographic_error(som: MultiModalSom, samples: Samples) -> float:
    """Share of samples that lie on a fold of the map (Kiviluoto, 1996), see `on_fold`; 0 for a map without folds.

    A map has two dimensions and must fold through samples that have more, so even a good large map has folds.
    """
    return float(on_fold(som, samples).float().mean())


def on_fold(som: MultiModalSom, samples: Samples) -> Tensor:
    """Whether the second best neuron of each sample is not a neighbor of its winner, shape (N,), bool.

    A winner has eight neighbors, on a hexagonal map six, and fewer at an edge. If several neurons are second best, it is
    enough that one of them is a neighbor.

    Raises:
        UserError: the map has only one neuron; and see `MultiModalSom.winners`.
    """
    winner, second = som.two_nearest(samples).split(1, dim=1)  # (N, 1)
    neighbors = som.grid.neighbors(winner.squeeze(1))
    distances = _distances(som, samples, torch.cat([second, neighbors], 1))
    return distances[:, 1:].masked_fill(neighbors == winner, torch.inf).amin(1) > distances[:, 0]


def trustworthiness(som: MultiModalSom, samples: Samples, k: int = 10) -> float:
    """Whether neighbors on the map are also neighbors in the data: rank-based, 1 is perfect, about .5 is chance.

    For each sample, take its k nearest samples on the map. Each one that is not among its k nearest in the data counts by
    how far its rank in the data exceeds k (Venna and Kaski, "Neighborhood preservation in nonlinear projection methods",
    ICANN 2001). The distance in the data is -A of Eq. 3 with the map's weights c; on the map it is the distance between the
    winners' places. A grid has many equal distances. If these leave open which samples are among the k nearest, each
    candidate counts by its chance, so the order of the samples does not matter. Among equal distances in the data, the first
    sample ranks first.

    Args:
        som: the map.
        samples: modality -> features, shape (N, width). All samples must have the same modalities, because otherwise their
            distances are not comparable; omit a modality that none of them has.
        k: number of neighbors of each sample, below N / 2.

    Raises:
        UserError: there are too few samples for k, or their modalities differ; and see `MultiModalSom.winners`.
    """
    features, scales = _scaled(som, samples)
    count = len(features)
    if not 1 <= k < count / 2:
        raise UserError(f"got k={k} neighbors among {count} samples, expected at least 1 and below half the samples")
    others = (scales != scales[0]).any(1).nonzero()
    if len(others):
        raise UserError(
            f"sample {int(others[0])} has other modalities than sample 0, expected the same for all, because distances are "
            "not comparable otherwise; leave such samples out, or the modality that some of them lack"
        )
    winners = som.winners(samples)
    chunks = torch.arange(count, device=som.device).split(max(1, PAIRS // count))
    scaled, p = (features * scales, 1.0) if som.distance == "l1" else (features * scales.sqrt(), 2.0)
    missed = sum(_missed_ranks(rows, scaled, winners, som.grid, k, p) for rows in chunks)
    return 1 - 2 * missed / (count * k * (2 * count - 3 * k - 1))


def hit_histogram(winners: Tensor, shape: tuple[int, int]) -> Tensor:
    """How often each neuron won.

    A trained map that uses its neurons evenly has no zeros and no peaks. With 53 neurons per sample (paper), most are zero.

    Args:
        winners: flat index of every sample's winner, shape (N,), int64.
        shape: rows and columns of the map, (X, Y).

    Returns:
        Counts, shape (X, Y), int64; they sum to N.

    Raises:
        UserError: a winner lies outside the map.
    """
    rows, columns = shape
    if winners.numel() and not 0 <= winners.min() <= winners.max() < rows * columns:
        raise UserError(
            f"got winners {int(winners.min())}..{int(winners.max())}, expected neurons 0..{rows * columns - 1} of a "
            f"{rows}x{columns} map; take the winners of this map"
        )
    return torch.bincount(winners, minlength=rows * columns).view(rows, columns)  # (X, Y)


def u_matrix(som: MultiModalSom) -> Tensor:
    """Mean distance (-A of Eq. 3) between each neuron and its direct neighbors, shape (X, Y); folds appear as ridges.

    A neuron has four direct neighbors, on a hexagonal map six, and fewer at an edge.
    """
    scale = sum(som.c.values())

    def gap_of(name: str) -> Gap:
        factor = som.c[name] / som.modalities[name] / scale
        return lambda first, second: cost(second - first, som.distance).sum(2) * factor

    return mean_gaps(som.grid, [(som.weights(name), gap_of(name)) for name in som.modalities])


def mean_gaps(grid: Grid, parts: Sequence[tuple[Tensor, Gap]]) -> Tensor:
    """The mean gap between each neuron and its direct neighbors, the sum of some parts, shape (X, Y).

    Args:
        grid: the places of the neurons.
        parts: weights of all neurons, (X*Y, width), and the gap between two neurons: (..., width) twice -> (...).
    """
    total, count = parts[0][0].new_zeros((2, *grid.shape))
    for weights, gap in parts:
        planes = weights.view(*grid.shape, -1)
        for first, second in grid.pairs():
            gaps = gap(planes[first], planes[second])
            total[first] += gaps
            total[second] += gaps
    for pair in grid.pairs():
        for one in pair:
            count[one] += 1
    return total / count.clamp(min=1)


def remembered_neurons(som: MultiModalSom) -> Tensor:
    """The neurons that stand for the samples of the training: those most like their neighbors, flat indices (M,).

    A map keeps no samples, but its weights show where they were: neurons are close to each other around each sample's winner,
    and far apart between samples. On a map with many neurons per sample, M is about the number of samples.
    """
    return least_stretched(u_matrix(som), som.grid).flatten().nonzero().squeeze(1)


def least_stretched(stretch: Tensor, grid: Grid) -> Tensor:
    """Mask of the neurons that are closer to their neighbors than these are to theirs, from these distances, (X, Y)."""
    if grid.topology == "hexagonal":
        least = stretch.clone()
        for pair in grid.pairs():
            for here, there in (pair, pair[::-1]):
                least[here] = torch.minimum(least[here], stretch[there])
    else:
        around = grid.with_margin(stretch[None], torch.inf)
        least = -functional.max_pool2d(-around, 3, stride=1)[0]
    return stretch <= least * (1 + _EVEN)


def component_planes(som: MultiModalSom, modality: str) -> Tensor:
    """The weights of all neurons for each dimension of a modality, shape (width, X, Y).

    Raises:
        UserError: the map lacks the modality.
    """
    return som.weights(modality).T.reshape(-1, *som.shape)


def _scaled(som: MultiModalSom, samples: Samples) -> tuple[Tensor, Tensor]:
    """Concatenated features of samples, and the factor of each dimension in -A of Eq. 3, both (N, D)."""
    layout = Modalities.of(som.modalities, som.c, som.distance)
    features, has = layout.stack(samples, som.device)
    return features, layout.row_scales(has)


def _distances(som: MultiModalSom, samples: Samples, neurons: Tensor) -> Tensor:
    """Distance (-A of Eq. 3) between each sample and its K neurons, (N, K).

    It is summed dimension by dimension, so equal neurons have the same distance to the last bit.
    """
    features, scales = _scaled(som, samples)
    weights = torch.cat([som.weights(name) for name in som.modalities], 1)  # (X*Y, D)
    total = features.new_zeros(neurons.shape)
    for dim in range(weights.shape[1]):
        total += cost(weights[neurons, dim] - features[:, dim, None], som.distance) * scales[:, dim, None]
    return total


def _missed_ranks(rows: Tensor, features: Tensor, winners: Tensor, grid: Grid, k: int, p: float) -> float:
    """Sum over some samples' k nearest on the map: by how many ranks they exceed rank k in the data, by the Lp distance."""
    at = torch.arange(len(rows), device=rows.device)
    in_data = torch.cdist(features[rows], features, p=p, compute_mode="donot_use_mm_for_euclid_dist")  # (B, N)
    on_map = grid.squared_distances(winners[rows, None], winners).float()  # (B, N), exact
    for distances in (in_data, on_map):
        distances[at, rows] = torch.inf  # a sample is not its own neighbor
    order = in_data.argsort(dim=1, stable=True)
    ranks = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1], device=at.device).expand_as(order))
    limit = on_map.kthvalue(k, dim=1, keepdim=True).values
    inside, edge = on_map < limit, on_map == limit
    chance = (k - inside.sum(1, keepdim=True)) / edge.sum(1, keepdim=True)  # that a sample at the edge is among the k
    return float(((inside + edge * chance) * (ranks + 1 - k).clamp(min=0)).sum(dtype=torch.float64))
