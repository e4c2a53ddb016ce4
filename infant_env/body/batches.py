"""Simulations of many bodies, stepped on all cores by `mujoco.batch`; safe when the process forks."""

import os
import weakref
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

_alive: "weakref.WeakSet[Batch]" = weakref.WeakSet()
_inherited: list[Batch] = []
"""Batches of the parent process. A forked child keeps them: to delete one waits for threads that exist in the parent only."""

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION.value
_PARTS = {
    "qpos": mujoco.mjtState.mjSTATE_QPOS,
    "qvel": mujoco.mjtState.mjSTATE_QVEL,
    "ctrl": mujoco.mjtState.mjSTATE_CTRL,
}
_OUTPUTS = "site_xpos", "ncon"
_NOT_LAYOUT = ("nbuffer", "nmeshpoly", "nmeshpolymap", "nmeshpolyvert")
"""Sizes of a model on which the layout of its data does not depend; those of meshes differ between ages."""


def new_batch(models: Sequence[mujoco.MjModel], threads: int, persistent: bool = False) -> Batch:
    """A batch of one simulation for each model; their data must have one layout. See `mujoco.batch.Batch`."""
    batch = Batch(models[0], len(models), nthread=threads, persistent=persistent)
    if any(model is not models[0] for model in models):
        batch.set_models(models)
    _alive.add(batch)
    return batch


class Simulations:
    """One simulation for each model; row i of each array is simulation i.

    Models whose data have one layout share a batch, such as infants of all ages. A rod in some hands makes a second one; then
    states are copied to the batches and back at each call.

    Args:
        models: a model for each simulation, with the same joints, actuators and bodies.
        threads: number of threads; 0: one per core.
        persistent: see `mujoco.batch.Batch`.
    """

    def __init__(self, models: Sequence[mujoco.MjModel], threads: int, persistent: bool = False) -> None:
        layouts: dict[Any, list[int]] = {}
        known: dict[mujoco.MjModel, Any] = {model: _layout(model) for model in set(models)}
        for number, model in enumerate(models):
            layouts.setdefault(known[model], []).append(number)
        self._groups = [
            (np.array(rows), new_batch([models[row] for row in rows], threads, persistent)) for rows in layouts.values()
        ]
        for _, batch in self._groups:
            for name in _OUTPUTS:
                batch.bind(name)  # results are written only to what was bound before the call
        self._model, first = models[0], self._groups[0][1]
        self._alone = first if len(self._groups) == 1 else None
        self.state = first.state if self._alone else np.zeros((len(models), first.nstate))
        """The states, shape (N, S); a change counts in the next call."""
        self.warning = first.warning if self._alone else np.zeros((len(models), *first.warning.shape[1:]), np.int32)
        """Counts of MuJoCo's warnings."""
        if not self._alone:
            for rows, batch in self._groups:
                self.state[rows] = batch.state
        self._place = np.empty(len(models), np.int64)  # of a simulation in its batch
        for rows, _ in self._groups:
            self._place[rows] = np.arange(len(rows))

    def part(self, name: str) -> NDArray[np.float64]:
        """A part of the states: `qpos`, `qvel` or `ctrl`; a view, shape (N, ...)."""
        kind = _PARTS[name].value
        first = mujoco.mj_stateSize(self._model, _STATE & (kind - 1))
        return self.state[:, first : first + mujoco.mj_stateSize(self._model, kind)]

    @property
    def contacts(self) -> NDArray[np.int64]:
        """Numbers of contacts after the last call, shape (N,)."""
        counts = np.empty(len(self._place), np.int64)
        for rows, batch in self._groups:
            counts[rows] = batch.bind("ncon")
        return counts

    def sites(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Positions of sites in the world after the last call, given H numbers for each simulation (N, H), shape (N, H, 3), m."""
        places = np.empty((*numbers.shape, 3))
        for rows, batch in self._groups:
            places[rows] = batch.bind("site_xpos")[np.arange(len(rows))[:, None], numbers[rows]]
        return places

    def step(self, which: NDArray[np.int64] | None, nstep: int, stage: int) -> None:
        """Simulates some rows, None: all; see `mujoco.batch.Batch.step`."""
        if self._alone:
            self._alone.step(which, nstep=nstep, stage=stage)
            return
        for batch, mine, rows in self._shared(which):
            self._give(batch, mine, rows)
            batch.step(mine, nstep=nstep, stage=stage)
            self.state[rows], self.warning[rows] = batch.state[mine], batch.warning[mine]

    def forward(self, which: NDArray[np.int64] | None, stage: int) -> None:
        """Computes stages of some rows, None: all; see `mujoco.batch.Batch.forward`."""
        if self._alone:
            self._alone.forward(which, stage=stage)
            return
        for batch, mine, rows in self._shared(which):
            self._give(batch, mine, rows)
            batch.forward(mine, stage=stage)

    def get_data(self, row: int, data: mujoco.MjData) -> mujoco.MjData:
        """Writes a simulation to data of its model's layout, and returns them; without `forward` only its state counts."""
        for batch, mine, rows in self._shared(np.array([row])):
            if not self._alone:
                self._give(batch, mine, rows)
            return batch.get_data(int(mine[0]), data)
        raise IndexError(row)

    def _give(self, batch: Batch, mine: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        batch.state[mine], batch.warning[mine] = self.state[rows], self.warning[rows]

    def _shared(self, which: NDArray[np.int64] | None) -> list[tuple[Batch, NDArray[np.int64], NDArray[np.int64]]]:
        """The batches with some of these rows: the rows there, and here."""
        parts = []
        for rows, batch in self._groups:
            chosen = rows if which is None else rows[np.isin(rows, which)]
            if len(chosen):
                parts.append((batch, self._place[chosen], chosen))
        return parts


def _layout(model: mujoco.MjModel) -> tuple[int, ...]:
    """All sizes of a model on which the layout of its data depends."""
    names = (name for name in dir(model) if name.startswith("n") and name not in _NOT_LAYOUT)
    return tuple(value for value in (getattr(model, name) for name in names) if isinstance(value, int))


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=lambda: _inherited.extend(_alive))
