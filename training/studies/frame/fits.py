"""Fits of curves."""

from typing import NamedTuple

import numpy as np

from .rows import Floats

TIMES = np.geomspace(0.5, 1000, 400)
"""Time constants among which the best one is sought."""
FLAT = 1e-9


class Exponential(NamedTuple):
    """y = end + drop * exp(-n / time) for n = 0, 1, ..."""

    end: float
    drop: float
    time: float
    r2: float
    """Share of the variance that it explains."""

    def __call__(self, count: int) -> Floats:
        """The first values."""
        return self.end + self.drop * np.exp(-np.arange(count) / self.time)


def exponential(values: Floats) -> Exponential:
    """The exponential with the least squared error, of values (N,); it explains nothing of values that stay the same."""
    n, best = np.arange(len(values)), None
    spread = float(((values - values.mean()) ** 2).sum())
    if spread <= FLAT:
        return Exponential(float(values.mean()), 0.0, float("nan"), 0.0)
    for time in TIMES:
        basis = np.stack([np.ones(len(values)), np.exp(-n / time)], 1)
        (end, drop), *_ = np.linalg.lstsq(basis, values)
        r2 = 1 - float(((basis @ [end, drop] - values) ** 2).sum()) / spread
        if best is None or r2 > best.r2:
            best = Exponential(float(end), float(drop), float(time), r2)
    assert best is not None
    return best
