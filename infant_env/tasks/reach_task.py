"""What is to be reached, how goals are drawn, and what reaching is worth; the same for one infant and for many."""

from collections.abc import Callable, Iterable
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from ..body.checks import check_choice, check_options, checked_joints
from ..body.model import PENETRATION_LIMIT, ArmModel
from ..errors import UserError
from ..given import detached, numbers, shown
from ..senses.sense import Senses
from ..senses.skin.touch import Touch
from ..senses.spaces import eye_space, eye_spaces, gaze_spaces, joint_space, proprioception_space, touch_spaces
from . import rewards
from .goal_sight import GoalSight
from .start import OPTIONS, start
from .workspace import Workspace

THRESHOLDS = {"hand": 0.02, "joints": float(np.deg2rad(10))}
"""A goal within this distance is reached; by kind of goal, m or rad."""

REACH_TOLERANCE = 0.005
"""A given place is out of reach if no valid pose brings the hand within this distance of it, m."""

_DISTANCES: dict[str, Callable[[ArrayLike, ArrayLike], rewards.Floats]] = {
    "hand": rewards.hand_distance,
    "joints": rewards.joint_distance,
}
_MOST_GOALS = 1000  # draws in the search for a goal that shows the hand
_REWARDS = {"sparse": rewards.sparse, "dense": rewards.dense}


class Start(NamedTuple):
    """First state of an episode."""

    joints: NDArray[np.float64]
    """The arm's pose, shape (J,), rad."""
    hands: NDArray[np.float64]
    """The hands' positions, shape (H, 3), m."""
    goal: NDArray[np.float32]
    """The goal: a place, (3,), m, or a pose, (J,), rad."""
    goal_joints: NDArray[np.float64]
    """A valid pose that reaches the goal, shape (J,), rad."""
    gaze: NDArray[np.float64]
    """Angles of the gaze, shape (G,), rad; the goal is one of a straight gaze."""


