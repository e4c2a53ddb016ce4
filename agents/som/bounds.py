"""Bounds of the distance between queries and boxes of weights, from tables.

A bound is a sum over dimensions, and each summand depends only on the query's value in its dimension. A table holds these
summands for 64 intervals of values; then the bounds of thousands of boxes are a sum of table rows (`embedding_bag`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .distances import AT_ONCE, Distance, Groups, cost

INTERVALS = 64
"""Intervals per dimension."""
TINY = 1e-37
"""Absolute slack of bounds: the relative slack does not cover the rounding errors of such small distances."""


@dataclass(frozen=True)
class Intervals:
    """The borders of each dimension's intervals, from its smallest to its largest value.

    Attributes:
        edges: shape (D, INTERVALS + 1).
        distance: how gaps count in the tables.
    """

    edges: Tensor
    distance: Distance

    @classmethod
    def between(cls, low: Tensor, high: Tensor, distance: Distance) -> "Intervals":
        """Equal intervals from `low` to `high`, (D,) each."""
        steps = torch.linspace(0, 1, INTERVALS + 1, device=low.device)
        edges = low[:, None] + steps * (high - low)[:, None]
        edges[:, -1] = high
        return cls(edges.cummax(1).values.clamp(max=high[:, None]), distance)

    def lower_table(self, low: Tensor, high: Tensor) -> Tensor:
        """Smallest distance between each box and any value of each interval: (D, T) -> (D * INTERVALS, T)."""
        below, above = self.edges[:, :-1, None], self.edges[:, 1:, None]
        gaps = torch.maximum(low[:, None] - above, below - high[:, None]).clamp_(min=0)
        return cost(gaps, self.distance).flatten(0, 1)

    def upper_table(self, neurons: Tensor) -> Tensor:
        """Largest distance between each neuron and any value of each interval: (D, T) -> (D * INTERVALS, T)."""
        below, above = self.edges[:, :-1, None], self.edges[:, 1:, None]
        gaps = torch.maximum((neurons[:, None] - below).abs(), (neurons[:, None] - above).abs())
        return cost(gaps, self.distance).flatten(0, 1)


class BoundQuery:
    """Queries with their positions in the tables.

    Attributes:
        values: the queries dimension by dimension, (D, B).
        groups: the voting dimensions and their factors.
        dims: the voting dimensions, (d,).
    """

    def __init__(self, queries: Tensor, groups: Groups, intervals: Intervals) -> None:
        self.values = queries.T.contiguous()
        self.groups = groups
        dims = [dim for part, _ in groups for dim in part]
        self.dims = torch.tensor(dims, device=queries.device)
        self.factors = queries.new_tensor([scale for part, scale in groups for _ in part])  # (d,)
        self._slack = (8 * len(dims) + 128) * 2.0**-24  # more than all rounding errors together
        edges = intervals.edges[self.dims]
        inside = self.values[self.dims].clamp(edges[:, :1], edges[:, -1:])
        beyond = (self.values[self.dims] - inside).abs()  # (d, B): gaps to the tables' range
        self._beyond = self.factors @ groups.cost(beyond.clone())  # (B,)
        self._beyond_most = self._beyond
        if groups.distance == "l2":  # (beyond + gap)^2 lies between beyond^2 + gap^2 and that plus 2 beyond gap
            self._beyond_most = self._beyond + self.factors @ (2 * beyond * (edges[:, -1:] - edges[:, :1]))
        at = torch.searchsorted(edges[:, 1:-1].contiguous(), inside, right=True)  # (d, B)
        self._cells = (at + self.dims[:, None] * INTERVALS).T.contiguous()  # (B, d): rows (dimension, interval)

    def __len__(self) -> int:
        return self.values.shape[1]

    def lower(self, table: Tensor) -> Tensor:
        """Lower bounds of the distance to all boxes of a table, (B, T)."""
        return self._table_sum(table).add_(self._beyond[:, None])

    def relaxed(self, limits: Tensor) -> Tensor:
        """Limits plus the slack for rounding errors; a lower bound above this rules a box out."""
        return limits * (1 + self._slack) + TINY

    def upper(self, table: Tensor) -> Tensor:
        """Upper bounds of the distance to single neurons, (B, T)."""
        return self._table_sum(table).add_(self._beyond_most[:, None]).mul_(1 + self._slack).add_(TINY)

    def lower_within(self, extremes: Tensor, rows: Tensor, parents: Tensor) -> Tensor:
        """Lower bounds of the distance to a parent's children, for pairs of a query and a parent, (P, children).

        Args:
            extremes: smallest and then largest weights of all children: (D, parents, 2 * children).
            rows: the query of each pair, shape (P,).
            parents: the parent of each pair, shape (P,).
        """
        bounds = self.factors.new_zeros((len(rows), extremes.shape[2] // 2))
        pairs = AT_ONCE // bounds.shape[1]
        for part, row, parent in zip(bounds.split(pairs), rows.split(pairs), parents.split(pairs), strict=True):
            self._add_gaps(extremes, row, parent, part)
        return bounds

    def _add_gaps(self, extremes: Tensor, rows: Tensor, parents: Tensor, bounds: Tensor) -> None:
        """Adds the distance between each query and each child's box to `bounds`."""
        ends, gaps = bounds.new_empty((len(rows), extremes.shape[2])), torch.empty_like(bounds)
        for dim, factor in zip(self.dims.tolist(), self.factors.tolist(), strict=True):
            low, high = torch.index_select(extremes[dim], 0, parents, out=ends).chunk(2, 1)
            value = self.values[dim].index_select(0, rows)[:, None]
            torch.clamp(value, low, high, out=gaps)
            bounds.add_(self.groups.cost(gaps.sub_(value)), alpha=factor)

    def _table_sum(self, table: Tensor) -> Tensor:
        weights = self.factors.expand(self._cells.shape).contiguous()
        return functional.embedding_bag(self._cells, table, mode="sum", per_sample_weights=weights)
