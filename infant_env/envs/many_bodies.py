"""Base of the simulated vector environments: many bodies in one process and on several cores, by `mujoco.batch`."""

from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ..body.batches import new_batch
from ..body.checks import check_counts, seed_of_each
from ..body.model import ArmModel
from ..body.servos import CONTROL_HZ, UNSTABLE, DivergedError, Servos
from ..senses.camera import EyeCamera
from ..senses.sense import Senses
from ..senses.sensing import Sensing
from ..tasks.many_poses import ManyPoses
from .many_env import Infants, ManyEnv, Observations
from .onlooker import RENDER_MODES, Onlooker
from .simulated import Simulated


class ManyBodies(Simulated, ManyEnv):
    """Many simulated infants; infant i gives the same results, bit for bit, as a single one with the seed `seed + i`.

    `model`, `dt` and `frame_skip` have the meaning that users of MuJoCo expect. `render_mode="human"` shows the first infant in
    MuJoCo's viewer (pulling at it has no effect here); the other modes return one frame per infant.
    A pickled or deep-copied environment continues exactly as the original would.

    Args:
        num_envs: number of infants.
        max_episode_steps: an episode is truncated after this many steps.
        autoreset_mode: see `ManyEnv`.
        render_mode: one of `RENDER_MODES`, or None.
        arm: the body of all infants.
        eye_size: rows and columns of the eyes' frames; None: no eyes.
        observation_space: space of one infant.
        options: names of the options that `reset` takes.
        width: columns of the frames from outside.
        height: rows of the frames from outside.
        camera_name: the camera from outside; None: the body's own.
        threads: number of threads of the physics; 0: one per core.
        senses: the senses that have noise or a delay, by name.
        acuity: the eyes' acuity, cycles per degree; None: no blur.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium's own form)
        "render_modes": RENDER_MODES,
        "render_fps": CONTROL_HZ,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int,
        max_episode_steps: int,
        autoreset_mode: AutoresetMode | str,
        render_mode: str | None,
        arm: ArmModel,
        eye_size: tuple[int, int] | None,
        observation_space: spaces.Space[Any],
        options: tuple[str, ...],
        width: int,
        height: int,
        camera_name: str | None,
        threads: int,
        senses: Senses,
        acuity: float | None,
    ) -> None:
        check_counts(num_envs=num_envs, threads=threads)
        self._servos = Servos(arm, num_envs)
        action_space = self._servos.action_space
        super().__init__(
            num_envs, max_episode_steps, autoreset_mode, render_mode, observation_space, action_space, options
        )
        self.arm, self.eye_size, self.threads = arm, eye_size, threads
        self.width, self.height, self.camera_name = width, height, camera_name
        self._eye = None if eye_size is None else EyeCamera(arm, eye_size, acuity)
        self._onlooker = Onlooker(arm, render_mode, width, height, camera_name)
        self.senses, self.acuity = dict(senses), acuity
        """The senses that have noise or a delay, by name."""
        self._sensing = Sensing([arm] * num_envs, [senses] * num_envs, self._servos.substeps, True) if senses else None
        self._poses = ManyPoses(arm, num_envs, threads)
        self._data = arm.new_data()
        self._hands = np.zeros((num_envs, 3))
        self._open()

    def __getstate__(self) -> dict[str, Any]:
        views = ("_batch", "_qpos", "_qvel", "_ctrl", "_sites", "_unstable", "_rest")
        return {
            **{name: value for name, value in vars(self).items() if name not in views},
            "_state": self._batch.state.copy(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        rows = state.pop("_state")
        vars(self).update(state)
        self._open()
        self._batch.state[:] = rows

    def render(self) -> tuple[Any, ...] | None:
        """Each infant from outside, as `render_mode` says; None without a render mode."""
        if self.render_mode is None:
            return None
        if self._onlooker.has_window:
            return (None,) * self.num_envs
        return tuple(self._onlooker.frame(self._infant(infant)) for infant in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the cameras and closes the window."""
        if self._eye is not None:
            self._eye.close()
        self._onlooker.close()

    def _open(self) -> None:
        # persistent: a step continues from the positions that the previous one computed, so they cost nothing again
        self._batch = new_batch(self.model, self.num_envs, self.threads, persistent=True)
        self._qpos, self._qvel, self._ctrl = (self._batch.bind(name) for name in ("qpos", "qvel", "ctrl"))
        self._sites = self._batch.bind("site_xpos")[:, self.model.site(self.arm.hand_site).id]  # (N, 3)
        self._unstable = self._batch.warning[:, UNSTABLE, 1]  # counts, (N, 3), live
        self._qpos[:], self._ctrl[:] = self.arm.rest
        self._rest = self._batch.state[0].copy()

    def _place(self, infants: Infants, joints: NDArray[np.float64], hands: NDArray[np.float64]) -> None:
        """Puts some infants' arms at rest into poses (n, J) with known hand positions (n, 3)."""
        self._batch.state[infants] = self._rest
        self._qpos[infants[:, None], self.arm.qpos_ids] = joints
        self._ctrl[infants[:, None], self.arm.actuator_ids] = joints
        self._hands[infants] = hands
        self._batch.warning[infants] = 0
        if self._sensing is not None:
            for infant in infants.tolist():
                self._sensing.seed(self._random(infant), infant, again=False)
            self._sensing.begin(self._qpos, self._qvel, infants)

    def _seed(self, seed: Any, infants: NDArray[np.bool_]) -> None:
        super()._seed(seed, infants)
        for infant, one in enumerate(seed_of_each(seed, self.num_envs)):
            if self._sensing is not None and one is not None and infants[infant]:
                self._sensing.seed(self._random(infant), infant)

    def _move(self, actions: NDArray[np.float32], infants: Infants | None) -> None:
        """Simulates 40 ms.

        Raises:
            UserError: the actions have a wrong shape or are not finite.
            DivergedError: the physics of some infants became unstable; they need a reset, the others can continue.
        """
        self._ctrl[:, self._servos.ctrl] = self._servos.targets(actions)
        parts = [(self._servos.substeps, ())] if self._sensing is None else self._sensing.pasts.parts
        for substeps, recorded in parts:
            self._batch.step(infants, nstep=substeps, stage=mujoco.mjtStage.mjSTAGE_VEL.value)
            for past in recorded:
                past.record(self._qpos, self._qvel)
        if self._sensing is not None:
            self._sensing.renew_noise(range(self.num_envs) if infants is None else infants.tolist())
        self._hands[:] = self._sites
        if self._unstable.any():
            unstable = self._unstable.any(axis=1)
            self._needs_reset |= unstable
            self._steps += 1  # the step is valid for the others
            raise DivergedError(f"the simulation of the infants {np.flatnonzero(unstable).tolist()}")

    def _feel(self, infants: Infants | slice) -> NDArray[np.float32]:
        """The felt joints and their velocities of some infants, shape (n, 2 J), rad and rad/s."""
        if self._sensing is not None:
            return self._sensing.felt(self._qpos, self._qvel, infants)
        joints, velocities = self._qpos[infants][:, self.arm.qpos_ids], self._qvel[infants][:, self.arm.dof_ids]
        return np.concatenate((joints.astype(np.float32), velocities.astype(np.float32)), axis=1)

    def _see(self, data: mujoco.MjData, infant: int) -> Observations:
        """The frames of an infant's eyes, by name; `data` is its simulation with all that a camera needs."""
        assert self._eye is not None
        if self._sensing is not None:
            return self._sensing.see(self._eye, data, infant)
        return {name: self._eye.render(data, name) for name in self.arm.eyes}

    def _gazes(self, infants: Infants | slice) -> Observations:
        """The gazes of some infants, by name, shape (n, G), rad; none if they are held."""
        if not self.arm.gaze_joints:
            return {}
        return {"gaze": self._qpos[infants][:, self.arm.gaze.qpos_ids].astype(np.float32)}

    def _stacked(self, seen: list[Observations]) -> Observations:
        """The frames of several infants, by name."""
        return {name: np.stack([frames[name] for frames in seen]) for name in self.arm.eyes}

    def _infant(self, infant: int) -> mujoco.MjData:
        """One infant's simulation with all that a camera needs; the next call overwrites it."""
        data = self._batch.get_data(infant, self._data)
        mujoco.mj_kinematics(self.model, data)
        mujoco.mj_camlight(self.model, data)
        return data

    def _watch(self) -> None:
        if self._onlooker.has_window:
            self._onlooker.watch(self._infant(0))
