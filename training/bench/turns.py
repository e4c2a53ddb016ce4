"""Workloads measured in turns, so that changes of the machine's load meet all of them alike."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..show import tables


@dataclass(frozen=True)
class Workload:
    """A piece of work whose duration is measured."""

    count: int
    """How many things each call of `run` does, for example steps or pictures."""
    run: Callable[[], Any]


Benchmark = tuple[dict[str, Workload], Callable[[], list[str]]]
"""The workloads by name, and a function that gives the lines to print below their table."""


def compare(title: str, rounds: int, workloads: dict[str, Workload]) -> dict[str, float]:
    """Measures workloads, prints their table, and returns by name the time for one thing relative to the first workload's."""
    seconds = measure(rounds, workloads)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    first = next(iter(seconds.values()))
    ratios = {name: statistics.median(np.divide(times, first)) for name, times in seconds.items()}
    header = [title, "ms each", "per second", "times the first"]
    rows = [[name, f"{1e3 * s:.3f}", f"{1 / s:,.0f}", f"{ratios[name]:.3f}"] for name, s in medians.items()]
    print(tables.as_text(header, rows))
    return ratios


def measure(rounds: int, workloads: dict[str, Workload]) -> dict[str, list[float]]:
    """Runs workloads in turns; the first round does not count.

    Returns:
        By name: the seconds for one thing in each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in workloads}
    for _ in range(rounds + 1):
        for name, workload in workloads.items():
            start = time.perf_counter()
            workload.run()
            seconds[name].append((time.perf_counter() - start) / workload.count)
    return {name: times[1:] for name, times in seconds.items()}
