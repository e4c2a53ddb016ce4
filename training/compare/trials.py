"""What `infant-arm tune` found, as a table."""

import math
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from agents.tools import json_files

from ..measure.senses import LABELS
from ..measure.statistics import OVERALL
from ..runs.metrics import Trial
from ..show import tables

FOUND = "trials.json"
"""File in a run's folder: what came out."""
Trials = dict[str, Annotated[list[Trial], Meta(min_length=1)]]
"""What stands there, by method."""
REMARK = (
    "Mean absolute error on the validation split, of the reading that errs least: one training each, a third of the epochs, "
    "as many settings of every method; a star at its best."
)


def label(changes: dict[str, Any]) -> str:
    """A setting's name in tables and folders."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changes.items()) or "as compared"


def found_in(run: Path) -> Trials:
    """What `infant-arm tune` found in a run; nothing when it was not run.

    Raises:
        DamagedFileError: its file is damaged.
    """
    try:
        return json_files.read(run / FOUND, Trials, f"run `infant-arm tune --run {run}` again")
    except FileNotFoundError:
        return {}


def table(found: Trials) -> tuple[list[str], list[list[str]]]:
    """Header and rows: errors of every setting; a star at each method's best."""
    names = LABELS | {OVERALL: OVERALL}
    rows = []
    for method, trials in found.items():
        best = min(trials, key=lambda trial: trial.error.get("overall", math.inf))
        for trial in trials:
            cells = [tables.number(trial.error.get(name)) for name in names]
            cells[-1] += "*" if trial is best else ""
            rows.append([method, trial.setting, *cells, f"{trial.cpu_s:.0f}"])
    return ["method", "setting", *names.values(), "CPU s"], rows
