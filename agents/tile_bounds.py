"""Bounds of the distance between queries and boxes of weights, summed up from tables.

A bound is a sum over dimensions of a number that depends on the query's value in that dimension alone. Tabulated for
64 intervals of values, the bounds of thousands of boxes are a sum of table rows (`embedding_bag`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .neuron_distances import Groups

INTERVALS = 64
"""Intervals per dimension."""
TINY = 1e-37
"""Taken off each bound besides its share of roundings, for distances so small that they are not rounded relatively."""


@dataclass(frozen=True)
class Intervals:
    """The borders of the intervals of each dimension, from its smallest to its largest value: (D, INTERVALS + 1)."""

    edges: Tensor

    @classmethod
    def between(cls, low: Tensor, high: Tensor) -> "Intervals":
        """Equal intervals from `low` to `high`, (D,) each."""
        steps = torch.linspace(0, 1, INTERVALS + 1, device=low.device)
        edges = low[:, None] + steps * (high - low)[:, None]
        edges[:, -1] = high
        return cls(edges.cummax(1).values.clamp(max=high[:, None]))

    def lower_table(self, low: Tensor, high: Tensor) -> Tensor:
        """Smallest distance of boxes to any value of an interval: (D, G, boxes) -> (D * INTERVALS * G, boxes)."""
        below, above = self.edges[:, :-1, None, None], self.edges[:, 1:, None, None]
        return torch.maximum(low[:, None] - above, below - high[:, None]).clamp_(min=0).flatten(0, 2)

    def upper_table(self, neurons: Tensor) -> Tensor:
        """Largest distance of neurons to any value of an interval: (D, T) -> (D * INTERVALS, T)."""
        below, above = self.edges[:, :-1, None], self.edges[:, 1:, None]
        return torch.maximum((neurons[:, None] - below).abs(), (neurons[:, None] - above).abs()).flatten(0, 1)


class BoundQuery:
    """Some queries made ready for the tables.

    Attributes:
        values: the queries dimension by dimension, (D, B).
        groups: what votes, and how much.
        dims: the dimensions that vote, (d,).
    """

    def __init__(self, queries: Tensor, groups: Groups, intervals: Intervals) -> None:
        self.values = queries.T.contiguous()
        self.groups = groups
        dims = [dim for names, _ in groups for dim in names]
        self.dims = torch.tensor(dims, device=queries.device)
        self.factors = queries.new_tensor([scale for names, scale in groups for _ in names])  # (d,)
        self._slack = (4 * len(dims) + 64) * 2.0**-24  # more than all roundings together
        edges = intervals.edges[self.dims]
        inside = self.values[self.dims].clamp(edges[:, :1], edges[:, -1:])
        self._beyond = self.factors @ (self.values[self.dims] - inside).abs()  # (B,): how far outside of all tables
        at = torch.searchsorted(edges[:, 1:-1].contiguous(), inside, right=True)  # (d, B)
        self._cells = (at + self.dims[:, None] * INTERVALS).T.contiguous()  # (B, d): rows (dimension, interval)

    def __len__(self) -> int:
        return self.values.shape[1]

    def lower(self, table: Tensor) -> Tensor:
        """Lower bounds of all boxes of a table of one group, (B, boxes)."""
        return self._lowered(self._sum(table, self._cells), self._beyond)

    def lower_of(self, table: Tensor, groups: int, rows: Tensor, group: Tensor) -> Tensor:
        """Lower bounds of the boxes of one group for each pair of a query and a group, (P, boxes)."""
        return self._lowered(self._sum(table, self._cells[rows] * groups + group[:, None]), self._beyond[rows])

    def upper(self, table: Tensor) -> Tensor:
        """Upper bounds of the distance to single neurons, (B, T)."""
        return self._sum(table, self._cells).add_(self._beyond[:, None]).mul_(1 + self._slack).add_(TINY)

    def box(self, rows: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Lower bounds of pairs of a query and a box (P, d), without tables and therefore tighter, (P,)."""
        values = self.values[self.dims].T[rows]
        return (values.clamp(low, high).sub_(values).abs_() @ self.factors).mul_(1 - self._slack).sub_(TINY)

    def _sum(self, table: Tensor, rows: Tensor) -> Tensor:
        weights = self.factors.expand(rows.shape).contiguous()
        return functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)

    def _lowered(self, bounds: Tensor, beyond: Tensor) -> Tensor:
        return bounds.add_(beyond[:, None]).mul_(1 - self._slack).sub_(TINY)
