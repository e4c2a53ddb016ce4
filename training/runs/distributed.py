"""Several processes for one training, started by `torchrun --nproc-per-node 2 -m training -- train-som ...`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import distributed as dist

from agents.tools.processes import Processes

from .device import Device, pick_device

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


@dataclass(frozen=True)
class Place:
    """The place of this process among those that train together."""

    device: torch.device
    """The device that it computes on."""
    rank: int = 0
    """Its number; only the first one, 0, writes files and shows progress."""
    count: int = 1
    """Number of processes."""
    group: "ProcessGroup | None" = None
    """The group of all processes; None for a single one."""

    @property
    def first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def share(self, length: int) -> slice:
        """Its part of a list of samples; the parts of all processes follow one another and have equal lengths, up to one."""
        return slice(length * self.rank // self.count, length * (self.rank + 1) // self.count)

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """Sum over all processes, in place."""
        return Processes(self.group).total(value)

    def wait(self) -> None:
        """Waits until all processes have come here."""
        if self.group is not None:
            dist.barrier(group=self.group)


@contextmanager
def place(device: Device) -> Iterator[Place]:
    """This process's place among those that torchrun started; without torchrun it is the only one.

    Raises:
        UserError: CUDA is asked for but not available.
    """
    chosen = pick_device(device)
    if not dist.is_torchelastic_launched():
        yield Place(chosen)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", dist.get_node_local_rank())
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Place(chosen, dist.get_rank(), dist.get_world_size(), dist.group.WORLD)
    finally:
        dist.destroy_process_group()
