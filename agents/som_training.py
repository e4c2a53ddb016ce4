"""How a map is trained: `train`, coarse to fine in seconds, and `train_literal`, the paper's rule as printed.

The fast schedule starts with a map of about 25x25 neurons in the plane of the two principal components and doubles it
until the wanted shape is reached. Each epoch replaces every neuron by the mean of the samples, weighted by a Gaussian of
the distance between the neuron and the sample's winner (the batch rule). After the coarsest level a sample's winner
moves by at most two neurons, so no epoch ever searches the whole map.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .modalities import Modalities, Samples, widths_of
from .som import MultiModalSom, check_memory, check_shape
from .som_literal import LiteralProgress, bubble, exponential, falling, gaussian, train_literal
from .som_start import fingerprint, principal_plane, resumed

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

COARSEST_SIDE = 32
"""The map is halved until its longer side is no longer than this."""
WINDOW = 2
"""How far a sample's winner may move per epoch once the coarsest level is done, in neurons."""
VANISHED = 1e-30
"""A neuron whose neighborhood weights sum to less keeps its old weight."""


@dataclass(frozen=True)
class TrainingProgress:
    """What `train` reports after each epoch.

    Attributes:
        epoch: epochs done so far, from 1.
        epochs: epochs in all.
        shape: shape of the map in this epoch; it grows.
        sigma: radius of the neighborhood in neurons.
        quantization_error: mean distance (-A of Eq. 3) between the samples and their winners before the update.
        state: everything that `train(..., resume=state)` needs to go on from here; tensors only, fit for safetensors.
    """

    epoch: int
    epochs: int
    shape: tuple[int, int]
    sigma: float
    quantization_error: float
    state: dict[str, Tensor]


@dataclass(frozen=True)
class _Epoch:
    shape: tuple[int, int]
    sigma: float


def train(
    samples: Samples,
    shape: tuple[int, int] = (800, 800),
    c: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[TrainingProgress], None] | None = None,
    last_sigma: float | None = None,
    resume: Mapping[str, Tensor] | None = None,
) -> MultiModalSom:
    """Train a map coarse to fine with the batch rule, on the device of the samples.

    Reaches the quality of the literal rule (Eq. 2-5) or better in a small part of its time. Equal arguments give equal bytes
    on the CPU.

    Args:
        samples: modality -> features, shape (N, width). Scale them to a similar spread first (latents z-scored, joints to
            [0, 1]). A row that is NaN throughout a modality says that this sample lacks it: it neither votes nor
            updates there.
        shape: rows and columns of the map, (X, Y).
        c: influence c^(m) of each modality on the winner, 1 if not given.
        seed: seed of the initial plane's tilt and of its noise.
        progress: called after each epoch.
        last_sigma: radius of the last epoch in neurons; by default it follows the neurons per sample, see
            `sigma_for`.
        resume: the state of an earlier, equal call's progress report.

    Raises:
        ValueError: no samples, broken values, an unknown modality in `c`, a map larger than the memory, or a state that
            belongs to another training.
    """
    modalities = Modalities.of(widths_of(samples), c)
    features, has = modalities.stack(samples)
    check_shape(shape)
    check_memory(shape, modalities.width, features.device)
    plan = schedule(shape, last_sigma if last_sigma is not None else sigma_for(shape, len(features)))
    trainer = _Trainer(modalities, features, has, plan, seed)
    trainer.start(resume)
    while trainer.epoch < len(plan):
        error = trainer.step()
        if progress is not None:
            epoch = plan[trainer.epoch - 1]
            progress(TrainingProgress(trainer.epoch, len(plan), epoch.shape, epoch.sigma, error, trainer.state()))
    return trainer.finished()


def sigma_for(shape: tuple[int, int], count: int) -> float:
    """The last radius that suits a map of this shape trained on `count` samples, in neurons.

    About a quarter of the samples' mean spacing on the map, at least .4: smaller radii memorise single samples, larger ones blur.
    """
    return max(0.4, 0.275 * math.sqrt(shape[0] * shape[1] / count))


