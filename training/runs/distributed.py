"""Several processes for one training, as `torchrun --nproc-per-node 2 -m training -- train-som ...` starts them."""

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
    """Which of the processes this one is."""

    device: torch.device
    """Where it computes."""
    rank: int = 0
    """Its number; the first alone writes files and shows progress."""
    count: int = 1
    """How many there are."""
    group: "ProcessGroup | None" = None
    """All of them, when there are several."""

    @property
    def first(self) -> bool:
        """Whether it writes and reports."""
        return self.rank == 0

    def share(self, length: int) -> slice:
        """Its part of a list of samples: the parts of all follow one another, and differ by one at most."""
        return slice(length * self.rank // self.count, length * (self.rank + 1) // self.count)

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """Sum over all processes, in place."""
        return Processes(self.group).total(value)

    def wait(self) -> None:
        """Until all have come here."""
        if self.group is not None:
            dist.barrier(group=self.group)


@contextmanager
def place(device: Device) -> Iterator[Place]:
    """This process's place among those that torchrun started; alone when it was started otherwise.

    Raises:
        UserError: CUDA is asked for and there is none.
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
