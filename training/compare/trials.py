"""The results of `infant-arm tune`, as a file and as a table."""

import math
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from agents.tools import json_files

from ..measure.senses import COLUMNS, OVERALL
from ..runs.metrics import Trial
from ..show import tables

FOUND = "trials.json"
"""File of the results in a run's folder."""
Trials = dict[str, Annotated[list[Trial], Meta(min_length=1)]]
"""The content of the file, by method."""
REMARK = (
    "Mean absolute error on the validation split, of each method's best reading. Every method has the same number of settings; "
    "each is trained once, for a third of the epochs. A star marks the best setting."
)


def label(changes: dict[str, Any]) -> str:
    """The name of a setting in tables and folders."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changes.items()) or "as compared"


def found_in(run: Path) -> Trials:
    """The results of `infant-arm tune` in a run; empty if it was not run.

    Raises:
        DamagedFileError: the file is damaged.
    """
    try:
        return json_files.read(run / FOUND, Trials, f"run `infant-arm tune --run {run}` again")
    except FileNotFoundError:
        return {}


def table(found: Trials) -> tuple[list[str], list[list[str]]]:
    """Header and rows: errors of every setting; a star marks the best of each method."""
    rows = []
    for method, trials in found.items():
        best = min(trials, key=lambda trial: trial.error.get(OVERALL, math.inf))
        for trial in trials:
            cells = [tables.number(trial.error.get(name)) for name in COLUMNS]
            cells[-1] += "*" if trial is best else ""
            rows.append([method, trial.setting, *cells, f"{trial.cpu_s:.0f}"])
    return ["method", "setting", *COLUMNS.values(), "CPU s"], rows
