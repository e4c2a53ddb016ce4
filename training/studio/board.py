"""The board that shows the map behind the infant: where a click on it lands, and where a neuron is on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infant_env.body.parts import quaternion

HEAD, FOOT = 0.09, 0.09
"""Height of the lines above and below the map, as shares of its side."""


@dataclass(frozen=True)
class Board:
    """A square map, upright in the world, with a line of text above and below.

    Attributes:
        center: of the map, shape (3,), m.
        facing: horizontal direction, degrees about z from x, that its front looks in.
        side: of the map, m.
        shape: rows and columns of the map.
    """

    center: tuple[float, float, float]
    facing: float
    side: float
    shape: tuple[int, int]

    @property
    def axes(self) -> NDArray[np.float64]:
        """To the right, down and away from who looks at it: columns of (3, 3)."""
        turn = np.deg2rad(self.facing)
        front = np.array([np.cos(turn), np.sin(turn), 0.0])
        return np.stack([np.cross([0.0, 0.0, 1.0], front), [0.0, 0.0, -1.0], -front], axis=1)

    @property
    def wxyz(self) -> NDArray[np.float64]:
        """How the picture is turned, as a quaternion (4,)."""
        return quaternion(self.axes)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole picture, m."""
        return self.side, self.side * (1 + HEAD + FOOT)

    @property
    def middle(self) -> NDArray[np.float64]:
        """Center of the whole picture, shape (3,), m."""
        return np.array(self.center) + self.axes[:, 1] * self.side * (FOOT - HEAD) / 2

    def neuron_at(self, origin: ArrayLike, direction: ArrayLike) -> tuple[int, int] | None:
        """The neuron that a ray meets, row and column; None beside the map, or from behind."""
        start, along = np.asarray(origin, float), np.asarray(direction, float)
        away = self.axes[:, 2]
        if along @ away <= 1e-9:
            return None
        hit = start + along * ((np.array(self.center) - start) @ away / (along @ away))
        right, down = (hit - self.center) @ self.axes[:, :2] / self.side + 0.5
        row, column = int(np.floor(down * self.shape[0])), int(np.floor(right * self.shape[1]))
        inside = 0 <= row < self.shape[0] and 0 <= column < self.shape[1]
        return (row, column) if inside else None

    def place_of(self, row: float, column: float, before: float = 0.0) -> NDArray[np.float64]:
        """Where a neuron's middle is, shape (3,), m; a little before the board, if so wanted."""
        shares = np.array([(column + 0.5) / self.shape[1] - 0.5, (row + 0.5) / self.shape[0] - 0.5])
        return np.array(self.center) + self.axes[:, :2] @ (shares * self.side) - before * self.axes[:, 2]
