"""Many simulations of one model, stepped together by `mujoco.batch`; safe in processes that are forked."""

import os
import weakref

import mujoco
from mujoco.batch import Batch

_alive: "weakref.WeakSet[Batch]" = weakref.WeakSet()
_inherited: list[Batch] = []
"""Those of the process from which this one was forked: ending them here would wait for threads that were not forked."""


def new_batch(model: mujoco.MjModel, count: int, threads: int, persistent: bool = False) -> Batch:
    """So many simulations; see `mujoco.batch.Batch`."""
    batch = Batch(model, count, nthread=threads, persistent=persistent)
    _alive.add(batch)
    return batch


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is forked
    os.register_at_fork(after_in_child=lambda: _inherited.extend(_alive))
