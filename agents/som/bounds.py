"""Bounds of the distance between queries and boxes of weights, summed up from tables.

A bound is a sum over dimensions of a number that depends on the query's value in that dimension alone. Tabulated for
64 intervals of values, the bounds of thousands of boxes are a sum of table rows (`embedding_bag`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .distances import Groups

INTERVALS = 64
"""Intervals per dimension."""
AT_ONCE = 2**19
"""Bounds that are computed together; they fit into a core's cache."""
TINY = 1e-37
"""Added besides the share of roundings, for distances so small that they are not rounded relatively."""


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
        """Smallest distance of boxes to any value of an interval: (D, T) -> (D * INTERVALS, T)."""
        below, above = self.edges[:, :-1, None], self.edges[:, 1:, None]
        return torch.maximum(low[:, None] - above, below - high[:, None]).clamp_(min=0).flatten(0, 1)

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
        self._slack = (8 * len(dims) + 128) * 2.0**-24  # more than all roundings together
        edges = intervals.edges[self.dims]
        inside = self.values[self.dims].clamp(edges[:, :1], edges[:, -1:])
        self._beyond = self.factors @ (self.values[self.dims] - inside).abs()  # (B,): how far outside of all tables
        at = torch.searchsorted(edges[:, 1:-1].contiguous(), inside, right=True)  # (d, B)
        self._cells = (at + self.dims[:, None] * INTERVALS).T.contiguous()  # (B, d): rows (dimension, interval)

    def __len__(self) -> int:
        return self.values.shape[1]

    def lower(self, table: Tensor) -> Tensor:
        """Lower bounds of the distance to all boxes of a table, (B, T)."""
        return self._sum(table).add_(self._beyond[:, None])

    def relaxed(self, limits: Tensor) -> Tensor:
        """Somewhat more than these distances: what a lower bound must exceed to rule a box out."""
        return limits * (1 + self._slack) + TINY

    def upper(self, table: Tensor) -> Tensor:
        """Upper bounds of the distance to single neurons, (B, T)."""
        return self._sum(table).add_(self._beyond[:, None]).mul_(1 + self._slack).add_(TINY)

    def lower_within(self, extremes: Tensor, rows: Tensor, parents: Tensor) -> Tensor:
        """Lower bounds of a parent's children for each pair of a query and a parent, (P, children).

        Args:
            extremes: smallest, then largest weight of each child, dimension by dimension: (D, parents, 2 * children).
            rows: the query of each pair, shape (P,).
            parents: the parent of each pair, shape (P,).
        """
        bounds = self.factors.new_zeros((len(rows), extremes.shape[2] // 2))
        pairs = AT_ONCE // bounds.shape[1]
        for part, row, parent in zip(bounds.split(pairs), rows.split(pairs), parents.split(pairs), strict=True):
            self._add_within(extremes, row, parent, part)
        return bounds

    def _add_within(self, extremes: Tensor, rows: Tensor, parents: Tensor, bounds: Tensor) -> None:
        """Add to `bounds` how far each query lies outside of each child's box."""
        within, gaps = bounds.new_empty((len(rows), extremes.shape[2])), torch.empty_like(bounds)
        for dim, factor in zip(self.dims.tolist(), self.factors.tolist(), strict=True):
            low, high = torch.index_select(extremes[dim], 0, parents, out=within).chunk(2, 1)
            value = self.values[dim].index_select(0, rows)[:, None]
            torch.clamp(value, low, high, out=gaps)
            bounds.add_(gaps.sub_(value).abs_(), alpha=factor)

    def _sum(self, table: Tensor) -> Tensor:
        weights = self.factors.expand(self._cells.shape).contiguous()
        return functional.embedding_bag(self._cells, table, mode="sum", per_sample_weights=weights)
