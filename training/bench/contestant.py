"""One contestant of `infant-arm bench som` in a process of its own: `python -m training.bench.contestant FOLDER`.

Reads `job.json` and `samples.safetensors` from the folder and writes `result.json`, and `weights.safetensors` when the
training ran to its end.
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

from agents.som.modalities import Modalities, Samples, widths_of
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import falling, train, train_literal
from agents.som_training.schedule import schedule
from infant_env.errors import UserError

from .peers import PEERS, Shape, Train, radii

OURS, LITERAL = "this project", "literal rule"
SMALLEST, GROWTH = 32, 4
"""Samples of the smallest part that is measured, at least, and how much larger each next one is."""
Fit = Callable[..., MultiModalSom]
"""`samples`, `shape`, `epochs`, `seed` -> map."""


@dataclass(frozen=True)
class Job:
    """What a contestant is to do."""

    name: str
    shape: Shape
    epochs: int
    seed: int
    c: dict[str, float]
    budget: float
    """CPU seconds."""
    memory: float
    """GB that the process may take."""


@dataclass(frozen=True)
class Result:
    """What training took."""

    cpu: float
    """User and system seconds of all threads."""
    wall: float
    """Seconds by the clock of the measured part."""
    peak: float
    """GB that the whole process took at most, with the interpreter and libraries."""
    measured: int
    """Presentations of a sample that were measured; fewer than all when `cpu` is extrapolated."""
    presentations: int
    """Presentations of a sample in all."""

    @property
    def whole(self) -> bool:
        """Whether the training ran to its end."""
        return self.measured == self.presentations


def main(folder: Path) -> None:
    """Does the job that lies in the folder."""
    content = json.loads((folder / "job.json").read_text())
    job = Job(**{**content, "shape": tuple(content["shape"])})
    resource.setrlimit(resource.RLIMIT_DATA, (int(1e9 * job.memory),) * 2)
    with contextlib.redirect_stdout(sys.stderr):  # the libraries talk
        result, som = compete(job, load_file(folder / "samples.safetensors"))
    if som is not None:
        weights = {n: som.weights(n).reshape(*som.shape, -1).contiguous() for n in som.modalities}
        save_file(weights, folder / "weights.safetensors")
    (folder / "result.json").write_text(json.dumps(asdict(result)))


def compete(job: Job, samples: Samples) -> tuple[Result, MultiModalSom | None]:
    """Trains in full when that fits into the budget; else measures a part and extrapolates linearly.

    Imports and compilation are spared by a training on a tiny map first, which is not counted. This project's training
    is short, does not shrink with the samples, and always runs in full.
    """
    fit, count = fit_of(job.name, job.c), len(next(iter(samples.values())))
    fit(_first(samples, 2 * SMALLEST), (4, 4), 1, job.seed)
    work = job.epochs * count
    if job.name != OURS:
        cpu, wall, measured = foresee(partial(fit, shape=job.shape, seed=job.seed), samples, job)
        if cpu > job.budget:
            return Result(cpu, wall, _peak(), measured, work), None
    cpu, wall, som = timed(partial(fit, samples, job.shape, job.epochs, job.seed))
    return Result(cpu, wall, _peak(), work, work), som


def foresee(fit: Fit, samples: Samples, job: Job) -> tuple[float, float, int]:
    """CPU seconds of a whole training, from growing parts of it, up to one that takes a tenth of the budget.

    The two largest parts tell what each further presentation takes from what a training takes at any rate, such as
    making the map.

    Returns:
        CPU seconds of the whole; wall seconds and presentations of the largest part.
    """
    count = len(next(iter(samples.values())))
    spent, wall, size, foreseen = 0.0, 0.0, 0, 0.0
    for rows, epochs in parts(count, job.epochs):
        before, size_before, size = spent, size, rows * epochs
        spent, wall, _ = timed(partial(fit, _first(samples, rows), epochs=epochs))
        each = max(spent - before, 0.0) / (size - size_before)
        foreseen = spent + each * (job.epochs * count - size)
        if spent >= job.budget / 10:
            break
    return foreseen, wall, size


def parts(count: int, epochs: int) -> list[tuple[int, int]]:
    """Samples and epochs of ever larger parts of a training, each about a quarter of the next; the whole is none."""
    found = []
    while epochs > 1:
        epochs = max(epochs // GROWTH, 1)
        found.append((count, epochs))
    while count >= GROWTH * SMALLEST:
        count //= GROWTH
        found.append((count, epochs))
    return found[::-1]


def fit_of(name: str, c: Mapping[str, float]) -> Fit:
    """How a contestant trains.

    Raises:
        UserError: nobody is called so.
    """
    if name == OURS:
        return lambda samples, shape, epochs, seed: train(samples, shape, c, seed)
    if name == LITERAL:
        return partial(_literal, c=c)
    if name not in PEERS:
        raise UserError(f"got contestant {name!r}, expected one of {[OURS, LITERAL, *PEERS]}")
    return partial(_peer, train=PEERS[name].train, c=c)


def epochs_of(name: str, shape: Shape, epochs: int) -> int:
    """Epochs that a contestant trains: this project its own schedule, the literal rule the paper's, peers `epochs`."""
    return {OURS: len(schedule(shape, 1.0)), LITERAL: 200}.get(name, epochs)


def timed(work: Callable[[], MultiModalSom]) -> tuple[float, float, MultiModalSom]:
    """CPU seconds of the process and of its children, wall seconds, and what the work gave."""
    cpu, wall = _cpu(), time.perf_counter()
    som = work()
    return _cpu() - cpu, time.perf_counter() - wall, som


def _literal(samples: Samples, shape: Shape, epochs: int, seed: int, c: Mapping[str, float]) -> MultiModalSom:
    sigma = falling(*radii(shape, len(next(iter(samples.values())))))
    return train_literal(samples, shape, c, epochs=epochs, batch_size=10, sigma=sigma, seed=seed)


def _peer(
    samples: Samples, shape: Shape, epochs: int, seed: int, train: Train, c: Mapping[str, float]
) -> MultiModalSom:
    """A library's map of features whose L1 distance is Eq. 3 but for one factor that makes their spread 1."""
    modalities = Modalities.of(widths_of(samples), c)
    scales = modalities.scales(modalities.widths)
    features = modalities.stack(samples)[0] * scales
    mean, spread = features.mean(0), features.std(0).mean()
    weights = torch.from_numpy(train(((features - mean) / spread).numpy(), shape, epochs, seed))
    parts = modalities.split((weights * spread + mean) / scales)
    return MultiModalSom({name: rows.contiguous() for name, rows in parts.items()}, c)


def _first(samples: Samples, count: int) -> dict[str, Tensor]:
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
