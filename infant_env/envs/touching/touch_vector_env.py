"""Many infants that touch themselves, in one process and on several cores: `InfantArmTouch-v0` as a vector environment."""

from collections.abc import Callable, Mapping
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import ArrayLike, NDArray

from ...body.checks import check_choice, checked_eye_size, options_of
from ...body.model import ArmModel
from ...senses.sense import Senses
from ...senses.skin.touch import TOUCH, Touch
from ...senses.spaces import eye_spaces, gaze_spaces
from ...tasks.rewards import Floats
from ...tasks.start import OPTIONS
from ...tasks.touch_task import TouchTask
from ..many_bodies import ManyBodies
from ..many_env import Infants, Infos, Observations
from ..simulated import arms_of, check_fovea
from .touch_env import check_touch_is_shown


class InfantArmTouchVectorEnv(ManyBodies, VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):  # skrl, too
    """`InfantArmTouch-v0` with many infants, stepped together by `mujoco.batch`.

    Infant i gives the same states, observations, rewards and infos, bit for bit, as a single environment with the seed
    `seed + i` and the same actions. `InfantArmTouchEnv` documents them, `ManyEnv` the autoreset modes.

    Args:
        num_envs: number of infants.
        max_episode_steps: an episode is truncated after this many steps.
        goal: see `InfantArmTouchEnv`.
        render_mode: see `InfantArmTouchEnv`; "human" shows the first infant.
        age_months: see `InfantArmTouchEnv`.
        eye_size: see `InfantArmTouchEnv`.
        arm: see `InfantArmTouchEnv`.
        threads: number of threads of the physics; 0: one per core.
        width: see `InfantArmTouchEnv`.
        height: see `InfantArmTouchEnv`.
        camera_name: see `InfantArmTouchEnv`.
        autoreset_mode: `AutoresetMode` or its value, see `ManyEnv`.
        senses: see `InfantArmTouchEnv`.
        acuity: see `InfantArmTouchEnv`.
        eyes: see `InfantArmTouchEnv`.
        gaze: see `InfantArmTouchEnv`.
        fovea: see `InfantArmTouchEnv`.
        arms: see `InfantArmTouchEnv`.
        wrist: see `InfantArmTouchEnv`.
        touch: see `InfantArmTouchEnv`.
        change: see `InfantArmTouchEnv`.
        seen: see `InfantArmTouchEnv`.

    `age_months`, `arm`, `change` and `seen` may be lists, with one value for each infant; `bodies` holds the bodies.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    per_infant = ("goal_joints",)
    touch: Touch

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = 25,
        goal: str = "told",
        render_mode: str | None = None,
        age_months: Any = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: Any = None,
        threads: int = 0,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
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
    ) -> None:
        check_fovea(fovea, eye_size)
        bodies = arms_of(num_envs, arm, age_months, eyes, gaze, fovea, arms, wrist, change)
        size = None if eye_size is None else checked_eye_size(eye_size)
        check_choice("touch", touch, [False, True])
        self._kind, self._shows_touch = goal, touch or goal == "felt"
        self._tasks: dict[ArmModel, TouchTask] = {}
        view = width, height, camera_name, threads, senses, acuity, True, seen
        options = *OPTIONS, "patch"
        super().__init__(num_envs, max_episode_steps, autoreset_mode, render_mode, bodies, size, options, *view)
        check_touch_is_shown(self.senses, self._shows_touch)
        self.goal_joints = np.zeros((num_envs, len(self.arm.joint_names)))
        """Poses in which hands touch the present patches, shape (N, 5), rad, for oracles."""
        self._patches = np.zeros(num_envs, np.int64)
        self._goals = self.task.goal_of(self._patches)
        hands, patches = len(self.touch.hands), len(self.touch.names)
        self._touched = np.zeros((num_envs, hands, patches), bool)  # in this episode, by each hand
        self._views = np.zeros((num_envs, 2), np.int64)  # observations with a hand in view, and all, of the episode
        self._success = np.zeros(num_envs, bool)
        self._unseen = np.ones(num_envs, bool)  # whose present state does not count in the scores yet

    def _take(self, bodies: list[ArmModel]) -> None:
        super()._take(bodies)
        self._tasks = {arm: self._tasks.get(arm) or self._task(arm) for arm in self._skins}
        self.task = self._tasks[bodies[0]]
        """The task of the first infant; the others' differ in their bodies alone."""

    def _task(self, arm: ArmModel) -> TouchTask:
        touch = self._skins[arm]
        assert touch is not None
        return TouchTask(arm, touch, self._kind)

    def _space(self, arm: ArmModel, senses: Senses) -> spaces.Dict:
        pictures = {} if self.eye_size is None else eye_spaces(arm.eyes, self.eye_size)
        return self._tasks[arm].observation_space(senses, pictures | gaze_spaces(arm, senses), self._shows_touch)

    def _changed(self, infants: list[int]) -> None:
        for infant in infants if self._begun else ():
            task = self._tasks[self.bodies[infant]]
            self.goal_joints[infant] = task.again(int(self._patches[infant]), self.goal_joints[infant])

    @property
    def compute_reward(self) -> Callable[[ArrayLike, ArrayLike, Any], Floats]:
        """Rewards of any number of goals; see `InfantArmTouchEnv.compute_reward`."""
        return self.task.rewards_of_goals

    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        given = [options_of(i, self.num_envs, options) for i in infants.tolist()]
        starts = [
            self._tasks[self.bodies[i]].begin(self._random(i), own)
            for i, own in zip(infants.tolist(), given, strict=True)
        ]
        joints, self._patches[infants], self.goal_joints[infants], gazes = map(np.array, zip(*starts, strict=True))
        self._goals[infants] = self.task.goal_of(self._patches[infants])
        self._place(infants, joints, self._hands[infants], gazes)
        self._touched[infants], self._views[infants], self._unseen[infants] = False, 0, True

    def _move(self, actions: NDArray[np.float32], infants: Infants | None) -> None:
        super()._move(actions, infants)
        self._unseen[slice(None) if infants is None else infants] = True

    def _observe(self, infants: Infants | slice) -> Observations:
        chosen = np.arange(self.num_envs)[infants]
        each = [self._observed(infant) for infant in chosen.tolist()]
        observations = {name: np.stack([one[name] for one in each]) for name in each[0]}
        return {"observation": self._feel(infants), **observations, **self._gazes(infants)}

    def _observed(self, infant: int) -> Observations:
        """What one infant observes besides its joints and its gaze; also updates its scores."""
        task, data, goal = self._tasks[self.bodies[infant]], self._infant(infant), self._goals[infant]
        mujoco.mj_collision(self.bodies[infant].model, data)
        now = task.touch.touched_by_hands(data)
        if self._unseen[infant]:  # a reset of other infants observes the same state again
            self._touched[infant] |= now
            self._views[infant] += task.in_view(data), 1
            self._unseen[infant] = False
        self._success[infant] = now[:, self._patches[infant]].any()
        goals: Observations = {
            "achieved_goal": np.logical_or.reduce(now).astype(np.float32),
            "desired_goal": goal.copy(),
        }
        felt = self._sensed_touch(task.touch, infant, data)
        shown: Observations = goals if self.task.is_told else {TOUCH: self.task.stimulated(felt, goal)}
        if self.task.is_told and self._shows_touch:
            shown[TOUCH] = felt
        return shown | (self._see(data, infant) if self._eyes is not None else {})

    def _evaluate(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        shares = self.task.shares_touched(self._touched).T
        infos = {
            "is_success": self._success.copy(),
            "patch": np.array(self.touch.names, object)[self._patches],
            **{f"{hand}_touched": share.copy() for hand, share in zip(self.touch.hands, shares, strict=True)},
            "hand_in_view": self._views[:, 0] / np.maximum(self._views[:, 1], 1),
        }
        return self._success - 1.0, infos
