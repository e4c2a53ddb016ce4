"""Many infants that reach, in one process and on several cores: `InfantArmReach-v0` as a vector environment."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import ArrayLike, NDArray

from ..body.checks import checked_eye_size, options_of
from ..body.model import ArmModel
from ..senses.acuity import checked_acuity
from ..senses.sense import checked_senses
from ..tasks import rewards
from ..tasks.goal_sight import GoalSight
from ..tasks.reach_task import ReachTask
from .many_bodies import ManyBodies
from .many_env import Infants, Infos, Observations
from .simulated import as_arm, as_touch


class InfantArmReachVectorEnv(ManyBodies, VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):  # skrl, too
    """`InfantArmReach-v0` with many infants, stepped together by `mujoco.batch`.

    Infant i gives the same states, observations, rewards and infos, bit for bit, as a single environment with the seed
    `seed + i` and the same actions. `InfantArmReachEnv` documents them, `ManyEnv` the autoreset modes.

    Args:
        num_envs: number of infants.
        max_episode_steps: an episode is truncated after this many steps.
        goal: see `InfantArmReachEnv`.
        reward: see `InfantArmReachEnv`.
        threshold: see `InfantArmReachEnv`.
        render_mode: see `InfantArmReachEnv`; "human" shows the first infant.
        age_months: see `InfantArmReachEnv`.
        eye_size: see `InfantArmReachEnv`.
        arm: see `InfantArmReachEnv`.
        threads: number of threads of the physics; 0: one per core.
        width: see `InfantArmReachEnv`.
        height: see `InfantArmReachEnv`.
        camera_name: see `InfantArmReachEnv`.
        goal_eye: see `InfantArmReachEnv`.
        autoreset_mode: `AutoresetMode` or its value, see `ManyEnv`.
        senses: see `InfantArmReachEnv`.
        acuity: see `InfantArmReachEnv`.
        eyes: see `InfantArmReachEnv`.
        gaze: see `InfantArmReachEnv`.
        arms: see `InfantArmReachEnv`.
        wrist: see `InfantArmReachEnv`.
        touch: see `InfantArmReachEnv`.
        hand: see `InfantArmReachEnv`.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    per_infant = ("goal_joints",)

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
        arm: ArmModel | Mapping[str, Any] | None = None,
        threads: int = 0,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
        goal_eye: bool = False,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        senses: Mapping[str, Any] | str | None = None,
        acuity: float | str | None = None,
        eyes: str | None = None,
        gaze: str | None = None,
        arms: str | None = None,
        wrist: bool | None = None,
        touch: bool = False,
        hand: str | None = None,
    ) -> None:
        body = as_arm(arm, age_months, eyes, gaze, arms, wrist)
        size = None if eye_size is None else checked_eye_size(eye_size)
        self.task = ReachTask(body, goal, reward, threshold, hand)
        felt = as_touch(body, touch)
        sensed = (
            checked_senses(senses, body.body, size is not None),
            checked_acuity(acuity, body.body, size is not None),
        )
        space, options = (
            self.task.observation_space(size, goal_eye, sensed[0], body.eyes, gaze=True, touch=felt),
            ("joints", "goal"),
        )
        view = width, height, camera_name, threads, *sensed, felt
        super().__init__(num_envs, max_episode_steps, autoreset_mode, render_mode, body, size, space, options, *view)
        self.goal_joints = np.zeros((num_envs, len(body.joint_names)))
        """Poses that reach the present goals, shape (N, 5), rad, for oracles."""
        self._goals = np.zeros((num_envs, *self.task.goal_space.shape), np.float32)
        self._sight = GoalSight(body, self._eye, self.task.hand) if goal_eye and self._eye is not None else None
        self._shown = np.zeros((num_envs, *(size or (0, 0)), 3), np.uint8)  # pictures of the goals

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of any number of goals; see `InfantArmReachEnv.compute_reward`."""
        return self.task.compute_reward(achieved_goal, desired_goal)

    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        randoms = [self._random(i) for i in infants.tolist()]
        if options or self._sight is not None:
            given = [options_of(i, self.num_envs, options) for i in infants.tolist()]
            starts = [self.task.begin(random, mine, self._sight) for random, mine in zip(randoms, given, strict=True)]
            joints, hands, goals, poses = map(np.array, zip(*starts, strict=True))
        else:
            joints, hands = self._poses.draw(randoms)
            poses, goal_hands = self._poses.draw(randoms)
            goals = self.task.goal_at(poses, goal_hands[:, self.task.hand])
        self._goals[infants], self.goal_joints[infants] = goals, poses
        if self._sight is not None:
            self._shown[infants] = [self._sight.picture(pose) for pose in poses]
        self._place(infants, joints, hands)

    def _observe(self, infants: Infants | slice) -> Observations:
        observations: Observations = {
            "observation": self._feel(infants),
            "achieved_goal": self.task.goal_at(
                self._qpos[infants][:, self.arm.qpos_ids], self._hands[infants, self.task.hand]
            ),
            "desired_goal": self._goals[infants].copy(),
            **self._gazes(infants),
            **self._touches(infants),
        }
        if self._eye is not None:
            seen = np.arange(self.num_envs)[infants].tolist()
            observations |= self._stacked([self._see(self._infant(i), i) for i in seen])
        if self._sight is not None:
            observations["goal"] = self._shown[infants].copy()
        return observations

    def _evaluate(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        distances = self.task.distance(observations["achieved_goal"], observations["desired_goal"])
        return self.task.reward(distances), {"is_success": self.task.reached(distances), "distance": distances}
