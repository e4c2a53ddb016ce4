"""Readouts: a recalled value from a query's candidate neurons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from infant_env.errors import UserError

from .distances import Distance
from .modalities import Modalities

Readout = Literal["winner", "tiles", "local_linear"]
READOUTS: tuple[Readout, ...] = ("winner", "tiles", "local_linear")

MEAN_WIDTHS, FIT_WIDTHS = (0.18, 0.9), (0.35, 1.2)
"""Width of the candidates' Gaussian weights in a mean and in a fit: the lesser of these multiples of the candidates' mean
distance and of the winner's.

Larger ones make both more accurate on large smooth maps, and worse than the winner on small maps of noisy data.
"""
SPREAD_WIDTHS = (0.35, None)
"""The same for the spread: neurons count that are much farther away than the winner, because an ambiguous query fits several
parts of the map, and the winner fits it well."""
RIDGE, NOISE = 1e-3, 0.2
"""Ridge of the local linear fit: a share of the candidates' variance, and a share of the query's squared gap to its winner."""
TOGETHER = 2**23
"""Number of the candidates' weights that are read out together; 32 MB."""


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


@dataclass(frozen=True)
class Candidates:
    """The candidate neurons of the rows of a query.

    Attributes:
        features: features of the rows, shape (B, D).
        has: mask of each row's modalities, shape (B, M).
        distances: distances -A of the candidates, ascending, shape (B, K).
        neurons: their flat indices, shape (B, K).
    """

    features: Tensor
    has: Tensor
    distances: Tensor
    neurons: Tensor

    def parts(self, width: int) -> "list[Candidates]":
        """The same in parts whose weights fit into memory."""
        size = max(1, TOGETHER // (self.neurons.shape[1] * width))
        fields = (self.features, self.has, self.distances, self.neurons)
        return [Candidates(*part) for part in zip(*(field.split(size) for field in fields), strict=True)]


def check(readout: str, k: int) -> None:
    """Raises a UserError if the readout is unknown or the number of candidates is below 1."""
    if readout not in READOUTS:
        raise UserError(f"got readout={readout!r}, expected one of {list(READOUTS)}")
    if k < 1:
        raise UserError(f"got k={k} candidates, expected 1 or more")


def read_out(
    weights_at: Callable[[str, Tensor], Tensor],
    layout: Modalities,
    found: Candidates,
    wanted: str,
    readout: Readout,
    c: Mapping[str, float] | None,
) -> tuple[Tensor, Tensor]:
    """Reads one modality from candidates.

    Args:
        weights_at: a map's weights of a modality for some neurons.
        layout: the map's modalities.
        found: the candidates.
        wanted: the modality.
        readout: `local_linear`; any other is the weighted mean.
        c: influence of each modality on this query.

    Returns:
        Values (B, width) and spread (B,).
    """
    wanted_of = weights_at(wanted, found.neurons)  # (B, K, width)
    spread = weighted_spread(wanted_of, candidate_weights(found.distances, SPREAD_WIDTHS, layout.distance))
    if readout != "local_linear":
        return weighted_mean(wanted_of, candidate_weights(found.distances, MEAN_WIDTHS, layout.distance)), spread
    weights = candidate_weights(found.distances, FIT_WIDTHS, layout.distance)
    values = torch.empty_like(wanted_of[:, 0])
    influence = layout.influences(c)
    for rows, names in layout.patterns(found.has):
        voting = [name for name in names if influence[name] > 0]  # the fit uses voting modalities only
        dims, scales = (x.to(values.device) for x in (layout.columns(voting), layout.scales(voting, c)))
        scales = scales if layout.distance == "l1" else scales.sqrt()
        scales = scales / scales.amax()
        known = torch.cat([weights_at(name, found.neurons[rows]) for name in voting], 2) * scales
        values[rows] = local_linear(found.features[rows][:, dims] * scales, known, wanted_of[rows], weights[rows])
    return values, spread


def candidate_weights(distances: Tensor, widths: tuple[float, float | None], distance: Distance) -> Tensor:
    """Gaussian weights of candidates by their distance from the query; they sum to 1.

    Few neurons count for a query that lies on the map, and many for a noisy one that lies beside it.

    Args:
        distances: distances -A, ascending, shape (B, K).
        widths: standard deviation of the Gaussian: the lesser of the first as a multiple of the candidates' mean distance, and
            the second, if there is one, as a multiple of the winner's.
        distance: the map's distance; with "l2", the distances are squares.

    Returns:
        Shape (B, K).
    """
    lengths = distances if distance == "l1" else distances.sqrt()
    of_mean, of_winner = widths
    width = of_mean * lengths.mean(1, keepdim=True)
    if of_winner is not None:
        width = torch.minimum(width, of_winner * lengths[:, :1])
    return torch.softmax(-0.5 * (lengths / width.clamp(min=1e-12)) ** 2, 1)


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
    clamped to the range of the candidates. The ridge grows with the squared gap between the query and its nearest candidate.
    That gap is noise which no neuron explains: a linear fit from noisy features has its least error if the ridge is the noise's
    variance (errors in variables; Fuller, *Measurement Error Models*, 1987). So the fit follows a query that lies on the map,
    and approaches the candidates' mean for one that does not.

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
    variance = inputs.square().sum((1, 2)) / inputs.shape[2]  # (B,)
    noise = (known - query[:, None]).square().mean(2).amin(1)  # (B,)
    ridge = RIDGE * variance + NOISE * noise + 1e-12
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
