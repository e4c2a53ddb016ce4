"""One training of a library at one size: its epochs and radii."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.som_training.schedule import sigma_for

Floats = NDArray[np.float32]
Shape = tuple[int, int]


@dataclass(frozen=True)
class Stage:
    """A training at one size."""

    epochs: int
    first: float
    """Radius of the first epoch, in neurons."""
    last: float
    """Radius of the last epoch."""
    seed: int = 0

    @property
    def beyond(self) -> float:
        """The radius one step after the last epoch, for libraries that reach the given radius only there."""
        return float(self.last * (self.last / self.first) ** (1 / max(self.epochs - 1, 1)))


Train = Callable[[Floats, Shape, Stage, Floats | None], Floats]
"""Scaled features (N, D), shape (X, Y), the stage, initial weights (X, Y, D) or None -> weights (X, Y, D)."""


def radii(shape: Shape, count: int) -> tuple[float, float]:
    """First and last radius of a whole training, in neurons, for all libraries with this choice."""
    return max(0.3 * max(shape), 0.5), sigma_for(shape, count)
