"""The rows of a study: one for each measured value, from all seeds."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing

Row = Mapping[str, str | float]
"""A measured value and what it belongs to, by column."""
SEED = "seed"
Floats = NDArray[np.float64]


class Rows(list[Row]):
    """Rows with the same columns, of which `seed` is one."""

    def where(self, **values: str | float) -> "Rows":
        """The rows that have these values."""
        return Rows(row for row in self if all(row[name] == value for name, value in values.items()))

    def kinds(self, column: str) -> list[Any]:
        """The different values of a column, in the order of their first rows."""
        return list(dict.fromkeys(row[column] for row in self))

    def curve(self, x: str, y: str) -> tuple[Floats, Floats]:
        """A curve for each seed.

        Args:
            x: a column with numbers; each seed has the same ones.
            y: a column with numbers; where a seed has several rows with the same x, their mean counts.

        Returns:
            The different x, ascending, (X,), and y, (S, X).
        """
        places, seeds = sorted(self.kinds(x)), self.kinds(SEED)
        found: dict[tuple[Any, Any], list[float]] = {}
        for row in self:
            found.setdefault((row[SEED], row[x]), []).append(float(row[y]))
        values = [[float(np.mean(found[seed, place])) for place in places] for seed in seeds]
        return np.array(places, float), np.array(values).reshape(len(seeds), len(places))

    def by_seed(self, y: str) -> Floats:
        """The mean of a column for each seed, (S,)."""
        return np.array([np.mean([float(row[y]) for row in self.where(seed=seed)]) for seed in self.kinds(SEED)])

    def mean(self, y: str) -> float:
        """The mean of a column over the seeds."""
        return float(self.by_seed(y).mean())

    def write(self, path: Path) -> None:
        """Writes them as CSV, completely or not at all; numbers in full."""
        with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self)


def of_seed(seed: int, rows: Iterable[Row]) -> Rows:
    """The rows of a seed."""
    return Rows({SEED: seed, **row} for row in rows)
