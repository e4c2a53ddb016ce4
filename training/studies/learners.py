"""Ways to go on learning with a map, and the table that compares them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train
from agents.som_training.online import OnlineSom

from ..measure.senses import PICTURE_TO_JOINTS
from ..show import tables

Samples = Mapping[str, Tensor]
Learn = Callable[[MultiModalSom, Sequence[Samples]], MultiModalSom]
"""A map and its new samples, in parts as they come -> the map that has learned them."""
FORGET = 1e-3
"""Share of its weight that a sample loses with each new one, in the rows that forget."""


@dataclass(frozen=True)
class Outcome:
    """A learner's row for one seed.

    Attributes:
        errors: mean absolute error from vision to joints on each test set.
        cpu: CPU seconds of the learning.
    """

    errors: list[float]
    cpu: float


def online(**settings: object) -> Learn:
    """An `OnlineSom` with these settings."""

    def learn(som: MultiModalSom, parts: Sequence[Samples]) -> MultiModalSom:
        learning = OnlineSom(som, **settings)  # type: ignore[arg-type]
        for part in parts:
            learning.update(part)
        return learning.snapshot()

    return learn


def from_weights_alone(som: MultiModalSom, parts: Sequence[Samples]) -> MultiModalSom:
    """Self-replay that keeps nothing but the map: what it rehearses is read from the weights before each part."""
    for part in parts:
        learning = OnlineSom(som, replay=1.0)
        learning.update(part)
        som = learning.snapshot()
    return som


def warm_start(som: MultiModalSom, parts: Sequence[Samples]) -> MultiModalSom:
    """A training with all new samples that begins with the map."""
    return train({name: torch.cat([part[name] for part in parts]) for name in parts[0]}, initial=som)


LEARNERS: dict[str, Learn] = {
    "warm start: train(initial=)": warm_start,
    "literal rule (Eq. 2-5)": online(rule="literal"),
    "literal rule, self-replay": online(rule="literal", replay=1.0),
    "batch rule": online(),
    f"batch rule, forget={FORGET:g}": online(forget=FORGET),
    "batch rule, self-replay": online(replay=1.0),
    "self-replay from the weights alone": from_weights_alone,
}
"""All ways to go on learning."""


def shuffled(samples: Samples, size: int, seed: int) -> Iterator[dict[str, Tensor]]:
    """The samples in random order, in parts of at most `size`."""
    count = len(next(iter(samples.values())))
    for rows in torch.randperm(count, generator=torch.Generator().manual_seed(seed)).split(size):
        yield {name: values[rows] for name, values in samples.items()}


def add_seed(
    outcomes: dict[str, list[Outcome]],
    trained: Mapping[str, Callable[[], MultiModalSom]],
    som: MultiModalSom,
    parts: Sequence[Samples],
    tests: Sequence[Samples],
) -> None:
    """Adds one seed's outcomes: of whole trainings, and of all learners that go on from a map with new samples."""
    learned: dict[str, Callable[[], MultiModalSom]] = dict(trained)
    learned |= {name: partial(learn, som, parts) for name, learn in LEARNERS.items()}
    for label, training in learned.items():
        outcomes.setdefault(label, []).append(timed(training, tests))


def timed(learn: Callable[[], MultiModalSom], tests: Sequence[Samples]) -> Outcome:
    """Learns, and measures the map on each test set."""
    start = time.process_time()
    som = learn()
    cpu = time.process_time() - start
    return Outcome([error(som, test) for test in tests], cpu)


def error(som: MultiModalSom, samples: Samples) -> float:
    """Mean absolute error of the joints that the winner recalls from vision."""
    known, wanted = PICTURE_TO_JOINTS.split("->")
    return float((som.recall({known: samples[known]}, wanted) - samples[wanted]).abs().mean())


def table(outcomes: Mapping[str, Sequence[Outcome]], tests: Sequence[str], compared: Mapping[str, str]) -> str:
    """Means over the seeds, and errors as multiples of the same seed's error of another row.

    Args:
        outcomes: label -> an outcome for each seed.
        tests: names of the test sets.
        compared: name of a test set -> the row whose error there is 1.
    """
    header = ["", *tests, *(f"{test}, x {label}" for test, label in compared.items()), "CPU s"]
    rows = []
    for label, found in outcomes.items():
        errors = torch.tensor([outcome.errors for outcome in found])  # (seeds, tests)
        cells = [tables.number(float(mean)) for mean in errors.mean(0)]
        for test, other in compared.items():
            column = tests.index(test)
            bases = torch.tensor([outcome.errors[column] for outcome in outcomes[other]])
            ratio = errors[:, column] / bases
            cells.append(f"{ratio.mean():.2f}" + (f" ± {ratio.std():.2f}" if len(found) > 1 else ""))
        rows.append([label, *cells, f"{sum(o.cpu for o in found) / len(found):.1f}"])
    return tables.as_text(header, rows)
