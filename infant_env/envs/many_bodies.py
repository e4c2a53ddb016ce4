"""Base of the simulated vector environments: many bodies in one process and on several cores, by `mujoco.batch`."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import reduce
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ..body.batches import Simulations
from ..body.checks import check_counts, checked_infants, seed_of_each
from ..body.model import ArmModel
from ..body.servos import CONTROL_HZ, UNSTABLE, DivergedError, Servos
from ..errors import UserError
from ..given import shown
from ..senses.acuity import checked_acuity
from ..senses.eyes import Eyes
from ..senses.modalities import GAZE
from ..senses.seen.seen import Seen
from ..senses.sense import Senses, checked_senses
from ..senses.sensing import Sensing
from ..senses.skin.touch import TOUCH, Touch
from ..senses.spaces import wider
from ..tasks.many_poses import ManyPoses
from .many_env import Infants, ManyEnv, Observations
from .onlooker import RENDER_MODES, Onlooker
from .simulated import Simulated, as_touch, changed_arms, each_of, lock, touch_of


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
        bodies: each infant's body.
        eye_size: rows and columns of the eyes' frames; None: no eyes.
        options: names of the options that `reset` takes.
        width: columns of the frames from outside.
        height: rows of the frames from outside.
        camera_name: the camera from outside; None: the body's own.
        threads: number of threads of the physics; 0: one per core.
        senses: noise and delay of the senses, see `checked_senses`.
        acuity: the eyes' acuity, see `checked_acuity`.
        touch: whether touch is felt.
        seen: how the arms are seen, one setting for all infants, or a list with one for each; None: as they are.

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
        bodies: list[ArmModel],
        eye_size: tuple[int, int] | None,
        options: tuple[str, ...],
        width: int,
        height: int,
        camera_name: str | None,
        threads: int,
        senses: Any,
        acuity: Any,
        touch: bool,
        seen: Any,
    ) -> None:
        check_counts(threads=threads)
        self._first, self.eye_size, self.threads = tuple(bodies), eye_size, threads
        self.width, self.height, self.camera_name = width, height, camera_name
        kinds = {
            arm: checked_senses(senses, arm.body, eye_size is not None, bool(touch)) for arm in dict.fromkeys(bodies)
        }
        sharpness = {arm: checked_acuity(acuity, arm.body, eye_size is not None) for arm in kinds}
        self.senses, self.acuity = kinds[bodies[0]], sharpness[bodies[0]]
        """The first infant's senses that have noise or a delay, by name, and its acuity."""
        self._each = [kinds[arm] for arm in bodies]
        self._servos = Servos(bodies, num_envs)
        self.touch = as_touch(bodies[0], touch)
        """The first infant's sense of touch, with names, areas and centers of its patches; None if touch is not felt."""
        self._skins: dict[ArmModel, Touch | None] = {bodies[0]: self.touch}
        self._take(bodies)
        space, action_space = self._spaces(bodies), self._servos.action_space
        super().__init__(num_envs, max_episode_steps, autoreset_mode, render_mode, space, action_space, options)
        self._eyes = None
        if eye_size is not None:
            self._eyes = Eyes(bodies, eye_size, [sharpness[arm] for arm in bodies], [None] * num_envs)
        self._onlooker = Onlooker(self.arm, render_mode, width, height, camera_name)
        self._sensing = self._new_sensing() if any(self._each) else None
        self._hands = np.zeros((num_envs, len(self.arm.hands), 3))
        if seen is not None:
            self.show(seen)

    def __getstate__(self) -> dict[str, Any]:
        views = ("_simulations", "_qpos", "_qvel", "_ctrl", "_unstable", "_rest")
        return {
            **{name: value for name, value in vars(self).items() if name not in views},
            "_state": self._simulations.state.copy(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        rows = state.pop("_state")
        vars(self).update(state)
        self._open()
        self._simulations.state[:] = rows

    def render(self) -> tuple[Any, ...] | None:
        """Each infant from outside, as `render_mode` says; None without a render mode."""
        if self.render_mode is None:
            return None
        if self._onlooker.has_window:
            return (None,) * self.num_envs
        return tuple(self._onlooker.frame(self._infant(i), self.bodies[i]) for i in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the cameras and closes the window."""
        if self._eyes is not None:
            self._eyes.close()
        self._onlooker.close()

    def change(self, body: Any, infants: Any = None) -> None:
        """Gives infants other bodies, in memory and at any moment; their episodes go on. See `InfantArmEnv.change`.

        Args:
            body: a body as in `InfantArmEnv.change`, or a list with one for each of these infants.
            infants: numbers of the infants that change; None: all.

        Raises:
            UserError: see `InfantArmEnv.change`; or there is no such infant, or the number of bodies is wrong.
        """
        which = checked_infants(infants, self.num_envs)
        given = dict(zip(which, each_of("body", body, len(which)), strict=True))
        bodies = {
            infant: self._first[infant].body if one is None else self.bodies[infant].body.changed(one)
            for infant, one in given.items()
        }
        arms = changed_arms(self.bodies, bodies, self._first)
        new = [infant for infant in which if arms[infant] is not self.bodies[infant]]
        if new:
            states, warnings = self._simulations.state.copy(), self._simulations.warning.copy()
            self._take(arms)
            self._servos = Servos(arms, self.num_envs)
            self._simulations.state[:], self._simulations.warning[:] = states, warnings
            for infant in new:
                lock(arms[infant], self._qpos[infant], self._qvel[infant])
            if self._eyes is not None:
                self._eyes.change(arms)
            if self._sensing is not None:
                self._sensing.change(arms)
            self._widen()
            self._changed(new)

    def show(self, seen: Any, infants: Any = None) -> None:
        """Sets how infants see their arms from the next observation on. See `InfantArmEnv.show`.

        Args:
            seen: a `Seen`, its `as_dict`, None, or a list with one of them for each of these infants.
            infants: numbers of these infants; None: all.

        Raises:
            UserError: see `InfantArmEnv.show`; or there is no such infant, or the number of settings is wrong.
        """
        which = checked_infants(infants, self.num_envs)
        given = [Seen.of(one) for one in each_of("seen", seen, len(which))]
        if self._eyes is None:
            if any(given):
                raise UserError(
                    f"got seen={shown(seen)} without eye_size, expected both; add an eye, such as eye_size=(300, 500)"
                )
            return
        all_seen = self.seen
        for infant, one in zip(which, given, strict=True):
            all_seen[infant] = one
        self._eyes.show(all_seen)
        if self._sensing is None and any(self._eyes.lags):
            self._sensing = self._new_sensing()
            if self._begun:
                for infant in range(self.num_envs):
                    self._sensing.seed(self._random(infant), infant)
                self._sensing.begin(self._qpos, self._qvel)
        if self._sensing is not None:
            self._sensing.lag(self._eyes.lags, self._qpos, self._qvel)
        self._changed(which)

    @property
    def seen(self) -> list[Seen | None]:
        """How each infant sees its arm; None: as it is."""
        found = [None] * self.num_envs if self._eyes is None else self._eyes.seen
        return [None if one is None else one.seen for one in found]

    @abstractmethod
    def _space(self, arm: ArmModel, senses: Senses) -> spaces.Dict:
        """The observation space of an infant."""

    def _changed(self, infants: list[int]) -> None:
        """Makes anew what depends on the bodies of some infants, or on how they see; subclasses add their parts."""

    def _spaces(self, arms: Sequence[ArmModel]) -> Any:
        """The space of the observations of all infants."""
        kinds = {arm: self._space(arm, senses) for arm, senses in zip(arms, self._each, strict=True)}
        return reduce(wider, kinds.values())

    def _widen(self) -> None:
        space = wider(self.single_observation_space, self._spaces(self.bodies))
        if space is not self.single_observation_space:
            self.single_observation_space, self.observation_space = space, batch_space(space, self.num_envs)

    def _take(self, bodies: list[ArmModel]) -> None:
        """Takes these bodies, one for each infant, at rest.

        Raises:
            UserError: touch is felt, and they do not have the same patches.
        """
        skins = {
            arm: self._skins[arm] if arm in self._skins else touch_of(arm, self.touch) for arm in dict.fromkeys(bodies)
        }
        self._skins, self.touch = skins, skins[bodies[0]]
        self.bodies = bodies
        """Each infant's body."""
        self.arm = bodies[0]
        self._datas = {arm: arm.new_data() for arm in skins}
        self._sites = np.array([arm.hand_site_ids for arm in bodies])  # (N, H)
        self._poses = ManyPoses(bodies, self.threads)
        self._open()

    def _open(self) -> None:
        # persistent: a step continues from the positions that the previous one computed, so they cost nothing again
        self._simulations = Simulations([arm.model for arm in self.bodies], self.threads, persistent=True)
        self._qpos, self._qvel, self._ctrl = (self._simulations.part(name) for name in ("qpos", "qvel", "ctrl"))
        self._unstable = self._simulations.warning[:, UNSTABLE, 1]  # counts, (N, 3), live
        self._stale = np.ones(
            len(self.bodies), bool
        )  # whose contacts in the simulations are not those of its positions
        for infant, arm in enumerate(self.bodies):
            self._qpos[infant], self._ctrl[infant] = arm.rest
        self._rest = self._simulations.state.copy()

    def _place(
        self,
        infants: Infants,
        joints: NDArray[np.float64],
        hands: NDArray[np.float64],
        gazes: NDArray[np.float64] | None = None,
    ) -> None:
        """Puts some infants' arms at rest into poses (n, J) with known hand positions (n, H, 3), and turns their gazes (n, G)."""
        self._simulations.state[infants] = self._rest[infants]
        self._qpos[infants[:, None], self.arm.qpos_ids] = joints
        self._ctrl[infants[:, None], self.arm.actuator_ids] = joints
        if gazes is not None:
            self.arm.gaze.turn_many(self._qpos, self._ctrl, infants, gazes)
        self._hands[infants] = hands
        self._simulations.warning[infants] = 0
        self._stale[infants] = True
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
        self._stale[slice(None) if infants is None else infants] = False
        parts = [(self._servos.substeps, ())] if self._sensing is None else self._sensing.pasts.parts
        for substeps, recorded in parts:
            self._simulations.step(infants, substeps, mujoco.mjtStage.mjSTAGE_VEL.value)
            for past in recorded:
                past.record(self._qpos, self._qvel)
        if self._sensing is not None:
            self._sensing.renew_noise(range(self.num_envs) if infants is None else infants.tolist())
        self._hands[:] = self._simulations.sites(self._sites)
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
        assert self._eyes is not None
        return self._eyes.see(data, infant, self._sensing)

    def _gazes(self, infants: Infants | slice) -> Observations:
        """The gazes of some infants, by name, shape (n, G), rad; none if they are held."""
        if not self.arm.gaze_joints:
            return {}
        if self._sensing is not None:
            return {GAZE: self._sensing.gaze(self._qpos, self._qvel, infants)}
        return {GAZE: self._qpos[infants][:, self.arm.gaze.qpos_ids].astype(np.float32)}

    def _touches(self, infants: Infants | slice) -> Observations:
        """Touch of some infants, by name, shape (n, P), N; nothing if it is not felt."""
        if self.touch is None:
            return {}
        felt, late = np.zeros((self.num_envs, len(self.touch.names)), np.float32), False
        if self._sensing is not None:
            late = self._sensing.touch_is_late
        for infant in np.flatnonzero(self._stale | (self._simulations.contacts > 0) | late).tolist():
            arm, data = self.bodies[infant], self._data_of(infant)
            if self._stale[infant]:
                mujoco.mj_kinematics(arm.model, data)
                mujoco.mj_collision(arm.model, data)
            touch = self._skins[arm]
            assert touch is not None
            felt[infant] = touch.felt(data if self._sensing is None else self._sensing.touched(data, infant))
        if self._sensing is not None:
            for infant in range(self.num_envs):
                self._sensing.add_noise_of_touch(felt[infant], infant)
        return {TOUCH: felt[infants]}

    def _sensed_touch(self, touch: Touch, infant: int, data: mujoco.MjData) -> NDArray[np.float32]:
        """Touch of one infant, (P,), N; `data` is its simulation now, with contacts."""
        if self._sensing is None:
            return touch.felt(data)
        felt = touch.felt(self._sensing.touched(data, infant))
        self._sensing.add_noise_of_touch(felt, infant)
        return felt

    def _new_sensing(self) -> Sensing:
        patches = 0 if self.touch is None else len(self.touch.names)
        return Sensing(self.bodies, self._each, self._servos.substeps, many=True, patches=patches)

    def _stacked(self, seen: list[Observations]) -> Observations:
        """The frames of several infants, by name."""
        return {name: np.stack([frames[name] for frames in seen]) for name in self.arm.eyes}

    def _infant(self, infant: int) -> mujoco.MjData:
        """One infant's simulation with all that a camera needs; the next call overwrites it."""
        data = self._data_of(infant)
        mujoco.mj_kinematics(self.bodies[infant].model, data)
        mujoco.mj_camlight(self.bodies[infant].model, data)
        return data

    def _data_of(self, infant: int) -> mujoco.MjData:
        """One infant's simulation; the next call overwrites it."""
        return self._simulations.get_data(infant, self._datas[self.bodies[infant]])

    def _watch(self) -> None:
        if self._onlooker.has_window:
            self._onlooker.watch(self._infant(0))
