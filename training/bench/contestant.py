"""One contestant of `infant-arm bench som` in its own process: `python -m training.bench.contestant FOLDER`.

It reads `job.json` and `samples.safetensors` from the folder. It writes `result.json`, and `weights.safetensors` if the training
ran to its end.
"""

import contextlib
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from agents.som.modalities import Modalities
from agents.som.samples import widths_of
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import falling, train, train_literal
from agents.som_training.schedule import schedule
from infant_env.errors import UserError

from .peers import PEERS, Shape, Train, radii

OURS, LITERAL = "this project", "literal rule"
SMALLEST, GROWTH = 32, 4
"""Minimum number of samples of the smallest probe, and the ratio of one probe to the one before."""
Fit = Callable[..., MultiModalSom]
"""`samples`, `shape`, `epochs`, `seed` -> trained map."""


@dataclass(frozen=True)
class Job:
    """The training that a contestant does."""

    name: str
    shape: Shape
    epochs: int
    seed: int
    c: dict[str, float]
    budget: float
    """CPU seconds."""
    memory: float
    """GB of memory that the process may take."""


@dataclass(frozen=True)
class Result:
    """The time and memory of a training."""

    cpu: float
    """User and system seconds of all threads."""
    wall: float
    """Seconds by the clock for the measured presentations."""
    peak: float
    """Peak memory of the whole process in GB, with the interpreter and libraries."""
    measured: int
    """Measured presentations of a sample; fewer than all if `cpu` is extrapolated."""
    presentations: int
    """All presentations of a sample."""

    @property
    def whole(self) -> bool:
        """Whether the training ran to its end."""
        return self.measured == self.presentations


def main(folder: Path) -> None:
    """Does the job in the folder."""
    content = json.loads((folder / "job.json").read_text())
    job = Job(**{**content, "shape": tuple(content["shape"])})
    resource.setrlimit(resource.RLIMIT_DATA, (int(1e9 * job.memory),) * 2)
    with contextlib.redirect_stdout(sys.stderr):  # the libraries print
        result, som = train_within_budget(job, load_file(folder / "samples.safetensors"))
    if som is not None:
        weights = {n: som.weights(n).reshape(*som.shape, -1).contiguous() for n in som.modalities}
        save_file(weights, folder / "weights.safetensors")
    (folder / "result.json").write_text(json.dumps(asdict(result)))


def train_within_budget(job: Job, samples: Mapping[str, Tensor]) -> tuple[Result, MultiModalSom | None]:
    """Trains in full if that fits into the budget; otherwise measures a part of the training and extrapolates linearly.

    A first training on a tiny map is not measured, so imports and compilation do not count. This project's training always
    runs in full: it is short, and it is not shorter with fewer samples.
    """
    fit, count = fit_by(job.name, job.c), len(next(iter(samples.values())))
    fit(_first(samples, 2 * SMALLEST), (4, 4), 1, job.seed)
    presentations = job.epochs * count
    if job.name != OURS:
        cpu, wall, measured = extrapolate(partial(fit, shape=job.shape, seed=job.seed), samples, job)
        if cpu > job.budget:
            return Result(cpu, wall, _peak(), measured, presentations), None
    cpu, wall, som = timed(partial(fit, samples, job.shape, job.epochs, job.seed))
    return Result(cpu, wall, _peak(), presentations, presentations), som


def extrapolate(fit: Fit, samples: Mapping[str, Tensor], job: Job) -> tuple[float, float, int]:
    """CPU seconds of a whole training, extrapolated from growing probes, up to one that takes a tenth of the budget.

    The difference of the two largest probes gives the time for a further presentation, without the fixed costs of a training,
    for example for making the map.

    Returns:
        CPU seconds of the whole training; wall seconds and presentations of the largest probe.
    """
    count = len(next(iter(samples.values())))
    spent, wall, size, whole = 0.0, 0.0, 0, 0.0
    for rows, epochs in probes(count, job.epochs):
        before, size_before, size = spent, size, rows * epochs
        spent, wall, _ = timed(partial(fit, _first(samples, rows), epochs=epochs))
        each = max(spent - before, 0.0) / (size - size_before)
        whole = spent + each * (job.epochs * count - size)
        if spent >= job.budget / 10:
            break
    return whole, wall, size


def probes(count: int, epochs: int) -> list[tuple[int, int]]:
    """Samples and epochs of growing parts of a training, each about a quarter of the next one, without the whole training."""
    found = []
    while epochs > 1:
        epochs = max(epochs // GROWTH, 1)
        found.append((count, epochs))
    while count >= GROWTH * SMALLEST:
        count //= GROWTH
        found.append((count, epochs))
    return found[::-1]


def fit_by(name: str, c: Mapping[str, float]) -> Fit:
    """The training function of a contestant.

    Raises:
        UserError: no contestant has this name.
    """
    if name == OURS:
        return lambda samples, shape, epochs, seed: train(samples, shape, c, seed)
    if name == LITERAL:
        return partial(_literal, c=c)
    if name not in PEERS:
        raise UserError(f"got contestant {name!r}, expected one of {[OURS, LITERAL, *PEERS]}")
    return partial(_peer, train=PEERS[name].train, c=c)


def epochs_of(name: str, shape: Shape, epochs: int) -> int:
    """Epochs of a contestant: its own schedule for this project, 200 (paper) for the literal rule, `epochs` for libraries."""
    return {OURS: len(schedule(shape, 1.0)), LITERAL: 200}.get(name, epochs)


def timed(training: Callable[[], MultiModalSom]) -> tuple[float, float, MultiModalSom]:
    """CPU seconds of the process and its children, wall seconds, and the trained map."""
    cpu, wall = _cpu(), time.perf_counter()
    som = training()
    return _cpu() - cpu, time.perf_counter() - wall, som


def _literal(
    samples: Mapping[str, Tensor], shape: Shape, epochs: int, seed: int, c: Mapping[str, float]
) -> MultiModalSom:
    sigma = falling(*radii(shape, len(next(iter(samples.values())))))
    return train_literal(samples, shape, c, epochs=epochs, batch_size=10, sigma=sigma, seed=seed)


def _peer(
    samples: Mapping[str, Tensor], shape: Shape, epochs: int, seed: int, train: Train, c: Mapping[str, float]
) -> MultiModalSom:
    """A library's map of features whose L1 distance is that of Eq. 3, divided by the features' mean standard deviation."""
    modalities = Modalities.of(widths_of(samples), c)
    scales = modalities.scales(modalities.widths)
    features = modalities.stack(samples)[0] * scales
    mean, deviation = features.mean(0), features.std(0).mean()
    trained = torch.from_numpy(train(((features - mean) / deviation).numpy(), shape, epochs, seed))
    weights = modalities.split((trained * deviation + mean) / scales)
    return MultiModalSom({name: rows.contiguous() for name, rows in weights.items()}, c)


def _first(samples: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    return {name: rows[:count] for name, rows in samples.items()}


def _usage() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in _usage())


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes
    return max(usage.ru_maxrss for usage in _usage()) * unit / 1e9


if __name__ == "__main__":
    main(Path(sys.argv[1]))
