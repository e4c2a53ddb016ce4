"""The paper's training rule, Eq. 2-5, as printed except for one sign: the reference for everything faster.

Eq. 4 prints dw = (w - d) * lambda * mu; here it is subtracted, so that the step goes toward the data. To save time, the code
skips neurons that cannot win and neurons whose mu is 0; this does not change the result.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..som.distances import Distance
from ..som.grid import Grid, Topology
from ..som.modalities import Modalities
from ..som.samples import Samples, checked_shape, tensors, widths_of
from ..som.som import MultiModalSom
from .neighborhoods import Neighborhood, Schedule, checked, falling, gaussian
from .start import check_memory, fingerprint, principal_plane, resumed
from .tiled_map import TiledMap


@dataclass(frozen=True)
class LiteralProgress:
    """The report of `train_literal` after each epoch.

    Attributes:
        epoch: epochs done so far, from 1.
        epochs: total number of epochs.
        sigma: radius of the neighborhood at the end of the epoch, in neurons.
        quantization_error: mean distance (-A of Eq. 3) between each sample and its winner when it was presented.
        state: all that `train_literal(..., resume=state)` needs to continue from here; only tensors.
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
    learning_rate: Schedule | float | None = None,
    sigma: Schedule | float | None = None,
    neighborhood: Neighborhood | Callable[[Tensor, float], Tensor] = gaussian,
    shuffle: bool = True,
    initial: Samples | None = None,
    seed: int = 0,
    progress: Callable[[LiteralProgress], None] | None = None,
    resume: Mapping[str, Tensor] | None = None,
    distance: Distance = "l1",
    topology: Topology = "plane",
) -> MultiModalSom:
    """Trains a map by Eq. 2-5, sample by sample or by mini-batches.

    The paper gives neither learning rate nor radius; the defaults gave the best results here. Eq. 5 divides a step by the
    batch size, so large batches learn slowly.

    Args:
        samples: modality -> features, shape (N, width). A row with only NaN means that the sample lacks the modality: then
            the modality neither votes for the sample's winner nor learns from the sample.
        shape: rows and columns of the map, (X, Y).
        c: influence c^(m) of each modality on the winner, by default 1.
        epochs: passes over the samples (paper: 200).
        batch_size: samples per update (paper: 1 for the plain SOM, 10 for the SOM-AE).
        learning_rate: lambda of Eq. 4 over the training, or a constant; by default 1.
        sigma: radius in neurons over the training, or a constant; by default it falls from .3 of the longer side to .5.
        neighborhood: mu of Eq. 4: one of `neighborhoods`, or any elementwise function of squared distances on the map and
            sigma.
        shuffle: whether each epoch presents the samples in a new random order.
        initial: modality -> initial weights, shape (X, Y, width); by default the plane of the principal components.
        seed: seed of the initial map and of the order of samples.
        progress: called after each epoch.
        resume: the state from a progress report of an earlier call with equal arguments.
        distance: how a gap between a feature and a weight counts, see `MultiModalSom`.
        topology: "plane", "torus" or "hexagonal", see `Grid`.

    Raises:
        UserError: there are no samples, broken values, an unknown modality or a sample whose modalities all have influence
            0; an argument is out of its range; the map is larger than the memory; the state belongs to another training; or
            the weights diverge because the learning rate is too large.
    """
    grid = Grid(checked_shape(shape), topology)
    shape = grid.shape
    given = tensors(samples)
    modalities = Modalities.of(widths_of(given), c, distance)
    features, has = modalities.stack(given)
    check_memory(shape, modalities.width, features.device, len(features))
    _check(epochs, batch_size, seed)
    if not isinstance(neighborhood, Neighborhood):
        neighborhood = Neighborhood(neighborhood)
    sigma = checked("sigma", falling(max(0.3 * max(shape), 0.5), 0.5) if sigma is None else sigma)
    learning_rate = checked("learning_rate", 1.0 if learning_rate is None else learning_rate)
    settings = [*shape, epochs, batch_size, float(shuffle), learning_rate(0.5), sigma(0.5), seed]
    settings += [grid.number] if grid.number else []
    identity = fingerprint(modalities, features, has, settings)
    if resume is not None:
        state = resumed(resume, identity, features.device)
        weights, done = state["weights"], int(state["epoch"])
    else:
        weights = _initial(modalities, features, has, grid, initial, seed)  # (X*Y, D)
        done = 0
    tiled = TiledMap(weights, shape, [modalities.slice(name) for name in modalities.widths], distance, topology)
    factors, known = factors_of(modalities, has), has.to(features)
    batches = math.ceil(len(features) / batch_size)
    for epoch in range(done, epochs):
        error, radius = 0.0, 0.0
        for number, rows in enumerate(_order(len(features), shuffle, seed, epoch).split(batch_size)):
            share = (epoch * batches + number) / (epochs * batches)
            radius, batch = sigma(share), features[rows]
            winners, distances = tiled.winners(batch, factors[rows])
            error += _checked_sum(distances)
            tiled.step(winners, batch, known[rows], learning_rate(share), neighborhood, radius)
        if progress is not None:
            state = {"weights": tiled.flat(), "epoch": torch.tensor(epoch + 1), "training": identity}
            progress(LiteralProgress(epoch + 1, epochs, radius, error / len(features), state))
    return MultiModalSom(modalities.split(tiled.flat().view(*shape, -1)), modalities.c, distance, topology)


def _check(epochs: int, batch_size: int, seed: int) -> None:
    """Raises a UserError if a whole number is out of its range."""
    for name, value, least in (("epochs", epochs, 0), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or not least <= value < 2**43:  # a seed is multiplied by about 2^20
            raise UserError(f"got {name}={value!r}, expected a whole number from {least} to 2^43 - 1")


def factors_of(modalities: Modalities, has: Tensor) -> Tensor:
    """c_m / n_m / sum(c) of Eq. 2-3, with the sum over a sample's own modalities; 0 for missing ones, (N, D)."""
    factors = torch.zeros((len(has), modalities.width), device=has.device)
    for rows, names in modalities.patterns(has):
        factors[rows[:, None], modalities.columns(names).to(has.device)] = modalities.scales(names).to(has.device)
    return factors


def _checked_sum(distances: Tensor) -> float:
    """The sum of the winners' distances; raises a UserError if the weights have diverged."""
    total = float(distances.sum())
    if not math.isfinite(total):
        raise UserError(
            "the weights have grown beyond float32: either samples or initial weights are huge, or the learning rate is above "
            "2, which moves a winner away from its sample; scale the samples, or choose a rate of 1 or less"
        )
    return total


def _initial(
    modalities: Modalities,
    features: Tensor,
    has: Tensor,
    grid: Grid,
    initial: Samples | None,
    seed: int,
) -> Tensor:
    if initial is None:
        weights = principal_plane(modalities, features, has, grid, seed)
    else:
        expected = {name: (*grid.shape, width) for name, width in modalities.widths.items()}
        start = tensors(initial, features.device)
        given = {name: tuple(rows.shape) for name, rows in start.items()}
        if given != expected:
            raise UserError(f"got initial weights of shapes {given}, expected {expected}")
        weights = torch.cat([start[name] for name in modalities.widths], 2)
    return weights.reshape(-1, modalities.width).clone()


def _order(count: int, shuffle: bool, seed: int, epoch: int) -> Tensor:
    """The order of the samples in an epoch; it depends only on seed and epoch, so `resume` needs no generator state."""
    if not shuffle:
        return torch.arange(count)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(count, generator=generator)
