"""Ways to go on learning with a map, and the table that compares them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train
from agents.som_training.online import OnlineSom

from ...measure.senses import PICTURE_TO_JOINTS
from ...show import tables
from ..frame import curves
from ..frame.rows import Floats, Row, Rows
from ..frame.study import Table

Samples = Mapping[str, Tensor]
Learn = Callable[[MultiModalSom, Sequence[Samples]], MultiModalSom]
"""A map and its new samples, in parts as they come -> the map that has learned them."""
WITHOUT_ANCHOR = "No figure of people or infants is known for this task, so there is no criterion."
FORGET = 1e-3
"""Share of its weight that a sample loses with each new one, in the rows that forget."""


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


def outcomes(
    trained: Mapping[str, Callable[[], MultiModalSom]],
    som: MultiModalSom,
    parts: Sequence[Samples],
    tests: Mapping[str, Samples],
) -> list[Row]:
    """One seed's rows: of whole trainings, and of all learners that go on from a map with new samples.

    Args:
        trained: trainings by label.
        som: the map from which the learners go on.
        parts: their samples, in parts as they come.
        tests: test sets by name.
    """
    learned: dict[str, Callable[[], MultiModalSom]] = dict(trained)
    learned |= {name: partial(learn, som, parts) for name, learn in LEARNERS.items()}
    return [row for label, training in learned.items() for row in timed(label, training, tests)]


def timed(label: str, learn: Callable[[], MultiModalSom], tests: Mapping[str, Samples]) -> Iterator[Row]:
    """Learns, and measures the map on each test set."""
    start = time.process_time()
    som = learn()
    cpu = time.process_time() - start
    for name, test in tests.items():
        yield {"learner": label, "test": name, "error": error(som, test), "cpu_s": cpu}


def error(som: MultiModalSom, samples: Samples) -> float:
    """Mean absolute error of the joints that the winner recalls from vision."""
    known, wanted = PICTURE_TO_JOINTS.split("->")
    return float((som.recall({known: samples[known]}, wanted) - samples[wanted]).abs().mean())


def legend(name: str, config: Any) -> str:
    """What the table shows."""
    return (
        f"study {name}: {config.rows}x{config.rows} neurons, {config.seeds} seed(s). Mean absolute error of the "
        "joints that the winner recalls from vision, on test samples."
    )


def factor(rows: Rows, label: str, test: str, base: str) -> Floats:
    """A learner's error on a test set as a multiple of the same seed's error of another one, (S,)."""
    return rows.where(learner=label, test=test).by_seed("error") / rows.where(learner=base, test=test).by_seed("error")


def table(rows: Rows, tests: Sequence[str], compared: Mapping[str, str]) -> Table:
    """Means over the seeds, and errors as multiples of the same seed's error of another row.

    Args:
        rows: the rows of all seeds.
        tests: names of the test sets.
        compared: name of a test set -> the learner whose error there is 1.
    """
    header = ["", *tests, *(f"{test}, x {label}" for test, label in compared.items()), "CPU s"]
    lines = []
    for label in rows.kinds("learner"):
        own = rows.where(learner=label)
        cells = [tables.number(own.where(test=test).mean("error")) for test in tests]
        for test, other in compared.items():
            ratio = factor(rows, label, test, other)
            cells.append(f"{ratio.mean():.2f}" + (f" ± {ratio.std(ddof=1):.2f}" if len(ratio) > 1 else ""))
        lines.append([label, *cells, f"{own.mean('cpu_s'):.1f}"])
    return header, lines


def figure(rows: Rows, tests: Sequence[str], groups: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """The error of each learner on each test set; a panel for each group of learners, by title, or one for all."""
    each = groups or {"": rows.kinds("learner")}
    drawn, axes = curves.panels(len(each), size=(5.0, 5.0))
    for axis, (title, labels) in zip(axes, each.items(), strict=True):
        for number, label in enumerate(labels):
            own = rows.where(learner=label)
            values = np.stack([own.where(test=test).by_seed("error") for test in tests], 1)
            style = "-" if number < len(curves.LINES) else "--"
            x = np.arange(len(tests), dtype=float)
            curves.curve(axis, x, values, number % len(curves.LINES), label, linestyle=style, markersize=3)
        axis.set_xticks(range(len(tests)), tests)
        axis.set(title=title, ylabel="mean absolute error, joints", ylim=(0, None))
        axis.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2, handlelength=3)
    top = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(0, top)
    return drawn
