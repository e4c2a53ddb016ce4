"""The results of reinforcement learning: one row per policy, over its seeds."""

import numpy as np

from ..runs.learning import Judgment, Learned, Result
from ..show import tables

NEAR = {"hand": (2, 5), "image": (2, 5), "joints": (5, 10)}
"""The limits of near and far for each kind of goal: cm of the hand, or degrees of the worst joint."""
NOTE = (
    "Fixed goals in real physics; the last step of an episode counts. Mean over seeds and 95 % bootstrap interval. "
    "Steps are those of the real infant, the world model's included."
)
_REACHED = 0.9  # share of the goals
_RESAMPLINGS = 10_000


def until(result: Result, which: str, key: str) -> float | None:
    """Real steps or seconds until 90 % of the goals are reached; the steps include those that trained the world model.

    Args:
        result: the result of one seed.
        which: `near` or `far`.
        key: `steps` or `seconds`.

    Returns:
        The steps or seconds, or None if so many goals were never reached.
    """
    for judgment in result.judgments:
        if getattr(judgment, which) >= _REACHED:
            own = 0 if key == "steps" and result.imagined else getattr(judgment, key)
            return float(own + (result.model_steps if key == "steps" else 0))
    return None


def interval(values: list[float], seed: int = 0) -> tuple[float, float, float]:
    """The mean, and the lower and upper end of its 95 % bootstrap interval (percentiles)."""
    means = np.random.default_rng(seed).choice(values, (_RESAMPLINGS, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(np.mean(values)), float(low), float(high)


def summary(rows: dict[str, Learned]) -> str:
    """The table for the terminal."""
    return f"{NOTE}\n{tables.as_text(*table(rows))}"


def table(rows: dict[str, Learned]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: mean over the seeds and 95 % interval; if not all seeds reached 90 % of the goals, how many did."""
    header = ["", "seeds", "steps to 90 % < 5 cm", "minutes", "steps to 90 % < 2 cm", "minutes"]
    header += ["< 5 cm at the end", "< 2 cm at the end", "median cm"]
    return header, [[name, *_row(row.seeds, row.goal)] for name, row in rows.items()]


def _row(seeds: list[Result], goal: str) -> list[str]:
    cells = [str(len(seeds))]
    for which in ("far", "near"):
        cells.append(_cell([until(result, which, "steps") for result in seeds], "{:,.0f}", 1))
        cells.append(_cell([until(result, which, "seconds") for result in seeds], "{:.1f}", 1 / 60))
    last: list[Judgment] = [result.judgments[-1] for result in seeds]
    for which in ("far", "near"):
        mean, low, high = interval([getattr(judgment, which) for judgment in last])
        cells.append(f"{100 * mean:.0f} % ({100 * low:.0f}-{100 * high:.0f})")
    median = float(np.mean([judgment.median for judgment in last]))
    return [*cells, f"{median:.2f}" if goal != "joints" else f"{median:.1f} deg; near: 5 deg, far: 10"]


def _cell(values: list[float | None], form: str, unit: float) -> str:
    """Mean and interval of the seeds that have a value, and their number if some have none."""
    reached = [value * unit for value in values if value is not None]
    if not reached:
        return "-"
    mean, low, high = interval(reached)
    cell = form.format(mean) if low == high else f"{form.format(mean)} ({form.format(low)}-{form.format(high)})"
    return cell if len(reached) == len(values) else f"{cell}, {len(reached)} of {len(values)}"
