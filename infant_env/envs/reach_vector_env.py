"""Many infants that reach, in one process and on several cores: `InfantArmReach-v0` as a vector environment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import ArrayLike, NDArray

from ..body.checks import checked_eye_size, options_of
from ..body.model import ArmModel
from ..senses.sense import Senses
from ..tasks import rewards
from ..tasks.goal_sight import GoalSight
from ..tasks.reach_task import ReachTask
from ..tasks.start import OPTIONS
from .many_bodies import ManyBodies
from .many_env import Infants, Infos, Observations
from .simulated import arms_of, check_fovea


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
        fovea: see `InfantArmReachEnv`.
        arms: see `InfantArmReachEnv`.
        wrist: see `InfantArmReachEnv`.
        touch: see `InfantArmReachEnv`.
        change: see `InfantArmReachEnv`.
        seen: see `InfantArmReachEnv`.
        hand: see `InfantArmReachEnv`.

    `age_months`, `arm`, `change` and `seen` may be lists, with one value for each infant; `bodies` holds the bodies.

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
        age_months: Any = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: Any = None,
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
        fovea: bool | None = None,
        arms: str | None = None,
        wrist: bool | None = None,
        touch: bool = False,
        change: Any = None,
        seen: Any = None,
        hand: str | None = None,
    ) -> None:
        check_fovea(fovea, eye_size)
        bodies = arms_of(num_envs, arm, age_months, eyes, gaze, fovea, arms, wrist, change)
        size = None if eye_size is None else checked_eye_size(eye_size)
        self._asked, self._goal_eye = (goal, reward, threshold, hand), goal_eye
        self._tasks: dict[ArmModel, ReachTask] = {}
        self._sights: list[GoalSight | None] = []
        self._find_tasks(bodies)
        self.goal_joints = np.zeros((num_envs, len(bodies[0].joint_names)))
        """Poses that reach the present goals, shape (N, 5), rad, for oracles."""
        self._goals = np.zeros((num_envs, *self.task.goal_space.shape), np.float32)
        self._shown = np.zeros((num_envs, *(size or (0, 0)), 3), np.uint8)  # pictures of the goals
        view, options = (width, height, camera_name, threads, senses, acuity, touch, seen), (*OPTIONS, "goal")
        super().__init__(num_envs, max_episode_steps, autoreset_mode, render_mode, bodies, size, options, *view)
        self._look()

    def _find_tasks(self, bodies: Sequence[ArmModel]) -> None:
        self._tasks = {
            arm: self._tasks[arm] if arm in self._tasks else ReachTask(arm, *self._asked)
            for arm in dict.fromkeys(bodies)
        }
        self.task = self._tasks[bodies[0]]
        """The task of the first infant; the others' differ in their bodies alone."""

    def _space(self, arm: ArmModel, senses: Senses) -> spaces.Dict:
        return self._tasks[arm].observation_space(
            self.eye_size, self._goal_eye, senses, arm.eyes, gaze=True, touch=self._skins[arm]
        )

    def _take(self, bodies: list[ArmModel]) -> None:
        super()._take(bodies)
        self._find_tasks(bodies)

    def _look(self) -> None:
        """Makes what draws the pictures of the goals; infants with equal bodies that see alike share it."""
        self._sights = [None] * self.num_envs
        if self._goal_eye and self._eyes is not None:
            kinds = list(zip(self.bodies, self._eyes.cameras, self._eyes.seen, strict=True))
            made = {kind: GoalSight(*kind, self.task.hand) for kind in dict.fromkeys(kinds)}
            self._sights = [made[kind] for kind in kinds]

    def _changed(self, infants: list[int]) -> None:
        self._look()
        for infant in infants if self._begun else ():
            goal, joints = self._tasks[self.bodies[infant]].again(self.goal_joints[infant])
            self._set_goals(np.array([infant]), goal[None], joints[None])

    def _set_goals(self, infants: Infants, goals: NDArray[np.float32], joints: NDArray[np.float64]) -> None:
        self._goals[infants], self.goal_joints[infants] = goals, joints
        for infant, pose in zip(infants.tolist(), joints, strict=True):
            sight = self._sights[infant]
            if sight is not None:
                self._shown[infant] = sight.picture(pose)

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of any number of goals; see `InfantArmReachEnv.compute_reward`."""
        return self.task.compute_reward(achieved_goal, desired_goal)

    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        randoms = [self._random(i) for i in infants.tolist()]
        if options or self._goal_eye:
            starts = [
                self._tasks[self.bodies[i]].begin(random, options_of(i, self.num_envs, options), self._sights[i])
                for i, random in zip(infants.tolist(), randoms, strict=True)
            ]
            joints, hands, goals, poses, gazes = map(np.array, zip(*starts, strict=True))
        else:
            joints, hands = self._poses.draw(infants, randoms)
            gazes = None
            poses, goal_hands = self._poses.draw(infants, randoms)
            goals = self.task.goal_at(poses, goal_hands[:, self.task.hand])
        self._set_goals(infants, goals, poses)
        self._place(infants, joints, hands, gazes)

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
        if self._eyes is not None:
            seen = np.arange(self.num_envs)[infants].tolist()
            observations |= self._stacked([self._see(self._infant(i), i) for i in seen])
        if self._goal_eye:
            observations["goal"] = self._shown[infants].copy()
        return observations

    def _evaluate(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        distances = self.task.distance(observations["achieved_goal"], observations["desired_goal"])
        return self.task.reward(distances), {"is_success": self.task.reached(distances), "distance": distances}
