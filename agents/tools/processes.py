"""Sums over several processes that train one map together, each with its share of the samples."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch import distributed as dist

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class Processes:
    """Communication between the processes of a training; without a group there is only this process.

    All sums that a map depends on are sums of integers, so they do not depend on the number or the order of the processes.

    Args:
        group: a group of torch.distributed (gloo or nccl), or None.
    """

    def __init__(self, group: "ProcessGroup | None" = None) -> None:
        self.group = group

    def total(self, values: Tensor) -> Tensor:
        """Sums over all processes, in place."""
        if self.group is not None:
            dist.all_reduce(values, group=self.group)
        return values

    def largest(self, values: Tensor) -> Tensor:
        """Largest values of all processes, in place."""
        if self.group is not None:
            dist.all_reduce(values, dist.ReduceOp.MAX, group=self.group)
        return values

    def gathered_evenly(self, columns: list[Tensor], most: int) -> list[Tensor]:
        """At most this many rows of all processes, evenly spaced, in the order of the ranks: (N, ...) -> (n, ...) each."""
        lengths = self._gather(len(columns[0]))
        stride = -(-sum(lengths) // most)
        offset = 0 if self.group is None else sum(lengths[: dist.get_rank(self.group)])
        parts = self._gather([rows[-offset % stride :: stride].cpu() for rows in columns])
        return [torch.cat(same).to(rows.device) for same, rows in zip(zip(*parts, strict=True), columns, strict=True)]

    def _gather(self, mine: Any) -> list[Any]:
        if self.group is None:
            return [mine]
        gathered = [None] * dist.get_world_size(self.group)
        dist.all_gather_object(gathered, mine, group=self.group)
        return gathered


SPARSE = 4
"""With more cells per sample, most cells are empty, and only the others are summed."""


class FixedPoint:
    """Samples as integers: their sums are exact in any order, over several processes and with CUDA's atomic additions.

    The unit of a dimension is its largest absolute value times the number of samples / 2^62. This is far below float32's
    resolution, and no sum overflows.

    Args:
        features: this process's samples, shape (N, D).
        processes: the processes that share the samples.
    """

    def __init__(self, features: Tensor, processes: Processes) -> None:
        self.processes = processes
        count = float(processes.total(torch.tensor(len(features), device=features.device)))
        largest = processes.largest(features.abs().amax(0).double())  # (D,)
        self.unit = (largest * (count / 2**62)).clamp_(min=torch.finfo(torch.float64).tiny)
        self.values = (features.double() / self.unit).round_().long().T.contiguous()  # (D, N)

    def sums(self, dims: slice, rows: Tensor | slice, cells: Tensor, size: int) -> Tensor:
        """Sums of some dimensions of some samples, per cell and over all processes: (d, size), float32.

        Args:
            dims: the dimensions.
            rows: the samples, shape (n,), or a slice of them.
            cells: the cell of each of these samples, shape (n,).
            size: number of cells.
        """
        values, unit = self.values[dims][:, rows], self.unit[dims, None]
        if self.processes.group is None and size > SPARSE * len(cells):
            occupied, at = cells.unique(return_inverse=True)
            sums = values.new_zeros((len(values), len(occupied))).index_add_(1, at, values)
            planes = torch.zeros((len(values), size), device=values.device)
            planes[:, occupied] = (sums * unit).float()
            return planes
        sums = values.new_zeros((len(values), size)).index_add_(1, cells, values)
        return (self.processes.total(sums) * unit).float()

    def counts(self, cells: Tensor, size: int) -> Tensor:
        """Number of samples of all processes in each cell, (size,), float32."""
        return self.processes.total(torch.bincount(cells, minlength=size)).float()
