"""How much a reproduction's figures depend on its seed: mean and spread over whole runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..measure.senses import LABELS
from ..runs import folder as runs
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
    results = [dict(figures(runs.read(folder, "metrics.json"))) for folder in folders]
    gathered = {name: [result[name] for result in results] for name in results[0] if all(name in r for r in results)}
    runs.merge(out, NAME, {"runs": [folder.name for folder in folders], "figures": gathered}, nested=False)
    rows = [[name, *_cells(np.array(values), "%" in name)] for name, values in gathered.items()]
    return tables.as_text(["", "mean", "standard deviation", "least", "greatest"], rows)


def figures(metrics: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The main figures of a run by their names."""
    for method, row in metrics["table1"].items():
        for mapping, errors in row.items():
            yield f"{method}, {LABELS.get(mapping, mapping)}, MAE", errors["mae"]
    for way, row in metrics["reach"]["test"].items():
        for limit in (1, 2, 5):
            yield f"{way}, hand < {limit} cm, %", 100 * row["hand_error_cm"][f"within_{limit}"]
    for name, value in metrics["map"].items():
        yield f"map, {name.replace('_', ' ')}", value


def _cells(values: np.ndarray[Any, np.dtype[np.float64]], percent: bool) -> list[str]:
    told = (values.mean(), values.std(ddof=1), values.min(), values.max())
    return [tables.number(float(value), 1 if percent else 4) for value in told]