def schedule(shape: tuple[int, int], last_sigma: float) -> list[_Epoch]:
    """Shape and radius of every epoch, coarse to fine."""
    shapes = [shape]
    while max(shapes[0]) > COARSEST_SIDE:
        rows, columns = shapes[0]
        shapes.insert(0, (math.ceil(rows / 2), math.ceil(columns / 2)))
    counts = [15, 6, 5, 5, 4] + [3] * len(shapes)
    plan = []
    for level, level_shape in enumerate(shapes):
        first = max(0.32 * max(level_shape), 1.0) if level == 0 else 3.0 if level <= 2 else 2.0
        last = last_sigma if level == len(shapes) - 1 else 1.5 if level == 0 else 1.0
        sigmas = geometric(max(first, last), last, counts[level])
        plan += [_Epoch(level_shape, sigma) for sigma in sigmas]
    return plan


def geometric(first: float, last: float, count: int) -> list[float]:
    """`count` values from first to last, each the same factor from the one before."""
    return [first * (last / first) ** (step / max(count - 1, 1)) for step in range(count)]


class _Trainer:
    """The state of a coarse-to-fine training: weights (D, X, Y), winners (N, 2) and the number of epochs done."""

    def __init__(self, modalities: Modalities, features: Tensor, has: Tensor, plan: list[_Epoch], seed: int) -> None:
        self.modalities = modalities
        self.plan = plan
        self.seed = seed
        self.features = features
        self.has = has
        self.complete = bool(has.all())
        self.scales = modalities.row_scales(has)  # (N, D)
        self.weights = torch.empty(0)
        self.winners = torch.empty(0)
        self.epoch = 0

    def start(self, resume: Mapping[str, Tensor] | None) -> None:
        if resume is None:
            weights = principal_plane(self.modalities, self.features, self.has, self.plan[0].shape, self.seed)
            self.weights = weights.permute(2, 0, 1).contiguous()  # (D, X, Y)
            self.winners = self.features.new_zeros((len(self.features), 2), dtype=torch.long)
            return
        state = resumed(resume, self._identity(), self.features.device)
        self.weights, self.winners, self.epoch = state["weights"], state["winners"], int(state["epoch"])

    def state(self) -> dict[str, Tensor]:
        epoch = torch.tensor(self.epoch)
        return {"weights": self.weights, "winners": self.winners, "epoch": epoch, "training": self._identity()}

    def _identity(self) -> Tensor:
        settings = [*self.plan[-1].shape, self.plan[-1].sigma, len(self.plan), self.seed]
        return fingerprint(self.modalities, self.features, self.has, settings)

    def step(self) -> float:
        """One epoch; returns the quantization error before the update."""
        epoch = self.plan[self.epoch]
        if tuple(self.weights.shape[1:]) != epoch.shape:
            self._grow(epoch.shape)
        if epoch.shape == self.plan[0].shape:
            self.winners, errors = self._search_everywhere()
        else:
            self.winners, errors = self._search_near()
        self._update(epoch.sigma)
        self.epoch += 1
        return float(errors.mean())

    def finished(self) -> MultiModalSom:
        weights = self.modalities.split(self.weights.permute(1, 2, 0))
        return MultiModalSom({name: rows.contiguous() for name, rows in weights.items()}, self.modalities.c)

    def _grow(self, shape: tuple[int, int]) -> None:
        """Bilinear interpolation of the weights; the winners move to the same place on the larger map."""
        old = self.weights.new_tensor(self.weights.shape[1:])
        new = self.weights.new_tensor(shape)
        self.weights = functional.interpolate(self.weights[None], size=shape, mode="bilinear", align_corners=False)[0]
        places = (self.winners + 0.5) * (new / old) - 0.5
        self.winners = places.floor().long().clamp(min=0)  # doubling puts it between 2w and 2w + 1
        self.winners = torch.minimum(self.winners, (new - 1).long())

    def _search_everywhere(self) -> tuple[Tensor, Tensor]:
        columns = self.weights.shape[2]
        neurons = self.weights.flatten(1).T  # (X*Y, D)
        flat = self.winners.new_empty(len(self.features))
        errors = self.features.new_empty(len(self.features))
        for rows, names in self.modalities.patterns(self.has):
            dims = self.modalities.columns(names).to(rows.device)
            scales = self.modalities.scales(names).to(rows.device)
            distances = torch.cdist(self.features[rows][:, dims] * scales, neurons[:, dims] * scales, p=1)
            errors[rows], flat[rows] = distances.min(1)
        return torch.stack([flat // columns, flat % columns], 1), errors

    def _search_near(self) -> tuple[Tensor, Tensor]:
        """Winners among the neurons at most `WINDOW` away from the old ones, (N, 2), and their distances, (N,)."""
        limit = self.winners.new_tensor(self.weights.shape[1:]) - 1
        steps = torch.arange(-WINDOW, WINDOW + 1, device=limit.device)
        offsets = torch.cartesian_prod(steps, steps)  # (K, 2)
        found = [self._search_window(rows, offsets, limit) for rows in torch.arange(len(self.features)).split(4096)]
        return torch.cat([winners for winners, _ in found]), torch.cat([errors for _, errors in found])

    def _search_window(self, rows: Tensor, offsets: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
        places = torch.minimum((self.winners[rows, None] + offsets).clamp(min=0), limit)  # (n, K, 2)
        neurons = self.weights.permute(1, 2, 0)[places[..., 0], places[..., 1]]  # (n, K, D)
        gaps = (neurons - self.features[rows, None]).abs_()
        distances = (gaps @ self.scales[rows, :, None]).squeeze(2)  # (n, K)
        errors, best = distances.min(1)
        return places[torch.arange(len(best), device=best.device), best], errors

    def _update(self, sigma: float) -> None:
        """The batch rule: every neuron becomes the neighborhood-weighted mean of the samples that have the modality."""
        if self.complete:
            self.weights = self._mean(self.weights, self.features, self.winners, sigma)
            return
        parts = []
        for index, name in enumerate(self.modalities.widths):
            at, rows = self.modalities.slice(name), self.has[:, index]
            parts.append(self._mean(self.weights[at], self.features[rows][:, at], self.winners[rows], sigma))
        self.weights = torch.cat(parts)

    @staticmethod
    def _mean(old: Tensor, features: Tensor, winners: Tensor, sigma: float) -> Tensor:
        dims, rows, columns = old.shape
        ones = features.new_ones((1, len(features)))
        values = torch.cat([features.T, ones])  # (D + 1, n)
        cells = winners[:, 0] * columns + winners[:, 1]
        planes = torch.arange(dims + 1, device=cells.device)[:, None] * (rows * columns)
        sums = torch.zeros((dims + 1) * rows * columns, device=old.device)
        sums.index_add_(0, (planes + cells).flatten(), values.flatten())
        smoothed = smooth(sums.view(dims + 1, rows, columns), sigma)
        weight = smoothed[-1]
        reached = weight > VANISHED
        return torch.where(reached, smoothed[:-1] / torch.where(reached, weight, 1.0), old)


def smooth(planes: Tensor, sigma: float, reach: float = 4.5, block: int = 64) -> Tensor:
    """Sum over a Gaussian neighborhood, exp(-distance^2 / (2 sigma^2)) cut at `reach` sigma, without normalising.

    Separable, and each axis is a product with a banded matrix, taken block by block.

    Args:
        planes: sums per cell, shape (D, X, Y).
        sigma: radius in neurons.
        reach: where the Gaussian is cut, in sigma.
        block: outputs per product.

    Returns:
        Shape (D, X, Y).
    """
    radius = max(1, math.ceil(reach * sigma))
    columns = _banded(planes.shape[2], radius, sigma, block, planes)
    along_y = torch.cat([planes[:, :, lo:hi] @ kernel.T for lo, hi, kernel in columns], 2)
    rows = _banded(planes.shape[1], radius, sigma, block, planes)
    return torch.cat([kernel @ along_y[:, lo:hi] for lo, hi, kernel in rows], 1)


def _banded(size: int, radius: int, sigma: float, block: int, like: Tensor) -> list[tuple[int, int, Tensor]]:
    """Blocks of a banded Gaussian matrix: inputs from lo to hi and the kernel (outputs, hi - lo)."""
    places = torch.arange(size, dtype=like.dtype, device=like.device)
    blocks = []
    for start in range(0, size, block):
        stop = min(start + block, size)
        lo, hi = max(0, start - radius), min(size, stop + radius)
        gaps = places[start:stop, None] - places[None, lo:hi]
        kernel = torch.exp(-(gaps**2) / (2 * sigma**2)) * (gaps.abs() <= radius)
        blocks.append((lo, hi, kernel))
    return blocks
