"""The paper's training rule, Eq. 2-5, exactly as printed but for one sign: the reference for everything faster.

Eq. 4 prints dw = (w - d) * lambda * mu; it must be subtracted, so that the step goes towards the data.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .modalities import Modalities, Samples, widths_of
from .neuron_distances import l1_distances
from .som import MultiModalSom
from .som_start import check_memory, check_shape, fingerprint, principal_plane, resumed

Neighborhood = Callable[[Tensor, float], Tensor]
"""Squared distances on the map (B, X*Y) and a radius in neurons -> mu of Eq. 4, 1 at the winner."""
Schedule = Callable[[float], float]
"""Share of the training done, from 0 to 1 -> a learning rate or a radius."""


def gaussian(squared: Tensor, sigma: float) -> Tensor:
    """mu = exp(-distance^2 / (2 sigma^2)), the usual neighborhood."""
    return torch.exp(squared * (-0.5 / sigma**2))


def exponential(squared: Tensor, sigma: float) -> Tensor:
    """mu = exp(-distance / sigma), "exponentially decaying" (paper) taken at its word."""
    return torch.exp(squared.sqrt() / -sigma)


def bubble(squared: Tensor, sigma: float) -> Tensor:
    """mu = 1 up to a distance of sigma, 0 beyond."""
    return (squared <= sigma**2).to(squared.dtype)


def falling(first: float, last: float) -> Schedule:
    """A schedule that falls from `first` to `last` by the same factor in equal times."""
    return lambda done: first * (last / first) ** done


@dataclass(frozen=True)
class LiteralProgress:
    """What `train_literal` reports after each epoch.

    Attributes:
        epoch: epochs done so far, from 1.
        epochs: epochs in all.
        sigma: radius of the neighborhood at the end of the epoch, in neurons.
        quantization_error: mean distance (-A of Eq. 3) between each sample and its winner when it was presented.
        state: everything that `train_literal(..., resume=state)` needs to go on from here; tensors only.
    """

    epoch: int
    epochs: int
    sigma: float
    quantization_error: float
    state: dict[str, Tensor]


def train_literal(
    samples: Samples,
    shape: tuple[int, int],
    c: Mapping[str, float] | None = None,
    epochs: int = 200,
    batch_size: int = 10,
    learning_rate: Schedule | None = None,
    sigma: Schedule | None = None,
    neighborhood: Neighborhood = gaussian,
    shuffle: bool = True,
    initial: Mapping[str, Tensor] | None = None,
    seed: int = 0,
    progress: Callable[[LiteralProgress], None] | None = None,
    resume: Mapping[str, Tensor] | None = None,
) -> MultiModalSom:
    """Train a map by Eq. 2-5, sample by sample or by mini-batches, with every neuron taking part in every step.

    The paper gives neither learning rate nor radius; the defaults are those that did best here. Eq. 5 divides a step by
    the batch, so large batches learn slowly.

    Args:
        samples: modality -> features, shape (N, width). A row that is NaN throughout a modality says that this sample
            lacks it: it neither votes for the winner nor updates there.
        shape: rows and columns of the map, (X, Y).
        c: influence c^(m) of each modality on the winner, 1 if not given.
        epochs: passes over the samples (paper: 200).
        batch_size: samples per update (paper: 1 for the plain SOM, 10 for the SOM-AE).
        learning_rate: lambda of Eq. 4 over the training; by default 1 throughout.
        sigma: radius in neurons; by default falling from .3 of the longer side to .5.
        neighborhood: mu of Eq. 4.
        shuffle: present the samples in a new order each epoch, else in their own.
        initial: modality -> weights to start from, shape (X, Y, width); by default the plane of the principal
            components.
        seed: seed of the initial map and of the order of samples.
        progress: called after each epoch.
        resume: the state of an earlier, equal call's progress report.

    Raises:
        ValueError: no samples, broken values, an unknown modality, a map larger than the memory, or a state of another
            training.
    """
    modalities = Modalities.of(widths_of(samples), c)
    features, has = modalities.stack(samples)
    check_shape(shape)
    check_memory(shape, modalities.width, features.device)
    sigma = sigma or falling(max(0.3 * max(shape), 0.5), 0.5)
    learning_rate = learning_rate or falling(1.0, 1.0)
    settings = [*shape, epochs, batch_size, float(shuffle), learning_rate(0.5), sigma(0.5), seed]
    identity = fingerprint(modalities, features, has, settings)
    if resume is not None:
        state = resumed(resume, identity, features.device)
        weights, done = state["weights"], int(state["epoch"])
    else:
        weights = _initial(modalities, features, has, shape, initial, seed)  # (X*Y, D)
        done = 0
    places = torch.cartesian_prod(torch.arange(shape[0]), torch.arange(shape[1])).to(features)  # (X*Y, 2)
    step = _Step(modalities, places, neighborhood)
    batches = math.ceil(len(features) / batch_size)
    for epoch in range(done, epochs):
        error, radius = 0.0, 0.0
        for number, rows in enumerate(_order(len(features), shuffle, seed, epoch).split(batch_size)):
            share = (epoch * batches + number) / (epochs * batches)
            radius = sigma(share)
            error += step(weights, features[rows], has[rows], learning_rate(share), radius)
        if progress is not None:
            state = {"weights": weights.clone(), "epoch": torch.tensor(epoch + 1), "training": identity}
            progress(LiteralProgress(epoch + 1, epochs, radius, error / len(features), state))
    return MultiModalSom(modalities.split(weights.view(*shape, -1)), modalities.c)


@dataclass(frozen=True)
class _Step:
    """One update of all weights by one batch, Eq. 2-5."""

    modalities: Modalities
    places: Tensor
    neighborhood: Neighborhood

    def __call__(self, weights: Tensor, features: Tensor, has: Tensor, rate: float, sigma: float) -> float:
        """Change the weights (X*Y, D) in place; returns the sum of the winners' distances before."""
        winners, distances = self._winners(weights, features, has)
        gaps = self.places[None] - self.places[winners][:, None]  # (B, X*Y, 2)
        mu = self.neighborhood((gaps**2).sum(2), sigma).T  # (X*Y, B)
        known = self.modalities.per_dimension(has).to(weights)  # (B, D)
        pull = mu @ (features * known)  # sum over the batch of mu d
        held = mu @ known  # sum over the batch of mu, where the sample has the modality
        weights -= (held * weights - pull) * (rate / len(features))
        return float(distances.sum())

    def _winners(self, weights: Tensor, features: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
        winners = torch.empty(len(features), dtype=torch.long, device=weights.device)
        distances = features.new_empty(len(features))
        for rows, names in self.modalities.patterns(has):
            groups = self.modalities.groups(names)
            found = l1_distances(features[rows], weights.T, groups).min(1)
            distances[rows], winners[rows] = found.values, found.indices
        return winners, distances


def _initial(
    modalities: Modalities,
    features: Tensor,
    has: Tensor,
    shape: tuple[int, int],
    initial: Mapping[str, Tensor] | None,
    seed: int,
) -> Tensor:
    if initial is None:
        weights = principal_plane(modalities, features, has, shape, seed)
    else:
        expected = {name: (*shape, width) for name, width in modalities.widths.items()}
        given = {name: tuple(rows.shape) for name, rows in initial.items()}
        if given != expected:
            raise ValueError(f"initial weights must have the shapes {expected}, got {given}")
        weights = torch.cat([initial[name].to(features) for name in modalities.widths], 2)
    return weights.reshape(shape[0] * shape[1], modalities.width).clone()


def _order(count: int, shuffle: bool, seed: int, epoch: int) -> Tensor:
    """The order of presentation; depends on seed and epoch alone, so that resuming needs no generator's state."""
    if not shuffle:
        return torch.arange(count)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(count, generator=generator)
