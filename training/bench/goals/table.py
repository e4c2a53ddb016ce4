"""The table of image goals: shares of reached goals with 95 % intervals, and what each agent costs."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...measure.statistics import Interval, Resampling, wilson
from ...show import tables
from .agents.registry import label_of
from .tasks import Kept, Try

LIMITS = (1, 2, 5)
"""Distances of the hand at which a goal counts as reached, cm."""
COSTS = ["steps", "ms a goal", "learning s", "seeds"]
HEADER = ["agent", "budget", *(f"hand < {cm} cm" for cm in LIMITS), "median cm", "arm IoU", *COSTS]


@dataclass(frozen=True)
class Row:
    """An agent at a budget, over all its seeds."""

    agent: str
    budget: int
    within: dict[int, Interval]
    """Share of the goals reached, by the distance in cm."""
    median_cm: float
    arm_iou: Interval
    steps: float
    ms: float
    learning_s: float
    seeds: int


def rows_of(found: Iterable[tuple[Try, Kept]]) -> list[Row]:
    """The rows, by budget and in the order of the agents."""
    kept: dict[tuple[int, str], list[Kept]] = {}
    for one, outcome in found:
        kept.setdefault((one.budget, label_of(one.agent)), []).append(outcome)
    return [_row(agent, budget, of_seeds) for (budget, agent), of_seeds in sorted(kept.items(), key=lambda i: i[0][0])]


def as_table(rows: Iterable[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells."""
    return HEADER, [_cells(row) for row in rows]


def _row(agent: str, budget: int, kept: list[Kept]) -> Row:
    apart, iou = (np.array([getattr(k.outcome, name) for k in kept], np.float32) for name in ("hand_cm", "arm_iou"))
    draw = Resampling(*apart.shape)
    steps, ms = (float(np.mean([getattr(k.outcome, name) for k in kept])) for name in ("steps", "thinking_ms"))
    within = {cm: _share_of(apart <= cm, draw) for cm in LIMITS}
    learning = float(np.mean([k.learning_s for k in kept]))
    return Row(agent, budget, within, float(np.median(apart)), draw.interval(iou), steps, ms, learning, len(kept))


def _share_of(reached: NDArray[np.bool_], draw: Resampling) -> Interval:
    """The share of goals reached (S, N): its interval is that of the bootstrap, or Wilson's of the goals where that is wider."""
    found = draw.interval(reached.astype(np.float32))
    over_goals = wilson(found.mean, reached.shape[1])
    return Interval(found.mean, min(found.low, over_goals.low), max(found.high, over_goals.high))


def _cells(row: Row) -> list[str]:
    shares = [_share(each) for each in row.within.values()]
    iou = f"{tables.number(row.arm_iou.mean, 2)} [{tables.number(row.arm_iou.low, 2)}, {tables.number(row.arm_iou.high, 2)}]"
    costs = [f"{row.steps:.0f}", f"{row.ms:.0f}", f"{row.learning_s:.0f}", str(row.seeds)]
    return [row.agent, f"{row.budget:,}", *shares, f"{row.median_cm:.1f}", iou, *costs]


def _share(share: Interval) -> str:
    low, high = (f"{100 * end:.0f}" for end in (share.low, share.high))
    return f"{100 * share.mean:.0f} % [{low}, {high}]"
