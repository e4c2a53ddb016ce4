"""What infants sense of their bodies: with noise, and with a delay."""

from collections.abc import Iterable

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from ..body.servos import span
from .camera import EyeCamera
from .noise import Noise, noise_of
from .past import Floats, Pasts, Rows
from .sense import EYE, JOINTS, VELOCITIES, Senses


class Sensing:
    """The senses of one infant or of many that share a body.

    Args:
        arm: the body.
        senses: the senses that have noise or a delay.
        substeps: physics steps in a control step.
        infants: number of infants; None: one, whose states have shape (nq,) and (nv,) instead of (N, nq) and (N, nv).
    """

    def __init__(self, arm: ArmModel, senses: Senses, substeps: int, infants: int | None = None) -> None:
        self._arm, self._senses, self._many = arm, senses, infants is not None
        joints = len(arm.joint_names)
        parts = span(arm.qpos_ids), span(arm.dof_ids), slice(None, joints), slice(joints, None)
        self._angles, self._rates, self._first, self._second = ((..., part) if self._many else part for part in parts)
        self._shape = (infants, 2 * joints) if infants is not None else (2 * joints,)
        delays = {name: sense.delay_ms for name, sense in senses.items()}
        self.pasts = Pasts(delays, arm.model.opt.timestep, substeps)
        self._joints, self._velocities, self._seen = (self.pasts.get(name) for name in (JOINTS, VELOCITIES, EYE))
        rest = self._joints.rest if self._joints else 0.0
        self._rest = np.full(joints, rest) if rest else None  # an array is multiplied faster than a number
        self._noises: list[Noise] = [None] * (infants or 1)  # type: ignore[list-item]  # `seed` makes them
        self._felt_noise = any(noise_of(senses, name) for name in (JOINTS, VELOCITIES))
        self._eye_noise = noise_of(senses, EYE)
        self._then = arm.new_data() if self._seen else None  # the body as the eye sees it

    def seed(self, random: np.random.Generator, infant: int = 0, again: bool = True) -> None:
        """Seeds the noise of an infant from its random numbers, which stay as they are; only if new, unless `again`."""
        if again or self._noises[infant] is None:
            self._noises[infant] = Noise(random, self._senses, len(self._arm.joint_names))

    def begin(self, qpos: Floats, qvel: Floats, infants: NDArray[np.int64] | None = None) -> None:
        """Starts the episodes of some infants: until now they were at rest in these states.

        Args:
            qpos: positions of all infants.
            qvel: their velocities.
            infants: those whose episodes begin; None: all.
        """
        self.pasts.begin(qpos, qvel, infants)
        self.renew_noise(range(len(self._noises)) if infants is None else infants.tolist())

    def simulate(self, data: mujoco.MjData, steps: int) -> None:
        """Simulates control steps of one infant, and goes on to its next observation."""
        for _ in range(steps):
            for substeps, recorded in self.pasts.parts:
                mujoco.mj_step(self._arm.model, data, substeps)
                for past in recorded:
                    past.record(data.qpos, data.qvel)
        self._noises[0].renew()

    def renew_noise(self, infants: Iterable[int]) -> None:
        """Goes on to the next observation of some infants."""
        for infant in infants:
            self._noises[infant].renew()

    def felt(self, qpos: Floats, qvel: Floats, rows: Rows | None = None) -> NDArray[np.float32]:
        """The felt joints and their velocities, a new array of shape (..., 2 J), rad and rad/s.

        Args:
            qpos: positions now.
            qvel: velocities now.
            rows: which infants; None: the only one.
        """
        past, rates = self._joints, self._rates
        then, speed = (qpos, qvel) if past is None else past.state
        joints = then[self._angles]
        if self._rest is not None:
            joints = joints - self._rest * speed[rates]
        felt = np.empty(self._shape, np.float32)
        felt[self._first] = joints
        felt[self._second] = (qvel if self._velocities is None else self._velocities.state[1])[rates]
        if rows is not None:
            felt = felt[rows]  # a copy of some, or a view of all
        if self._felt_noise:
            felt += self._noises[0].felt if rows is None else self._felt_noises(rows)
        return felt

    def see(self, eyes: EyeCamera, data: mujoco.MjData, infant: int = 0) -> dict[str, NDArray[np.uint8]]:
        """Frames of what the eyes see, RGB, shape (H, W, 3), uint8, by name.

        Args:
            eyes: the body's eyes.
            data: the simulation now, with positions.
            infant: whose eyes.
        """
        seen, frames = data if self._then is None else self._as_seen(infant), {}
        for name in self._arm.eyes:
            frames[name] = eyes.render(seen, name)
            if self._eye_noise:
                self._noises[infant].add_to_frame(frames[name], self._eye_noise, second=name != EYE)
        return frames

    def _as_seen(self, infant: int) -> mujoco.MjData:
        """The body at the moment that the eye sees now."""
        assert self._then is not None
        assert self._seen is not None
        model, then, (qpos, qvel) = self._arm.model, self._then, self._seen.state
        then.qpos[:] = qpos[infant] if self._many else qpos
        if self._seen.rest:
            mujoco.mj_integratePos(model, then.qpos, qvel[infant] if self._many else qvel, -self._seen.rest)
        mujoco.mj_fwdPosition(model, then)
        return then

    def _felt_noises(self, rows: Rows) -> NDArray[np.float32]:
        noises = self._noises[rows] if isinstance(rows, slice) else [self._noises[infant] for infant in rows.tolist()]
        return np.array([noise.felt for noise in noises])
