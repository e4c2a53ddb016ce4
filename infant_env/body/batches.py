"""Batches of simulations of one model, stepped by `mujoco.batch`; safe when the process forks."""

import os
import weakref

import mujoco
from mujoco.batch import Batch

_alive: "weakref.WeakSet[Batch]" = weakref.WeakSet()
_inherited: list[Batch] = []
"""Batches of the parent process. A forked child keeps them: to delete one waits for threads that exist in the parent only."""


def new_batch(model: mujoco.MjModel, count: int, threads: int, persistent: bool = False) -> Batch:
    """A batch of `count` simulations; see `mujoco.batch.Batch`."""
    batch = Batch(model, count, nthread=threads, persistent=persistent)
    _alive.add(batch)
    return batch


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=lambda: _inherited.extend(_alive))
