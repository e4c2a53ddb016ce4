"""One contestant of `infant-arm bench som` in its own process: `python -m training.bench.maps.contestant FOLDER`.

It reads `job.json`, `train.safetensors` and `unseen.safetensors` from the folder, and writes `result.json`.
"""

import contextlib
import json
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from agents.som.distances import Distance
from agents.som.modalities import Modalities
from agents.som.samples import widths_of
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import falling, train, train_literal
from infant_env.errors import UserError

from .peers import PEERS, Peer
from .quality import Quality, evaluate
from .schedules import Schedule, schedules_of
from .stage import Floats, Shape, radii

OURS, LITERAL = "this project", "literal rule"
SEEDS = 3
"""This project's row is the mean of so many trainings, because the errors of a map differ by some percent between seeds."""
CLOSE = 1.001
"""A contestant has reached the quantization error of this project's map if its own is at most so many times as large."""
EPOCHS = (2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320)
"""The epochs that a schedule tries, one after the other."""
SEARCH = 12
"""All trainings of a search together take at most about so many times the limit of one: three schedules, growing epochs."""
SMALLEST, GROWTH = 32, 4
"""Minimum number of samples of the smallest probe, and the ratio of one probe to the one before."""
Fit = Callable[..., MultiModalSom]
"""`samples`, `epochs` -> trained map."""


@dataclass(frozen=True)
class Job:
    """What a contestant does."""

    name: str
    shape: Shape
    distance: Distance
    """The distance of the map, and of the quantization error."""
    c: dict[str, float]
    seed: int
    limit: float
    """CPU seconds that a training may take."""
    memory: float
    """GB of memory that the process may take."""
    target: float | None = None
    """The quantization error on unseen samples to reach."""


@dataclass(frozen=True)
class Result:
    """The cheapest training that reached the target, or else the one with the least quantization error."""

    cpu: float
    """User and system seconds of all threads, in the training alone."""
    peak: float
    """Peak memory of the process in GB after its first training, with the interpreter and libraries."""
    schedule: str
    reached: bool
    quality: Quality | None = None
    """Errors on unseen samples; None if `cpu` is extrapolated."""
    share: float = 1.0
    """Measured share of the training; less than 1 if `cpu` is extrapolated linearly."""


def main(folder: Path) -> None:
    """Does the job in the folder."""
    content = json.loads((folder / "job.json").read_text())
    job = Job(**{**content, "shape": tuple(content["shape"])})
    resource.setrlimit(resource.RLIMIT_DATA, (int(1e9 * job.memory),) * 2)
    samples, unseen = (load_file(folder / f"{name}.safetensors") for name in ("train", "unseen"))
    with contextlib.redirect_stdout(sys.stderr):  # the libraries print
        result = our_result(job, samples, unseen) if job.name == OURS else search(job, samples, unseen)
    (folder / "result.json").write_text(json.dumps(asdict(result)))


def our_result(job: Job, samples: Mapping[str, Tensor], unseen: Mapping[str, Tensor]) -> Result:
    """The mean of some trainings with the default arguments."""
    fit = partial(train, shape=job.shape, c=job.c, distance=job.distance)
    fit(_first(samples, 2 * SMALLEST), shape=(4, 4))  # imports
    trained = [timed(partial(fit, samples, seed=job.seed + number)) for number in range(SEEDS)]
    peak = _peak()
    cpu = sum(seconds for seconds, _ in trained) / SEEDS
    return Result(cpu, peak, "default", True, Quality.mean([evaluate(som, unseen) for _, som in trained]))


