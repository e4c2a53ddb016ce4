"""Several processes that train one map together, each on its share of the samples."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch import distributed as dist

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class Processes:
    """What a process must know of the others; without a group it is alone.

    All sums that a map depends on are of integers, so that they do not depend on how many processes share the samples,
    nor on their order.

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
        """At most so many rows of all processes, evenly spaced, in the order of the ranks: (N, ...) -> (n, ...) each."""
        lengths = self._gather(len(columns[0]))
        stride = -(-sum(lengths) // most)
        offset = sum(lengths[: dist.get_rank(self.group)]) if self.group is not None else 0
        parts = self._gather([rows[-offset % stride :: stride].cpu() for rows in columns])
        return [torch.cat(same).to(rows.device) for same, rows in zip(zip(*parts, strict=True), columns, strict=True)]

    def _gather(self, mine: Any) -> list[Any]:
        if self.group is None:
            return [mine]
        everyones = [None] * dist.get_world_size(self.group)
        dist.all_gather_object(everyones, mine, group=self.group)
        return everyones


class FixedPoint:
    """Samples as integers, whose sums are exact in any order: on several processes, and by CUDA's atomic additions.

    One unit is the largest absolute value of the dimension times the number of samples over 2^62: far below float32's
    resolution, and no sum overflows.

    Args:
        features: this process's samples, shape (N, D).
        processes: all that share the samples.
    """

    def __init__(self, features: Tensor, processes: Processes) -> None:
        self.processes = processes
        count = float(processes.total(torch.tensor(len(features), device=features.device)))
        largest = processes.largest(features.abs().amax(0).double())  # (D,)
        self.unit = (largest * (count / 2**62)).clamp_(min=torch.finfo(torch.float64).tiny)
        self.values = (features.double() / self.unit).round_().long().T.contiguous()  # (D, N)

    def sums(self, dims: slice, rows: Tensor, cells: Tensor, size: int) -> Tensor:
        """Sums of some dimensions of some samples, over all processes, per cell: (d, size), float32.

        Args:
            dims: which dimensions.
            rows: which samples, shape (n,).
            cells: the cell of each of these, shape (n,).
            size: number of cells.
        """
        values, unit = self.values[dims][:, rows], self.unit[dims, None]
        if self.processes.group is None:  # most cells of a large map are empty
            occupied, at = cells.unique(return_inverse=True)
            sums = values.new_zeros((len(values), len(occupied))).index_add_(1, at, values)
            planes = torch.zeros((len(values), size), device=values.device)
            planes[:, occupied] = (sums * unit).float()
            return planes
        sums = values.new_zeros((len(values), size)).index_add_(1, cells, values)
        return (self.processes.total(sums) * unit).float()

    def counts(self, cells: Tensor, size: int) -> Tensor:
        """How many samples of all processes fell into each cell, (size,), float32."""
        return self.processes.total(torch.bincount(cells, minlength=size)).float()
