"""How good a map is, and pictures of it: errors, hits, U-matrix and component planes."""

import torch
from torch import Tensor

from infant_env.errors import UserError

from .modalities import Modalities, Samples
from .som import MultiModalSom

PAIRS = 2**18
"""Pairs of samples that are compared together; some 20 MB."""


def quantization_error(som: MultiModalSom, samples: Samples) -> float:
    """Mean distance (-A of Eq. 3) between samples and their winners; on unseen samples it tells learning from
    memorising."""
    return float(som.nearest(samples)[0].mean())


def topographic_error(som: MultiModalSom, samples: Samples) -> float:
    """Share of samples that lie on a fold of the map (Kiviluoto, 1996), see `on_fold`; 0 for a map without folds.

    A map of two dimensions has to fold through samples of more, so that a good large map has some.
    """
    return float(on_fold(som, samples).float().mean())


def on_fold(som: MultiModalSom, samples: Samples) -> Tensor:
    """Which samples have their second best neuron elsewhere on the map than around their winner, shape (N,), bool.

    Around the winner are eight neurons, fewer at the border. Where several neurons are second best, one of them around
    the winner is enough.

    Raises:
        UserError: the map has one neuron only; and see `MultiModalSom.winners`.
    """
    winner, second = som.two_nearest(samples).split(1, dim=1)  # (N, 1)
    around = _around(winner, som.shape)
    distances = _distances(som, samples, torch.cat([second, around], 1))
    return distances[:, 1:].masked_fill(around == winner, torch.inf).amin(1) > distances[:, 0]


def trustworthiness(som: MultiModalSom, samples: Samples, k: int = 10) -> float:
    """How far samples that the map puts side by side are alike: rank-based, 1 is perfect, about .5 is chance.

    Of each sample's k nearest on the map, those that are not among its k nearest in the data count by how much they miss
    that rank (Venna and Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN 2001). In the data,
    near is -A of Eq. 3 with the map's weights c; on the map it is the distance between the winners' places. A grid has
    many equal distances: where they leave open who is among the k nearest, each candidate counts by its chance, so the
    order of the samples does not matter. Of equally distant samples in the data the first ranks first.

    Args:
        som: the map.
        samples: modality -> features, shape (N, width). All must know the same modalities, else their distances are not
            comparable; a modality that none of them knows may be left out.
        k: how many neighbors of each sample are looked at, below N / 2.

    Raises:
        UserError: too few samples for k, or some know other modalities than others; and see `MultiModalSom.winners`.
    """
    features, scales = _scaled(som, samples)
    count = len(features)
    if not 1 <= k < count / 2:
        raise UserError(f"got k={k} neighbors among {count} samples, expected at least 1 and below half the samples")
    others = (scales != scales[0]).any(1).nonzero()
    if len(others):
        raise UserError(
            f"sample {int(others[0])} knows other modalities than sample 0, so that distances to it are not comparable; "
            "leave such samples out, or the modality that some of them lack"
        )
    winners = som.winners(samples)
    places = torch.stack([winners // som.shape[1], winners % som.shape[1]]).float()  # (2, N), squares are exact
    chunks = torch.arange(count, device=som.device).split(max(1, PAIRS // count))
    missed = sum(_missed_ranks(rows, features * scales, places, k) for rows in chunks)
    return 1 - 2 * missed / (count * k * (2 * count - 3 * k - 1))


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
        UserError: a winner lies outside the map.
    """
    rows, columns = shape
    if winners.numel() and not 0 <= winners.min() <= winners.max() < rows * columns:
        raise UserError(
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
        UserError: the map does not know the modality.
    """
    return som.weights(modality).T.reshape(-1, *som.shape)


def _scaled(som: MultiModalSom, samples: Samples) -> tuple[Tensor, Tensor]:
    """Samples side by side, and the factor of each of their dimensions in -A of Eq. 3, both (N, D)."""
    layout = Modalities.of(som.modalities, som.c)
    features, has = layout.stack({name: rows.to(som.device) for name, rows in samples.items()})
    return features, layout.row_scales(has)


def _distances(som: MultiModalSom, samples: Samples, neurons: Tensor) -> Tensor:
    """Distance (-A of Eq. 3) of each sample to some neurons, (N, K); dimension by dimension, so that equal neurons are
    equally far to the last bit."""
    features, scales = _scaled(som, samples)
    weights = torch.cat([som.weights(name) for name in som.modalities], 1)  # (X*Y, D)
    total = features.new_zeros(neurons.shape)
    for dim in range(weights.shape[1]):
        total += (weights[neurons, dim] - features[:, dim, None]).abs() * scales[:, dim, None]
    return total


def _around(neurons: Tensor, shape: tuple[int, int]) -> Tensor:
    """The neurons of the 3x3 square around each neuron, (N, 1) -> (N, 9); at the border some come twice."""
    rows, columns = shape
    steps = torch.arange(-1, 2, device=neurons.device)
    x, y = (neurons // columns + steps).clamp(0, rows - 1), (neurons % columns + steps).clamp(0, columns - 1)
    return (x[:, :, None] * columns + y[:, None]).flatten(1)


def _missed_ranks(rows: Tensor, features: Tensor, places: Tensor, k: int) -> float:
    """By how many ranks the k nearest on the map of some samples miss being among their k nearest in the data."""
    at = torch.arange(len(rows), device=rows.device)
    apart = torch.cdist(features[rows], features, p=1)  # (B, N), in the data
    far = (places[:, rows, None] - places[:, None]).square().sum(0)  # (B, N), on the map
    for distances in (apart, far):
        distances[at, rows] = torch.inf  # nobody is a neighbor of oneself
    order = apart.argsort(dim=1, stable=True)
    ranks = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1], device=at.device).expand_as(order))
    limit = far.kthvalue(k, dim=1, keepdim=True).values
    inside, edge = far < limit, far == limit
    chance = (k - inside.sum(1, keepdim=True)) / edge.sum(1, keepdim=True)  # of each at the edge, to be among the k
    return float(((inside + edge * chance) * (ranks + 1 - k).clamp(min=0)).sum(dtype=torch.float64))