def search(job: Job, samples: Mapping[str, Tensor], unseen: Mapping[str, Tensor]) -> Result:
    """Trains by each schedule with growing epochs until the target is reached, or a training would take too long.

    A first training on a tiny map is not measured, so imports and compilation do not count.
    """
    found: list[Result] = []
    limit = job.limit
    for name, fit in fits(job):
        fit(_first(samples, 2 * SMALLEST), epochs=1, shape=(4, 4))
        expected, share = extrapolate(partial(fit, shape=job.shape), samples, EPOCHS[0], limit)
        for epochs, more in zip(EPOCHS, (*EPOCHS[1:], 2 * EPOCHS[-1]), strict=True):
            if expected > limit:
                if epochs == EPOCHS[0]:
                    found.append(Result(expected, _peak(), f"{name} {epochs}", False, None, share))
                break
            cpu, som = timed(partial(fit, samples, epochs=epochs, shape=job.shape))
            peak = found[0].peak if found else _peak()
            quality = evaluate(som, unseen)
            reached = job.target is not None and quality.quantization <= CLOSE * job.target
            found.append(Result(cpu, peak, f"{name} {epochs}", reached, quality))
            if reached:
                limit = min(limit, cpu)
                break
            expected = cpu * more / epochs
    return best_of(found)


def best_of(found: list[Result]) -> Result:
    """The cheapest that reached the target; else the one of the least quantization error; else the cheapest."""
    reached = [result for result in found if result.reached]
    whole = [result for result in found if result.quality is not None]
    if reached or not whole:
        return min(reached or found, key=lambda result: result.cpu)
    return min(whole, key=lambda result: result.quality.quantization if result.quality else torch.inf)


def extrapolate(fit: Fit, samples: Mapping[str, Tensor], epochs: int, limit: float) -> tuple[float, float]:
    """CPU seconds of a whole training, extrapolated from growing probes, up to one that takes a tenth of the limit.

    The difference of the two largest probes gives the time for a further presentation, without the fixed costs of a training,
    for example for making the map.

    Returns:
        CPU seconds of the whole training, and the largest probe's share of it.
    """
    count = len(next(iter(samples.values())))
    spent, size, whole = 0.0, 0, 0.0
    for rows, some in probes(count, epochs):
        before, size_before, size = spent, size, rows * some
        spent, _ = timed(partial(fit, _first(samples, rows), epochs=some))
        whole = spent + max(spent - before, 0.0) / (size - size_before) * (epochs * count - size)
        if spent >= limit / 10:
            break
    return whole, size / (epochs * count)


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


def fits(job: Job) -> Iterator[tuple[str, Fit]]:
    """The schedules of a contestant.

    Raises:
        UserError: no contestant has this name.
    """
    if job.name == LITERAL:
        yield "plain", partial(_literal, job)
        return
    if job.name not in PEERS:
        raise UserError(f"got contestant {job.name!r}, expected one of {[OURS, LITERAL, *PEERS]}")
    for name, schedule in schedules_of(PEERS[job.name], job.shape).items():
        yield name, partial(_peer, job, PEERS[job.name], schedule)


def timed(training: Callable[[], MultiModalSom]) -> tuple[float, MultiModalSom]:
    """CPU seconds of the process and its children, and the trained map."""
    start = _cpu()
    som = training()
    return _cpu() - start, som


def _literal(job: Job, samples: Mapping[str, Tensor], epochs: int, shape: Shape) -> MultiModalSom:
    sigma = falling(*radii(shape, len(next(iter(samples.values())))))
    return train_literal(
        samples, shape, job.c, epochs=epochs, batch_size=10, sigma=sigma, seed=job.seed, distance=job.distance
    )


def _peer(
    job: Job, peer: Peer, schedule: Schedule, samples: Mapping[str, Tensor], epochs: int, shape: Shape
) -> MultiModalSom:
    """A library's map of features whose distance is that of Eq. 3, divided by the features' mean standard deviation."""
    modalities = Modalities.of(widths_of(samples), job.c, job.distance)
    scales = modalities.scales(modalities.widths)
    scales = scales if job.distance == "l1" else scales.sqrt()
    features = modalities.stack(samples)[0] * scales
    mean, deviation = features.mean(0), features.std(0).mean()
    scaled: Floats = ((features - mean) / deviation).numpy()
    trained = torch.from_numpy(schedule(peer, scaled, shape, epochs, job.seed))
    weights = modalities.split((trained * deviation + mean) / scales)
    return MultiModalSom({name: rows.contiguous() for name, rows in weights.items()}, job.c, job.distance)


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
