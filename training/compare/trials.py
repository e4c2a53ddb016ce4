"""What `infant-arm tune` found, as a table."""

from typing import Any

from ..measure.senses import LABELS
from ..measure.statistics import OVERALL
from ..show import tables

FOUND = "trials.json"
"""File in a run's folder: what came out."""
REMARK = (
    "Mean absolute error on the validation split, of the reading that errs least: one training each, a third of the epochs, "
    "as many settings of every method; a star at its best."
)


def label(changes: dict[str, Any]) -> str:
    """A setting's name in tables and folders."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changes.items()) or "as compared"


def table(found: dict[str, list[dict[str, Any]]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: errors of every setting; a star at each method's best."""
    names = LABELS | {OVERALL: OVERALL}
    rows = []
    for method, trials in found.items():
        best = min(trials, key=lambda trial: trial["error"]["overall"])
        for trial in trials:
            cells = [tables.number(trial["error"][n]) if n in trial["error"] else "-" for n in names]
            cells[-1] += "*" if trial is best else ""
            rows.append([method, trial["setting"], *cells, f"{trial['cpu_s']:.0f}"])
    return ["method", "setting", *names.values(), "CPU s"], rows