class ReachTask:
    """The task of reaching goals: it draws them, measures distances and gives rewards.

    Args:
        arm: the body.
        goal: "hand" or "joints".
        reward: "sparse" or "dense".
        threshold: a goal within this distance is reached, m or rad; by default as in `THRESHOLDS`.
        hand: side of the hand that reaches; None: the first hand.

    Raises:
        UserError: the kind of goal or reward is unknown, the threshold is not above 0, or the body does not have this hand.
    """

    def __init__(self, arm: ArmModel, goal: str, reward: str, threshold: float | None, hand: str | None = None) -> None:
        check_choice("goal", goal, list(_DISTANCES))
        check_choice("reward", reward, list(_REWARDS))
        self.threshold = THRESHOLDS[goal] if threshold is None else _checked_threshold(threshold)
        self._arm = arm
        self._data = arm.new_data()
        self._of_hand = goal == "hand"
        self._side = _checked_hand(arm, hand, goal)
        self.hand = list(arm.hands).index(self._side)
        """Number of the hand that reaches, in the order of `ArmModel.hands`."""
        self.distance = _DISTANCES[goal]
        self._reward = _REWARDS[reward]

    @cached_property
    def _workspace(self) -> Workspace:
        return Workspace(self._arm, self._side)

    @cached_property
    def goal_space(self) -> spaces.Box:
        """Space of goals: a cube around the sphere that the hand cannot leave, m, or the space of joint angles, rad."""
        if not self._of_hand:
            return joint_space(self._arm)
        reach = self._workspace.length + 0.01
        low, high = (np.float32(self._workspace.shoulder + side * reach) for side in (-1, 1))
        return spaces.Box(low, high, dtype=np.float32)

    def observation_space(
        self,
        eye_size: tuple[int, int] | None,
        goal_eye: bool = False,
        senses: Senses = MappingProxyType({}),
        eyes: Iterable[str] = ("eye",),
        gaze: bool = False,
        touch: Touch | None = None,
    ) -> spaces.Dict:
        """Observation space of the environment, with or without the eye's frames, and a picture of the goal.

        Args:
            eye_size: rows and columns of the eye's frames; None: no frames.
            goal_eye: whether there is a picture of the goal.
            senses: the senses that have noise or a delay.
            eyes: names of the eyes.
            gaze: whether the gaze is observed, if it turns.
            touch: the sense of touch; None: it is not felt.

        Raises:
            UserError: `goal_eye` is True but there is no eye.
        """
        check_choice("goal_eye", goal_eye, [False, True])
        if goal_eye and eye_size is None:
            raise UserError(
                "got goal_eye=True without eye_size, expected both; add an eye, such as eye_size=(300, 500)"
            )
        pictures = {} if eye_size is None else eye_spaces(eyes, eye_size)
        if gaze:
            pictures |= gaze_spaces(self._arm, senses)
        pictures |= touch_spaces(touch, senses)
        if goal_eye and eye_size is not None:
            pictures["goal"] = eye_space(eye_size)
        goals = {"achieved_goal": self.goal_space, "desired_goal": self.goal_space}
        return spaces.Dict({"observation": proprioception_space(self._arm, senses), **goals, **pictures})

    def begin(
        self, random: np.random.Generator, options: dict[str, Any] | None, sight: GoalSight | None = None
    ) -> Start:
        """Draws a start and then a goal, each from the valid poses, unless the options give them.

        Args:
            random: random numbers.
            options: a reset's options, `joints`, `gaze` and `goal`.
            sight: if given, goals are redrawn until their picture shows the hand.

        Raises:
            UserError: an option is unknown, has a wrong shape or is out of reach, or no goal shows the hand.
        """
        given = check_options(options, (*OPTIONS, "goal"))
        joints, gaze = start(self._arm, self._data, random, given)
        hands = self._arm.hand_positions(self._data)
        self._arm.gaze.turn(self._data, np.zeros_like(gaze))
        if "goal" in given:
            return Start(joints, hands, *self._given_goal(given["goal"]), gaze)
        pose = self._visible_pose(random, sight)
        return Start(joints, hands, self.goal_at(pose, self._arm.hand_position(self._data, self._side)), pose, gaze)

    def again(self, joints: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The goal that a pose of another body (J,) is for this one, and the pose with locked joints at their angles."""
        pose = self._arm.locked(joints)
        self._arm.place(self._data, pose)
        return self.goal_at(pose, self._arm.hand_position(self._data, self._side)), pose

    def _visible_pose(self, random: np.random.Generator, sight: GoalSight | None) -> NDArray[np.float64]:
        for _ in range(_MOST_GOALS):
            pose = self._arm.valid_pose(self._data, random)
            if sight is None or sight.shows_hand(pose):
                return pose
        raise UserError(
            f"got {_MOST_GOALS} goals whose pictures do not show the hand, expected an eye that sees it; turn the eye's "
            "camera to the arm, or leave out goal_eye"
        )

    def goal_at(self, joints: NDArray[np.floating], hand: NDArray[np.float64]) -> NDArray[np.float32]:
        """A new array with the goal that a pose (..., J) with this hand position (..., 3) reaches, (..., G)."""
        return (hand if self._of_hand else joints).astype(np.float32)

    def reached(self, distance: rewards.Floats) -> NDArray[np.bool_]:
        """Whether goals at these distances are reached."""
        return rewards.success(distance, self.threshold)

    def reward(self, distance: rewards.Floats) -> rewards.Floats:
        """Rewards at these distances from the goal."""
        return self._reward(distance, self.threshold)

    def compute_reward(self, achieved: ArrayLike, desired: ArrayLike) -> rewards.Floats:
        """Rewards of any number of goals: (..., G) and (..., G) -> (...).

        Raises:
            UserError: the shapes differ, or the last dimension is not a goal's.
        """
        size = self.goal_space.shape[0]
        achieved, desired = np.asarray(achieved), np.asarray(desired)
        if achieved.shape[-1:] != (size,) or achieved.shape != desired.shape:
            raise UserError(
                f"got goals of shapes {achieved.shape} and {desired.shape}, expected the same shape (..., {size}) for both"
            )
        return self.reward(self.distance(achieved, desired))

    def _given_goal(self, goal: Any) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The goal that the user gave, and a valid pose that reaches it."""
        if self._of_hand:
            return self._hand_goal(goal)
        pose = checked_joints(self._arm, goal)
        self._arm.place(self._data, pose)
        depth = self._arm.penetration(self._data)
        if depth > PENETRATION_LIMIT:
            raise UserError(
                f"got the goal {shown(goal)}, a pose in which the arm is {1e3 * depth:.1f} mm deep in the body, "
                f"expected at most {1e3 * PENETRATION_LIMIT:g} mm; take another pose, for example one from arm.valid_pose"
            )
        return pose.astype(np.float32), pose

    def _hand_goal(self, goal: Any) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        point = numbers(goal)
        if point.shape != (3,) or not np.isfinite(point).all():
            raise UserError(
                f"got the goal {shown(goal)}, expected a position of the hand: 3 finite numbers, m{detached(goal)}"
            )
        pose, distance = self._workspace.nearest_pose(point, REACH_TOLERANCE)
        if distance > REACH_TOLERANCE:
            self._arm.place(self._data, pose)
            place = ", ".join(f"{x:.3f}" for x in self._arm.hand_position(self._data, self._side))
            raise UserError(
                f"got the goal {shown(goal)}, which is out of reach: the nearest position found for the hand, ({place}) m, is "
                f"{100 * distance:.1f} cm away, expected at most {100 * REACH_TOLERANCE:g} cm"
            )
        return point.astype(np.float32), pose


def _checked_hand(arm: ArmModel, hand: str | None, goal: str) -> str:
    """The side of the hand that reaches."""
    if hand is not None and goal != "hand":
        raise UserError(
            f'got hand={shown(hand)} with goal={goal!r}, expected goal="hand"; all joints must reach such a goal'
        )
    if hand is None:
        return next(iter(arm.hands))
    if not isinstance(hand, str) or hand not in arm.hands:
        other = '; arms="both" moves both hands' if arm.body.mjcf is None else ""
        raise UserError(
            f"got hand={shown(hand)}, expected None or one of {list(arm.hands)}, the hands that move{other}"
        )
    return hand


def _checked_threshold(threshold: Any) -> float:
    length = numbers(threshold)
    if length.shape != () or not 0 < length < np.inf:
        raise UserError(f"got threshold={shown(threshold)}, expected a length in m or an angle in rad above 0")
    return float(length)
