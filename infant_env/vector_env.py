"""Many infants that reach, in one process and on several cores: `InfantArmReach-v0` as a vector environment."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from mujoco.batch import Batch
from numpy.typing import ArrayLike, NDArray

from . import rewards
from .body import ArmModel
from .camera import EyeCamera
from .checks import check_choice, check_counts, check_eye_size, options_of, seed_of_each
from .many_poses import ManyPoses
from .onlooker import Onlooker
from .reach_task import ReachTask
from .servos import CONTROL_HZ, Servos

Observations = dict[str, NDArray[Any]]
Infos = dict[str, Any]


class InfantArmReachVectorEnv(VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):
    """`InfantArmReach-v0` with many infants, stepped together by `mujoco.batch`.

    Infant i, seeded with `seed + i`, lives through the same as a single environment with that seed and those actions: states,
    observations, rewards and infos are equal to the last bit. `InfantArmReachEnv` documents them.

    An infant whose episode ends begins its next one in the same step (Gymnasium's `AutoresetMode.SAME_STEP`): the
    observation is the new episode's first, and `infos["final_obs"]` and `infos["final_info"]` hold the old one's last.

    Args:
        num_envs: how many infants.
        max_episode_steps: after which an episode is truncated.
        goal: see `InfantArmReachEnv`, as all that follow but the last.
        reward: see there.
        threshold: see there.
        render_mode: None or "rgb_array".
        age_months: see there.
        eye_size: see there.
        arm: see there.
        threads: on which the physics run; 0: one for each core.

    Raises:
        ValueError: an argument is unknown or out of range.
    """

    metadata = {  # noqa: RUF012 (Gymnasium's own form)
        "render_modes": ["rgb_array"],
        "render_fps": CONTROL_HZ,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = 25,
        goal: str = "hand",
        reward: str = "sparse",
        threshold: float | None = None,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: ArmModel | None = None,
        threads: int = 0,
    ) -> None:
        check_counts(num_envs=num_envs, max_episode_steps=max_episode_steps, threads=threads)
        check_choice("render_mode", render_mode, [None, *self.metadata["render_modes"]])
        if eye_size is not None:
            check_eye_size(eye_size)
        self.num_envs, self.max_episode_steps, self.render_mode = num_envs, max_episode_steps, render_mode
        self.arm = arm or ArmModel.infant(age_months)
        self.task = ReachTask(self.arm, goal, reward, threshold)
        joints = len(self.arm.joint_names)
        self.goal_joints = np.zeros((num_envs, joints))
        """Poses that reach the present goals, shape (N, 5), rad: what an oracle knows."""
        self._servos = Servos(self.arm, num_envs)
        self._eye = None if eye_size is None else EyeCamera(self.arm, eye_size)
        self._onlooker = Onlooker(self.arm, "InfantArmReach-v0")
        self.single_action_space = self._servos.action_space
        self.single_observation_space = self.task.observation_space(eye_size)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        # persistent: a step goes on from the positions that the last one computed for us, which then cost nothing
        self._batch = Batch(self.arm.model, num_envs, nthread=threads, persistent=True)
        self._qpos, self._qvel, self._ctrl = (self._batch.bind(name) for name in ("qpos", "qvel", "ctrl"))
        self._sites = self._batch.bind("site_xpos")[:, self.arm.model.site(self.arm.hand_site).id]  # (N, 3)
        self._hands = np.zeros((num_envs, 3))
        self._rest = self._batch.state[0].copy()
        self._poses = ManyPoses(self.arm, num_envs, threads)
        self._data = mujoco.MjData(self.arm.model)
        self._randoms: list[np.random.Generator | None] = [None] * num_envs
        self._goals = np.zeros((num_envs, *self.task.goal_space.shape), np.float32)
        self._steps = np.zeros(num_envs, np.int64)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Starts all episodes.

        Args:
            seed: infant i gets `seed + i`; or one for each infant; None: the random numbers go on.
            options: `joints` and `goal`, each for all infants, shape (J,), or for each of them, (N, J).

        Raises:
            ValueError: an option is unknown, misshapen or out of reach, or there are not as many seeds as infants.
        """
        for infant, one in enumerate(seed_of_each(seed, self.num_envs)):
            if one is not None:
                self._randoms[infant], _ = seeding.np_random(one)
        self._begin(np.arange(self.num_envs), options)
        observations = self._observe()
        return observations, self._infos(self._distances(observations))

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Gives all servos new targets and lets 40 ms pass; where an episode ends, the next one begins.

        Args:
            actions: shape (N, 5), in [-1, 1].

        Returns:
            Observations, rewards (N,), terminations (N,), truncations (N,), infos.

        Raises:
            ResetNeeded: before the first reset.
            ValueError: the actions are misshapen or not finite.
        """
        if self._randoms[0] is None:
            raise ResetNeeded("got a step before the first episode, expected reset() first")
        self._ctrl[:, self.arm.actuator_ids] = self._servos.targets(actions)
        self._batch.step(nstep=self._servos.substeps, stage=mujoco.mjtStage.mjSTAGE_VEL.value)
        self._hands[:] = self._sites
        self._steps += 1
        observations = self._observe()
        distances = self._distances(observations)
        truncations = self._steps >= self.max_episode_steps
        infos = self._infos(distances)
        if truncations.any():
            infos = self._begin_again(truncations, observations, infos)
        return observations, self.task.worth(distances), np.zeros(self.num_envs, bool), truncations, infos

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """The rewards for goals, any number of them at once; see `InfantArmReachEnv.compute_reward`."""
        return self.task.compute_reward(achieved_goal, desired_goal)

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The actions that send the arms to these joints, shape (N, 5); see `InfantArmEnv.action_for`."""
        return self._servos.action_for(joints)

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Each infant from outside, (480, 640, 3) uint8, when `render_mode` is "rgb_array"."""
        if self.render_mode is None:
            return None
        return tuple(self._onlooker.frame(self._infant(infant)) for infant in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the cameras."""
        if self._eye is not None:
            self._eye.close()
        self._onlooker.close()

    def _begin(self, infants: NDArray[np.int64], options: dict[str, Any] | None = None) -> None:
        """Starts the episodes of some infants."""
        randoms = [self._random(i) for i in infants]
        if options:
            given = [options_of(i, self.num_envs, options) for i in infants]
            starts = [self.task.begin(random, mine) for random, mine in zip(randoms, given, strict=True)]
            joints, hands, goals, poses = map(np.array, zip(*starts, strict=True))
        else:
            joints, hands = self._poses.draw(randoms)
            poses, goal_hands = self._poses.draw(randoms)
            goals = self.task.goal_at(poses, goal_hands)
        self._hands[infants], self._goals[infants], self.goal_joints[infants] = hands, goals, poses
        self._batch.state[infants] = self._rest
        self._qpos[infants[:, None], self.arm.qpos_ids] = joints
        self._ctrl[infants[:, None], self.arm.actuator_ids] = joints
        self._steps[infants] = 0

    def _begin_again(self, ended: NDArray[np.bool_], observations: Observations, infos: Infos) -> Infos:
        """Starts the next episodes of some infants; what they observe now replaces what they did, which the infos keep."""
        infants = np.flatnonzero(ended)
        last = np.full(self.num_envs, None, object)
        for i in infants:
            last[i] = {key: values[i].copy() for key, values in observations.items()}
        self._begin(infants)
        for key, values in self._observe(infants).items():
            observations[key][infants] = values
        return self._infos(self._distances(observations)) | {
            "final_obs": last,
            "_final_obs": ended.copy(),
            "final_info": {key: np.where(ended, values, np.zeros_like(values)) for key, values in infos.items()},
            "_final_info": ended.copy(),
        }

    def _observe(self, infants: NDArray[np.int64] | slice = slice(None)) -> Observations:
        """What some infants feel, have achieved, desire and see; the caller's own."""
        joints = self._qpos[infants][:, self.arm.qpos_ids].astype(np.float32)  # (n, J)
        velocities = self._qvel[infants][:, self.arm.dof_ids].astype(np.float32)
        observations = {
            "observation": np.concatenate((joints, velocities), axis=1),
            "achieved_goal": self.task.goal_at(joints, self._hands[infants]),
            "desired_goal": self._goals[infants].copy(),
        }
        if self._eye is not None:
            seen = np.arange(self.num_envs)[infants]
            observations["eye"] = np.stack([self._eye.render(self._infant(i)) for i in seen])
        return observations

    def _infant(self, infant: int) -> mujoco.MjData:
        """One infant's simulation, until the next is asked for; with what a camera needs."""
        data = self._batch.get_data(infant, self._data)
        mujoco.mj_kinematics(self.arm.model, data)
        mujoco.mj_camlight(self.arm.model, data)
        return data

    def _random(self, infant: int) -> np.random.Generator:
        random = self._randoms[infant]
        if random is None:
            random = self._randoms[infant] = seeding.np_random()[0]
        return random

    def _distances(self, observations: Observations) -> rewards.Floats:
        return self.task.distance(observations["achieved_goal"], observations["desired_goal"])

    def _infos(self, distances: rewards.Floats) -> Infos:
        """By name, and by _name for which infants it holds."""
        everyone = np.ones(self.num_envs, bool)
        return {
            "is_success": self.task.reached(distances),
            "_is_success": everyone,
            "distance": distances,
            "_distance": everyone.copy(),
        }
