"""States of the past, for senses with a delay."""

from collections import deque
from collections.abc import Hashable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64] | slice
_ROUNDING = 1e-9  # of a physics step


class Past:
    """The states at one delay before the end of each control step, of one body or of many together.

    They are recorded after the physics step that ends at that moment or just after it. MuJoCo moves joints with one velocity
    during a physics step, so the state at any moment within it follows exactly.

    Args:
        delay: s.
        timestep: length of a physics step, s.
        substeps: physics steps in a control step.
    """

    def __init__(self, delay: float, timestep: float, substeps: int) -> None:
        back = int(delay / timestep + _ROUNDING)  # physics steps
        self.rest = max(0.0, delay - back * timestep)
        """From the moment of the delay to the recorded state, s."""
        if self.rest < _ROUNDING * timestep:
            self.rest = 0.0
        self.before_end = back % substeps
        """Physics steps from the recorded state to the end of a control step."""
        self._states: deque[tuple[Floats, Floats]] = deque(maxlen=back // substeps + 1)

    def begin(self, qpos: Floats, qvel: Floats, rows: Rows | None = None) -> None:
        """Forgets the past: until now, the bodies were at rest in this state.

        Args:
            qpos: positions, (nq,), or (N, nq) for many bodies.
            qvel: velocities, (nv,), or (N, nv).
            rows: the bodies whose past is forgotten; None: all.
        """
        if rows is None or not self._states:
            self._states.extend([(qpos.copy(), qvel.copy())] * (self._states.maxlen or 1))
            return
        for past_qpos, past_qvel in self._states:
            past_qpos[rows], past_qvel[rows] = qpos[rows], qvel[rows]

    def record(self, qpos: Floats, qvel: Floats) -> None:
        """Records the present state."""
        self._states.append((qpos.copy(), qvel.copy()))

    @property
    def state(self) -> tuple[Floats, Floats]:
        """Positions `rest` seconds after the moment of the delay, and velocities at that moment."""
        return self._states[0]


class Pasts:
    """The pasts of all delays, and the parts of a control step between them.

    Args:
        delays: delays by what they belong to, such as the senses' names, ms.
        timestep: length of a physics step, s.
        substeps: physics steps in a control step.
        known: pasts by their delays; these go on.
    """

    def __init__(
        self,
        delays: Mapping[Hashable, float],
        timestep: float,
        substeps: int,
        known: Mapping[float, Past] = MappingProxyType({}),
    ) -> None:
        self._timestep, self._substeps = timestep, substeps
        each = {delay: known.get(delay) or Past(delay / 1000, timestep, substeps) for delay in delays.values() if delay}
        self._each = each
        self._of = {name: each[delay] for name, delay in delays.items() if delay}
        self._all = tuple(each.values())
        stops = sorted({past.before_end for past in self._all} | {0}, reverse=True)
        lengths = (-np.diff([substeps, *stops])).tolist()
        recorded = [tuple(past for past in self._all if past.before_end == stop) for stop in stops]
        self.parts = list(zip(lengths, recorded, strict=True))
        """Numbers of physics steps that make a control step, each with the pasts that are recorded after it."""

    def with_delays(self, delays: Mapping[Hashable, float], qpos: Floats, qvel: Floats) -> "Pasts":
        """Pasts of other delays: those of delays that stay go on; the bodies were at rest in this state before the new ones."""
        pasts = Pasts(delays, self._timestep, self._substeps, self._each)
        for delay, past in pasts._each.items():
            if delay not in self._each:
                past.begin(qpos, qvel)
        return pasts

    def get(self, name: Hashable) -> Past | None:
        """The past of a sense; None if it has no delay."""
        return self._of.get(name)

    def begin(self, qpos: Floats, qvel: Floats, rows: Rows | None = None) -> None:
        """Forgets the past of some bodies, see `Past.begin`."""
        for past in self._all:
            past.begin(qpos, qvel, rows)
