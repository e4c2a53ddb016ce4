"""Training of a map: `train`, coarse to fine in seconds, and `train_literal`, the paper's rule as printed.

The fast schedule starts with a map of about 25x25 neurons in the plane of the two principal components and doubles it
until it has the wanted shape; a map of up to 1,024 neurons starts at its full size. Each epoch replaces every neuron by a
mean of the samples, weighted by a Gaussian of the distance between the neuron and the sample's winner (the batch rule).
After the coarsest level, a sample's winner moves by at most two neurons per epoch, so no epoch searches the whole map.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..som.distances import Distance, cost, nearest_of_all
from ..som.grid import Grid, Topology
from ..som.modalities import Modalities
from ..som.samples import Samples, checked_shape, tensors, widths_of
from ..som.som import MultiModalSom
from ..tools.processes import FixedPoint, Processes
from .literal import LiteralProgress, train_literal
from .neighborhoods import bubble, exponential, falling, gaussian
from .schedule import COARSEST_SIDE, Epoch, enlarged, enlarged_places, geometric, schedule, sigma_for, smooth
from .start import check_memory, check_same, checked_epochs, checked_sigma, fingerprint, principal_plane, resumed
from .window import winners_around

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

__all__ = [
    "LiteralProgress",
    "TrainingProgress",
    "bubble",
    "exponential",
    "falling",
    "gaussian",
    "schedule",
    "sigma_for",
    "smooth",
    "train",
    "train_literal",
]

PLANE_SAMPLES = 4096
"""The initial plane is computed from at most this many samples, evenly spaced."""
FULL_SIDE = 16
"""Up to the square of this many neurons, all absolute gaps are cheaper than those to neurons around the last winners."""
QUICK_STEPS = 8
"""Steps towards the principal axes of small maps: many epochs follow."""
PLANES = 2**20
"""Number of sums that are updated together, 8 dimensions at least; a compromise between speed and memory."""
LEAST_WEIGHT = 1e-30
"""A neuron keeps its old weights if its neighborhood weights sum to less than this."""


@dataclass(frozen=True)
class TrainingProgress:
    """The report of `train` after each epoch.

    Attributes:
        epoch: epochs done so far, from 1.
        epochs: total number of epochs.
        shape: shape of the map in this epoch; it grows.
        sigma: radius of the neighborhood in neurons.
        quantization_error: mean distance (-A of Eq. 3) between the samples and their winners before the update.
        state: all that `train(..., resume=state)` needs to continue from here; only tensors, fit for safetensors.
    """

    epoch: int
    epochs: int
    shape: tuple[int, int]
    sigma: float
    quantization_error: float
    state: dict[str, Tensor]


def train(
    samples: Samples,
    shape: tuple[int, int] = (800, 800),
    c: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[TrainingProgress], None] | None = None,
    last_sigma: float | None = None,
    resume: Mapping[str, Tensor] | None = None,
    group: "ProcessGroup | None" = None,
    distance: Distance = "l1",
    epochs: int | None = None,
    initial: MultiModalSom | None = None,
    first_sigma: float | None = None,
    topology: Topology = "plane",
) -> MultiModalSom:
    """Trains a map coarse to fine with the batch rule, on the device of the samples.

    It reaches the quality of the literal rule (Eq. 2-5) or better in a small part of its time. Equal arguments give equal
    bytes on the CPU. Two arguments trade quality of one kind for another: `last_sigma` (smaller: the map follows the samples
    more closely, larger: it has fewer folds) and `epochs` (more: both, for more time).

    Args:
        samples: modality -> features, shape (N, width). Scale them to a similar spread first (latents z-scored, joints
            to [0, 1]). A row with only NaN means that the sample lacks the modality: then the modality neither votes for
            the sample's winner nor learns from the sample.
        shape: rows and columns of the map, (X, Y).
        c: influence c^(m) of each modality on the winner, by default 1.
        seed: seed of the random tilt of the initial plane.
        progress: called after each epoch.
        last_sigma: radius of the last epoch in neurons; the default depends on the neurons per sample, see `sigma_for`.
        resume: the state from a progress report of an earlier call with equal arguments.
        group: processes (torch.distributed, gloo or nccl) that train one map together. Then `samples` is the share of this
            process, in the order of the ranks. Each process gets the same map; it has the same bytes as the map of one
            process with all samples, on the same kind of device and with the same number of threads.
        distance: how a gap between a feature and a weight counts, see `MultiModalSom`. On maps up to about 250x250, the first
            epochs find winners by Euclid's distance in any case: that is faster, and no worse.
        epochs: passes over the samples at the map's full size; by default 16 up to 32x32, 8 up to about 250x250, then 3 or more.
        initial: a map to start from, at its full size: the training goes on from it with new samples. It forgets what the new
            samples do not show; see `OnlineSom` for a map that does not.
        first_sigma: radius of the first epoch from an initial map; by default three times the last one.
        topology: "plane", "torus" (opposite edges are joined) or "hexagonal" (six neighbors), see `Grid`; from an initial map,
            its own.

    Raises:
        UserError: there are no samples, broken values or an unknown modality in `c`, an argument is out of its range, the map
            is larger than the memory, or the state belongs to another training.
    """
    shape, given = Grid(checked_shape(initial.shape if initial else shape), topology).shape, tensors(samples)
    widths = widths_of(given)
    if initial is not None:
        c, distance, topology = initial.c if c is None else c, initial.distance, initial.topology
        check_same(widths, initial.modalities)
    layout = Modalities.of(widths, c, distance)
    first = next(iter(given.values()))
    check_memory(shape, layout.width, first.device, len(first))
    count = int(Processes(group).total(torch.tensor(len(first), device=first.device)))
    sigma = sigma_for(shape, count) if last_sigma is None else checked_sigma("last_sigma", last_sigma)
    if initial is None:
        plan = schedule(shape, sigma, checked_epochs(epochs))
    else:
        widest = 3 * sigma if first_sigma is None else checked_sigma("first_sigma", first_sigma)
        plan = [Epoch(shape, radius) for radius in geometric(max(widest, sigma), sigma, checked_epochs(epochs) or 4)]
    training = CoarseToFine(given, plan, layout, seed, resume, group, initial, topology)
    training.run(progress)
    return training.som()


class CoarseToFine:
    """One training of `train`, epoch by epoch.

    Attributes:
        weights: the present map, dimension by dimension, (D, X, Y).
        winners: row and column of each sample's winner, (N, 2).
        epoch: number of epochs done.
        reports: whether the quantization error of each epoch is wanted.
    """

    reports = True

    def __init__(
        self,
        samples: Samples,
        plan: list[Epoch],
        modalities: Modalities,
        seed: int = 0,
        resume: Mapping[str, Tensor] | None = None,
        group: "ProcessGroup | None" = None,
        initial: MultiModalSom | None = None,
        topology: Topology = "plane",
    ) -> None:
        """Starts from the initial map or plane, or from the state in `resume`; see `train` for the arguments."""
        self.modalities = modalities
        self.features, self.has = modalities.stack(samples)
        self.plan, self.topology = plan, topology
        settings = [*plan[-1].shape, plan[-1].sigma, len(plan), seed]
        settings += [Grid(plan[-1].shape, topology).number] if topology != "plane" else []
        self.identity = fingerprint(self.modalities, self.features, self.has, settings)
        self.scales = self.modalities.row_scales(self.has)  # (N, D)
        self.processes = Processes(group)
        self.fixed = FixedPoint(self.features, self.processes)
        self.complete = bool(self.processes.largest((~self.has).any().long()) == 0)
        self.voters = list(self._voters())
        if resume is not None:
            state = resumed(resume, self.identity, self.features.device)
            self.weights, self.winners, self.epoch = state["weights"], state["winners"], int(state["epoch"])
            return
        self.epoch = 0
        self.winners = self.features.new_zeros((len(self.features), 2), dtype=torch.long)
        if initial is not None:
            weights = torch.cat([initial.weights(name) for name in modalities.widths], 1).to(self.features)
            self.weights = weights.T.reshape(-1, *initial.shape)
            return
        subset, known = self.processes.gathered_evenly([self.features, self.has], PLANE_SAMPLES)
        steps = QUICK_STEPS if plan[0].quick else 30
        weights = principal_plane(self.modalities, subset, known, Grid(plan[0].shape, topology), seed, steps)
        self.weights = weights.permute(2, 0, 1).contiguous()

    @property
    def grid(self) -> Grid:
        """The places of the present map's neurons."""
        return Grid((self.weights.shape[1], self.weights.shape[2]), self.topology)

    def run(self, progress: Callable[[TrainingProgress], None] | None = None) -> None:
        """Runs all remaining epochs."""
        self.reports = progress is not None or self.processes.group is not None  # another process may report
        while self.epoch < len(self.plan):
            error = self.step()
            if progress is not None:
                epoch = self.plan[self.epoch - 1]
                progress(TrainingProgress(self.epoch, len(self.plan), epoch.shape, epoch.sigma, error, self.state()))

    def state(self) -> dict[str, Tensor]:
        """The state for `resume`, only tensors."""
        epoch = torch.tensor(self.epoch)
        return {"weights": self.weights, "winners": self.winners, "epoch": epoch, "training": self.identity}

    def step(self) -> float:
        """Runs one epoch and returns the quantization error before its update, if it is wanted."""
        epoch = self.plan[self.epoch]
        if tuple(self.weights.shape[1:]) != epoch.shape:
            self._grow(epoch.shape)
        settled = self.plan[0].quick and not epoch.quick and self.modalities.distance == "l1"
        if math.prod(epoch.shape) <= (FULL_SIDE if settled else COARSEST_SIDE) ** 2:
            self.winners, errors = self._search_all(epoch.quick)
        elif not self.epoch:
            self.winners, errors = self._search_index()
        else:
            self.winners, errors = self._search_near()
        self._update(epoch.sigma)
        self.epoch += 1
        count = self.processes.total(torch.tensor(len(errors), device=errors.device))
        return float(self.processes.total(errors.double().sum()) / count)

    def som(self) -> MultiModalSom:
        """The present map."""
        weights = self.modalities.split(self.weights.permute(1, 2, 0))
        return MultiModalSom(weights, self.modalities.c, self.modalities.distance, self.topology)

    def _grow(self, shape: tuple[int, int]) -> None:
        """Interpolates the weights to a larger map and moves the winners to the same relative position."""
        grid = self.grid
        self.weights = enlarged(self.weights, grid, shape)
        self.winners = enlarged_places(self.winners, grid, shape)

    def _search_all(self, quick: bool) -> tuple[Tensor, Tensor]:
        """Winners among all neurons, (N, 2), by Euclid's distance if `quick`; and their distances, (N,)."""
        columns = self.weights.shape[2]
        neurons = self.weights.flatten(1).T  # (X*Y, D)
        flat = self.winners.new_empty(len(self.features))
        errors = self.features.new_zeros(len(self.features))
        for rows, dims, scales, features in self.voters:
            scaled = neurons[:, dims] * scales
            best = nearest_of_all(features, scaled, "l2" if quick else self.modalities.distance)
            flat[rows] = best
            if self.reports:
                errors[rows] = cost(features - scaled[best], self.modalities.distance).sum(1)
        return torch.stack([flat // columns, flat % columns], 1), errors

    def _voters(self) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Samples with the same modalities: rows (n,), dimensions (d,), their scales, and scaled features (n, d)."""
        for rows, names in self.modalities.patterns(self.has):
            dims = self.modalities.columns(names).to(rows.device)
            scales = self.modalities.scales(names).to(rows.device)
            scales = scales if self.modalities.distance == "l1" else scales.sqrt()
            yield rows, dims, scales, self.features[rows][:, dims] * scales

    def _search_index(self) -> tuple[Tensor, Tensor]:
        """Winners among all neurons of a large map, (N, 2), and their distances, (N,)."""
        known = self.modalities.per_dimension(self.has)
        rows = self.modalities.split(torch.where(known, self.features, torch.nan))
        errors, flat = self.som().nearest(rows)
        return torch.stack([flat // self.weights.shape[2], flat % self.weights.shape[2]], 1), errors

    def _search_near(self) -> tuple[Tensor, Tensor]:
        """Winners among the neurons around the old winners, (N, 2), and their distances, (N,)."""
        columns = self.weights.shape[2]
        neurons = self.weights.permute(1, 2, 0)
        flat, errors = winners_around(
            self.winners[:, 0] * columns + self.winners[:, 1],
            self.grid,
            lambda near: neurons[near // columns, near % columns],
            self.features,
            self.scales,
            self.modalities.distance,
        )
        return torch.stack([flat // columns, flat % columns], 1), errors

    def _update(self, sigma: float) -> None:
        """Applies the batch rule: every neuron becomes the weighted mean of the samples that have the modality."""
        shape = self.weights.shape[1:]
        cells = self.winners[:, 0] * shape[1] + self.winners[:, 1]
        weights = torch.empty_like(self.weights)  # `progress` may have kept a reference to the old weights
        for dims, rows in self._known():
            at = cells[rows]
            weight = smooth(self.fixed.counts(at, shape.numel()).view(1, *shape), sigma, topology=self.topology)[0]
            reached = weight > LEAST_WEIGHT
            weight = torch.where(reached, weight, 1.0)
            planes = max(8, PLANES // max(len(at), shape.numel()))
            for first in range(dims.start, dims.stop, planes):
                part = slice(first, min(first + planes, dims.stop))
                sums = self.fixed.sums(part, rows, at, shape.numel()).view(-1, *shape)
                sums = smooth(sums, sigma, topology=self.topology)
                weights[part] = torch.where(reached, sums.div_(weight), self.weights[part])
        self.weights = weights

    def _known(self) -> Iterator[tuple[slice, Tensor | slice]]:
        """Groups of dimensions with the same samples, and these samples."""
        if self.complete:
            yield slice(0, self.modalities.width), slice(None)
            return
        for index, name in enumerate(self.modalities.widths):
            yield self.modalities.slice(name), self.has[:, index].nonzero().squeeze(1)
