"""Pieces of work measured in turns, so that what the machine does meanwhile meets all of them alike."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..show import tables


@dataclass(frozen=True)
class Work:
    """Something to be measured."""

    does: int
    """How many things it does each time."""
    run: Callable[[], Any]


Part = tuple[dict[str, Work], Callable[[], list[str]]]
"""What is measured, and what is to be said below the table once it is."""


def in_turns(title: str, rounds: int, works: dict[str, Work]) -> dict[str, float]:
    """Measures pieces of work, prints their table, and gives by name how often as long a thing takes as the first's."""
    seconds = compare(rounds, works)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    first = next(iter(seconds.values()))
    ratios = {name: statistics.median(np.divide(times, first)) for name, times in seconds.items()}
    header = [title, "ms each", "per second", "times the first"]
    rows = [[name, f"{1e3 * s:.3f}", f"{1 / s:,.0f}", f"{ratios[name]:.3f}"] for name, s in medians.items()]
    print(tables.as_text(header, rows))
    return ratios


def compare(rounds: int, works: dict[str, Work]) -> dict[str, list[float]]:
    """Runs several pieces of work in turns; a first round is not counted.

    Returns:
        By name: the seconds that a thing took in each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work.run()
            seconds[name].append((time.perf_counter() - start) / work.does)
    return {name: times[1:] for name, times in seconds.items()}
