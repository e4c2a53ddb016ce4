"""What is to be reached, how goals are drawn, and what reaching is worth; the same for one infant and for many."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from ..body.checks import check_choice, check_options, checked_joints, checked_start
from ..body.given import detached, numbers, shown
from ..body.model import PENETRATION_LIMIT, ArmModel
from ..errors import UserError
from ..senses.camera import HAND_IN_VIEW, EyeCamera
from ..senses.spaces import eye_space, joint_space, proprioception_space
from . import rewards
from .workspace import Workspace

THRESHOLDS = {"hand": 0.02, "joints": float(np.deg2rad(10))}
"""How near is reached, by the kind of goal: m, rad."""

REACH_TOLERANCE = 0.005
"""How near, in metres, a valid pose must bring the hand to a goal that is given; else it is out of reach."""

_DISTANCES: dict[str, Callable[[ArrayLike, ArrayLike], rewards.Floats]] = {
    "hand": rewards.hand_distance,
    "joints": rewards.joint_distance,
}
_MOST_GOALS = 1000  # that are drawn in search of one that shows the hand
_REWARDS = {"sparse": rewards.sparse, "dense": rewards.dense}


class Start(NamedTuple):
    """How an episode begins."""

    joints: NDArray[np.float64]
    """Where the arm is, shape (J,), rad."""
    hand: NDArray[np.float64]
    """Where its hand is, shape (3,), m."""
    goal: NDArray[np.float32]
    """What is to be reached: (3,), m, or (J,), rad."""
    goal_joints: NDArray[np.float64]
    """A valid pose that reaches it, shape (J,), rad."""


class GoalSight:
    """What the eye sees in the poses of goals.

    Args:
        arm: the body.
        eye: its eye.
    """

    def __init__(self, arm: ArmModel, eye: EyeCamera) -> None:
        self._arm, self._eye, self._data = arm, eye, mujoco.MjData(arm.model)

    def of(self, joints: NDArray[np.float64]) -> NDArray[np.uint8]:
        """A pose (J,), rad -> an RGB frame (H, W, 3), uint8."""
        self._arm.place(self._data, joints)
        return self._eye.render(self._data)

    def shows_hand(self, joints: NDArray[np.float64]) -> bool:
        """Whether a picture of a pose (J,), rad, shows the hand."""
        self._arm.place(self._data, joints)
        return self._eye.in_view(self._data)[1] >= HAND_IN_VIEW


class ReachTask:
    """A kind of goal and of reward for an arm.

    Args:
        arm: the body.
        goal: "hand" or "joints".
        reward: "sparse" or "dense".
        threshold: how near is reached, m or rad; by default as in `THRESHOLDS`.

    Raises:
        UserError: the kind is unknown, or the threshold is not above 0.
    """

    def __init__(self, arm: ArmModel, goal: str, reward: str, threshold: float | None) -> None:
        check_choice("goal", goal, list(_DISTANCES))
        check_choice("reward", reward, list(_REWARDS))
        self.threshold = THRESHOLDS[goal] if threshold is None else _checked_threshold(threshold)
        self._arm = arm
        self._data = mujoco.MjData(arm.model)
        self._of_hand = goal == "hand"
        self.distance = _DISTANCES[goal]
        self._reward = _REWARDS[reward]

    @cached_property
    def _workspace(self) -> Workspace:
        return Workspace(self._arm)

    @cached_property
    def goal_space(self) -> spaces.Box:
        """Goals: a cube around the sphere that the hand cannot leave, m; or the joints' ranges, rad."""
        if not self._of_hand:
            return joint_space(self._arm)
        reach = self._workspace.length + 0.01
        low, high = (np.float32(self._workspace.shoulder + side * reach) for side in (-1, 1))
        return spaces.Box(low, high, dtype=np.float32)

    def observation_space(self, eye_size: tuple[int, int] | None, goal_eye: bool = False) -> spaces.Dict:
        """Of the environment, with pictures of this size or without, and with a picture of the goal or without.

        Raises:
            UserError: a picture of the goal is asked for without an eye.
        """
        check_choice("goal_eye", goal_eye, [False, True])
        if goal_eye and eye_size is None:
            raise UserError("got goal_eye=True without eye_size, expected an eye too, such as eye_size=(300, 500)")
        pictures = {} if eye_size is None else {"eye": eye_space(eye_size)}
        if goal_eye and eye_size is not None:
            pictures["goal"] = eye_space(eye_size)
        goals = {"achieved_goal": self.goal_space, "desired_goal": self.goal_space}
        return spaces.Dict({"observation": proprioception_space(self._arm), **goals, **pictures})

    def begin(
        self, random: np.random.Generator, options: dict[str, Any] | None, sight: GoalSight | None = None
    ) -> Start:
        """Draws a start and then a goal, each from the valid poses, unless they are given.

        Args:
            random: drawn from.
            options: `joints` and `goal` of a reset.
            sight: draws goals again until their picture shows the hand.

        Raises:
            UserError: an option is unknown, misshapen or out of reach, or no goal shows the hand.
        """
        given = check_options(options, ("joints", "goal"))
        if "joints" in given:
            joints = checked_start(self._arm, self._data, given["joints"])
        else:
            joints = self._arm.valid_pose(self._data, random)
        hand = self._arm.hand_position(self._data)
        if "goal" in given:
            return Start(joints, hand, *self._given_goal(given["goal"]))
        pose = self._visible_pose(random, sight)
        return Start(joints, hand, self.goal_at(pose, self._arm.hand_position(self._data)), pose)

    def _visible_pose(self, random: np.random.Generator, sight: GoalSight | None) -> NDArray[np.float64]:
        for _ in range(_MOST_GOALS):
            pose = self._arm.valid_pose(self._data, random)
            if sight is None or sight.shows_hand(pose):
                return pose
        raise UserError(
            f"none of {_MOST_GOALS} goals shows the hand, expected an eye that sees it; turn the eye's camera to the arm, or "
            "leave out goal_eye"
        )

    def goal_at(self, joints: NDArray[np.floating], hand: NDArray[np.float64]) -> NDArray[np.float32]:
        """What of these, (..., J) and (..., 3), is to be reached, (..., G); the caller's own."""
        return (hand if self._of_hand else joints).astype(np.float32)

    def reached(self, distance: rewards.Floats) -> NDArray[np.bool_]:
        """Which goals at these distances are reached."""
        return rewards.success(distance, self.threshold)

    def worth(self, distance: rewards.Floats) -> rewards.Floats:
        """The rewards at these distances from the goal."""
        return self._reward(distance, self.threshold)

    def compute_reward(self, achieved: ArrayLike, desired: ArrayLike) -> rewards.Floats:
        """The rewards for goals, any number of them at once: (..., G) and (..., G) -> (...).

        Raises:
            UserError: their last dimension is not a goal's.
        """
        size = self.goal_space.shape[0]
        achieved, desired = np.asarray(achieved), np.asarray(desired)
        if achieved.shape[-1:] != (size,) or achieved.shape != desired.shape:
            raise UserError(
                f"got goals of shapes {achieved.shape} and {desired.shape}, expected twice the same (..., {size})"
            )
        return self.worth(self.distance(achieved, desired))

    def _given_goal(self, goal: Any) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """A goal that was given, and a valid pose that reaches it."""
        if self._of_hand:
            return self._hand_goal(goal)
        pose = checked_joints(self._arm, goal)
        self._arm.place(self._data, pose)
        depth = self._arm.penetration(self._data)
        if depth > PENETRATION_LIMIT:
            raise UserError(
                f"got the goal {shown(goal)}, a pose in which the arm is {1e3 * depth:.1f} mm deep in the body, "
                f"expected at most {1e3 * PENETRATION_LIMIT:g} mm; take a pose that the arm can have"
            )
        return pose.astype(np.float32), pose

    def _hand_goal(self, goal: Any) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        point = numbers(goal)
        if point.shape != (3,) or not np.isfinite(point).all():
            raise UserError(
                f"got the goal {shown(goal)}, expected a place of the hand: 3 finite numbers, m{detached(goal)}"
            )
        pose, distance = self._workspace.nearest_pose(point, REACH_TOLERANCE)
        if distance > REACH_TOLERANCE:
            self._arm.place(self._data, pose)
            place = ", ".join(f"{x:.3f}" for x in self._arm.hand_position(self._data))
            raise UserError(
                f"got the goal {shown(goal)}, which is out of reach: the nearest place found for the hand, ({place}) m, is "
                f"{100 * distance:.1f} cm away, expected at most {100 * REACH_TOLERANCE:g} cm"
            )
        return point.astype(np.float32), pose


def _checked_threshold(threshold: Any) -> float:
    length = numbers(threshold)
    if length.shape != () or not 0 < length < np.inf:
        raise UserError(f"got threshold={shown(threshold)}, expected a length in m or an angle in rad above 0")
    return float(length)
