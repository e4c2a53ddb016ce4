"""The geometry of a map: where its neurons lie, how far they are from each other, and which are neighbors."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError

Topology = Literal["plane", "torus", "hexagonal"]
TOPOLOGIES: tuple[Topology, ...] = get_args(Topology)
Region = tuple[slice, slice]
"""Some rows and some columns of a map."""
_ROW_SQUARED = 0.75
ROW = _ROW_SQUARED**0.5
"""Distance between two rows of a hexagonal map; neurons of one row are 1 apart."""
_DIRECT, _DIAGONAL = ((1, 0), (-1, 0), (0, 1), (0, -1)), ((1, 1), (1, -1), (-1, 1), (-1, -1))
_HEXAGONAL = ((0, 1), (0, -1), (1, 0), (1, 1), (-1, 0), (-1, 1))
"""Steps from an odd row of a hexagonal map; from an even row, those to another row end one column further left."""


@dataclass(frozen=True)
class Grid:
    """The places of a map's neurons.

    - **plane**: a square grid with four edges.
    - **torus**: a square grid whose opposite edges are joined, so it has no edge.
    - **hexagonal**: odd rows lie half a neuron further right, and rows are sqrt(3)/2 apart, so each neuron has six neighbors
      at distance 1.

    Attributes:
        shape: rows and columns, (X, Y).
        topology: one of these three.
    """

    shape: tuple[int, int]
    topology: Topology = "plane"

    def __post_init__(self) -> None:
        if self.topology not in TOPOLOGIES:
            raise UserError(f"got topology={self.topology!r}, expected one of {list(TOPOLOGIES)}")

    @property
    def number(self) -> int:
        """The topology as a number, 0 for a plane."""
        return TOPOLOGIES.index(self.topology)

    def split(self, neurons: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of each neuron, from its flat index."""
        return neurons // self.shape[1], neurons % self.shape[1]

    def at(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Flat indices of neurons; beyond an edge stands the neuron at the edge, or on a torus the one on the other side."""
        rows, columns = (
            places % side if self._joined(side) else places.clamp(0, side - 1)
            for places, side in zip((rows, columns), self.shape, strict=True)
        )
        return rows * self.shape[1] + columns

    def places(self, neurons: Tensor) -> Tensor:
        """Where neurons lie: flat indices (...,) -> distance from the first row and from the first column, (..., 2)."""
        rows, columns = (part.float() for part in self.split(neurons))
        return torch.stack(
            [rows * ROW, columns + rows % 2 / 2] if self.topology == "hexagonal" else [rows, columns], -1
        )

    def steps(self, rows: Tensor, columns: Tensor, to_rows: Tensor, to_columns: Tensor) -> tuple[Tensor, Tensor]:
        """How many rows and how many columns lie between neurons; any shapes that fit together."""
        down, across = to_rows - rows, to_columns - columns
        if self.topology == "hexagonal":
            across = across + (to_rows % 2 - rows % 2) / 2
        down, across = down.abs(), across.abs()
        if self.topology == "torus":
            down, across = (
                torch.minimum(gaps, (side - gaps).abs()) for gaps, side in zip((down, across), self.shape, strict=True)
            )
        return down, across

    def squared(self, down: Tensor, across: Tensor | float = 0.0) -> Tensor:
        """The squared distance of so many rows and columns."""
        return down**2 * (_ROW_SQUARED if self.topology == "hexagonal" else 1) + across**2

    def squared_distances(self, neurons: Tensor, others: Tensor) -> Tensor:
        """Squared distances on the map between neurons, from flat indices of shapes that fit together."""
        return self.squared(*self.steps(*self.split(neurons), *self.split(others)))

    def pairs(self) -> list[tuple[Region, Region]]:
        """All pairs of direct neighbors, each once, as two equal parts of an array (X, Y, ...): first neurons, second neurons.

        A neuron of a square grid has four direct neighbors, one of a hexagonal grid six.
        """
        every, low, high = slice(None), slice(-1), slice(1, None)
        found: list[tuple[Region, Region]] = [((low, every), (high, every)), ((every, low), (every, high))]
        if self._joined(self.shape[0]):
            found.append(((slice(-1, None), every), (slice(1), every)))
        if self._joined(self.shape[1]):
            found.append(((every, slice(-1, None)), (every, slice(1))))
        if self.topology == "hexagonal":
            found.append(((slice(0, -1, 2), high), (slice(1, None, 2), low)))
            found.append(((slice(1, -1, 2), low), (slice(2, None, 2), high)))
        return found

    def with_margin(self, planes: Tensor, beyond: float) -> Tensor:
        """Planes (D, X, Y) of a square grid with what lies beyond each edge: a number, or on a torus the other side."""
        torus = self.topology == "torus"
        return functional.pad(planes, (1, 1, 1, 1), "circular" if torus else "constant", None if torus else beyond)

    def neighbors(self, neurons: Tensor, diagonals: bool = True) -> Tensor:
        """The neighbors of each neuron; the neuron itself stands for those that an edge cuts off.

        Args:
            neurons: flat indices, (N,).
            diagonals: whether a square grid has eight neighbors or four; a hexagonal one has six.

        Returns:
            Flat indices, (N, 8), (N, 4) or (N, 6).
        """
        rows, columns = (part[:, None] for part in self.split(neurons))
        hexagonal = self.topology == "hexagonal"
        offsets = _HEXAGONAL if hexagonal else _DIRECT + _DIAGONAL if diagonals else _DIRECT
        down, across = neurons.new_tensor(offsets).unbind(1)
        if hexagonal:
            across = across - down.abs() * (1 - rows % 2)
        rows, columns = rows + down, columns + across
        outside = ~(self._within(rows, self.shape[0]) & self._within(columns, self.shape[1]))
        return torch.where(outside, neurons[:, None], self.at(rows, columns))

    def window(self, neuron: int, reach: int) -> Tensor:
        """The neurons at most `reach` away from one along both axes, and perhaps some more: flat indices, each once."""
        reach = -int(-reach // ROW) if self.topology == "hexagonal" else reach
        rows, columns = (
            torch.arange(side)
            if 2 * reach + 1 >= side
            else torch.arange(at - reach, at + reach + 1) % side
            if self._joined(side)
            else torch.arange(max(at - reach, 0), min(at + reach + 1, side))
            for at, side in zip(divmod(neuron, self.shape[1]), self.shape, strict=True)
        )
        return (rows[:, None] * self.shape[1] + columns).flatten()

    def _joined(self, side: int) -> bool:
        """Whether the two ends of a side are joined; those of two neurons are neighbors anyway."""
        return self.topology == "torus" and side > 2

    def _within(self, places: Tensor, side: int) -> Tensor:
        return torch.full_like(places, self._joined(side), dtype=torch.bool) | ((places >= 0) & (places < side))
