"""What infants sense of their bodies: with noise, and with a delay."""

from collections.abc import Hashable, Iterable, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from ..body.servos import span
from .camera import EyeCamera
from .modalities import GAZE, TOUCH
from .noise import Noise, noise_of
from .past import Floats, Pasts, Rows
from .seen.seen_arm import SeenArm
from .sense import EYE, JOINTS, VELOCITIES, Sense, Senses

_ARM = "arm"
"""The arm as the eye sees it, which can be later than the rest of the picture."""


class Sensing:
    """The senses of one infant or of many, whose bodies have the same joints.

    Args:
        arms: each infant's body.
        each: each infant's senses that have noise or a delay; delays of the joints are the same for all.
        substeps: physics steps in a control step.
        many: whether states have shape (N, nq) and (N, nv) instead of (nq,) and (nv,).
        patches: number of patches of skin that feel touch.
    """

    def __init__(
        self, arms: Sequence[ArmModel], each: Sequence[Senses], substeps: int, many: bool = False, patches: int = 0
    ) -> None:
        self._arms, self._each, self._many, self._patches = list(arms), list(each), many, patches
        arm, senses = arms[0], each[0]
        joints = len(arm.joint_names)
        parts = span(arm.qpos_ids), span(arm.dof_ids), slice(None, joints), slice(joints, None)
        self._angles, self._rates, self._first, self._second = ((..., part) if self._many else part for part in parts)
        self._shape = (len(arms), 2 * joints) if many else (2 * joints,)
        self._lags = [0.0] * len(arms)
        self.pasts = Pasts(self._delays(), arm.model.opt.timestep, substeps)
        self._joints, self._velocities = (self.pasts.get(name) for name in (JOINTS, VELOCITIES))
        rest = self._joints.rest if self._joints else 0.0
        self._rest = np.full(joints, rest) if rest else None  # an array is multiplied faster than a number
        self._noises: list[Noise] = [None] * len(arms)  # type: ignore[list-item]  # `seed` makes them
        self._felt_noise = any(noise_of(senses, name) for name in (JOINTS, VELOCITIES))
        self._eye_noise = noise_of(senses, EYE)
        self._then: dict[tuple[str, ArmModel], mujoco.MjData] = {}  # bodies, and arms, as eyes see them

    def change(self, arms: Sequence[ArmModel]) -> None:
        """Goes on with other bodies."""
        self._arms, self._then = list(arms), {}

    def lag(self, lags: Sequence[float], qpos: Floats, qvel: Floats) -> None:
        """Sets by how much later than the rest of the picture each infant sees its arm, ms.

        Nothing is known of the time before: until now, it sees the arm at rest in this state.
        """
        self._lags = list(lags)
        self.pasts = self.pasts.with_delays(self._delays(), qpos, qvel)

    def _delays(self) -> dict[Hashable, float]:
        delays: dict[Hashable, float] = {
            name: self._each[0].get(name, Sense()).delay_ms for name in (JOINTS, VELOCITIES, GAZE)
        }
        for infant, (senses, lag) in enumerate(zip(self._each, self._lags, strict=True)):
            delays[TOUCH, infant] = senses.get(TOUCH, Sense()).delay_ms
            delays[EYE, infant] = senses.get(EYE, Sense()).delay_ms
            delays[_ARM, infant] = delays[EYE, infant] + lag
        return delays

    def seed(self, random: np.random.Generator, infant: int = 0, again: bool = True) -> None:
        """Seeds the noise of an infant from its random numbers, which stay as they are; only if new, unless `again`."""
        if again or self._noises[infant] is None:
            arm = self._arms[infant]
            counts = len(arm.joint_names), len(arm.gaze_joints), self._patches
            self._noises[infant] = Noise(random, self._each[infant], *counts)

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
                mujoco.mj_step(self._arms[0].model, data, substeps)
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

    def gaze(self, qpos: Floats, qvel: Floats, rows: Rows | None = None) -> NDArray[np.float32]:
        """The felt angles of the gaze, a new array of shape (..., G), rad; see `felt`."""
        past, ids = self.pasts.get(GAZE), self._arms[0].gaze
        then, speed = (qpos, qvel) if past is None else past.state
        angles = then[..., ids.qpos_ids]
        if past is not None and past.rest:
            angles = angles - past.rest * speed[..., ids.dof_ids]
        felt = (angles if rows is None else angles[rows]).astype(np.float32)
        if noise_of(self._each[0], GAZE):
            noise = [each.of(GAZE) for each in ([self._noises[0]] if rows is None else self._noises_of(rows))]
            felt += np.array(noise[0] if rows is None else noise, np.float32)
        return felt

    @property
    def touch_is_late(self) -> bool:
        """Whether touch has a delay."""
        return any(senses.get(TOUCH, Sense()).delay_ms for senses in self._each)

    def touched(self, data: mujoco.MjData, infant: int = 0) -> mujoco.MjData:
        """The body at the moment that its skin feels now, with positions and contacts; `data` is the simulation now."""
        return self._as_seen(TOUCH, infant, data)

    def add_noise_of_touch(self, felt: NDArray[np.float32], infant: int = 0) -> None:
        """Adds this observation's noise to the touch of one infant, (P,), N, in place."""
        noise = self._noises[infant].of(TOUCH)
        if noise is not None:
            felt += noise

    def see(
        self, eyes: EyeCamera, data: mujoco.MjData, infant: int = 0, seen: SeenArm | None = None
    ) -> dict[str, NDArray[np.uint8]]:
        """Frames of what the eyes see, RGB, shape (H, W, 3), uint8, by name.

        Args:
            eyes: the body's eyes.
            data: the simulation now, with positions.
            infant: whose eyes.
            seen: what is seen in the place of the arm; None: the arm.
        """
        now, frames = self._as_seen(EYE, infant, data), {}
        late = None if seen is None or not self._lags[infant] else self._as_seen(_ARM, infant, data)
        for name in self._arms[infant].eyes:
            frames[name] = eyes.render(now, name, seen, late)
            if self._eye_noise:
                self._noises[infant].add_to_frame(frames[name], self._eye_noise, name)
        return frames

    def _as_seen(self, what: str, infant: int, data: mujoco.MjData) -> mujoco.MjData:
        """The body at the moment that the eye sees, or the skin feels, now; or the arm at the moment that the eye sees it."""
        past, arm = self.pasts.get((what, infant)), self._arms[infant]
        if past is None:
            return data
        if (what, arm) not in self._then:
            self._then[what, arm] = arm.new_data()
        then, (qpos, qvel) = self._then[what, arm], past.state
        then.qpos[:] = qpos[infant] if self._many else qpos
        if past.rest:
            mujoco.mj_integratePos(arm.model, then.qpos, qvel[infant] if self._many else qvel, -past.rest)
        mujoco.mj_fwdPosition(arm.model, then)
        return then

    def _felt_noises(self, rows: Rows) -> NDArray[np.float32]:
        return np.array([noise.felt for noise in self._noises_of(rows)])

    def _noises_of(self, rows: Rows) -> list[Noise]:
        return self._noises[rows] if isinstance(rows, slice) else [self._noises[infant] for infant in rows.tolist()]
