"""How much a reproduction's figures depend on its seed: mean and spread over whole runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.tools.files import write_json
from infant_env.errors import UserError

from ..measure.senses import LABELS
from ..runs import folder as runs
from ..runs.metrics import Metrics
from ..show import tables

NAME = "seeds.json"


def summarize(folders: Sequence[Path], out: Path) -> str:
    """Gathers the main figures of finished runs, keeps every one of them in `seeds.json`, and says what they spread over.

    Args:
        folders: the runs' folders.
        out: where `seeds.json` goes.

    Returns:
        The table for the terminal: mean, standard deviation, least and greatest over the runs.
    """
    results = [dict(figures(_finished(folder))) for folder in folders]
    gathered = {name: [result[name] for result in results] for name in results[0] if all(name in r for r in results)}
    write_json(out / NAME, {"runs": [folder.name for folder in folders], "figures": gathered})
    rows = [[name, *_cells(np.array(values), "%" in name)] for name, values in gathered.items()]
    return tables.as_text(["", "mean", "standard deviation", "least", "greatest"], rows)


def _finished(run: Path) -> Metrics:
    found = runs.metrics_of(run)
    for section, there, command in (
        ("Table 1", found.table1, "evaluate"),
        ("errors of reaching", found.reach.get("test"), "reach"),
    ):
        if not there:
            raise UserError(f"{run} has no {section} yet; run `infant-arm {command} --run {run}` first")
    return found


def figures(metrics: Metrics) -> Iterator[tuple[str, float]]:
    """The main figures of a run by their names."""
    for method, row in metrics.table1.items():
        for mapping, errors in row.items():
            yield f"{method}, {LABELS.get(mapping, mapping)}, MAE", errors.mae
    for way, reached in metrics.reach["test"].items():
        if hand := reached.hand_error_cm:
            for limit, share in ((1, hand.within_1), (2, hand.within_2), (5, hand.within_5)):
                yield f"{way}, hand < {limit} cm, %", 100 * share
    for name, value in metrics.map.measures() if metrics.map else ():
        yield f"map, {name}", value


def _cells(values: np.ndarray[Any, np.dtype[np.float64]], percent: bool) -> list[str]:
    told = (values.mean(), values.std(ddof=1), values.min(), values.max())
    return [tables.number(float(value), 1 if percent else 4) for value in told]
