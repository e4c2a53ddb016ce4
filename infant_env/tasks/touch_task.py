"""The task of touching a patch of one's own skin: goals, what is achieved, rewards, and the scores of an episode."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from ..body.checks import check_choice, check_options
from ..body.model import ArmModel
from ..errors import UserError
from ..given import shown
from ..senses.sense import Senses
from ..senses.skin.touch import MOST_FORCE, Touch
from ..senses.spaces import proprioception_space, touch_spaces
from .reachable import Reachable, reachable
from .rewards import Floats
from .start import OPTIONS, start

GOALS = ["told", "felt"]
STIMULUS = 5.0
"""A patch that is felt as the goal is pressed like this, N."""
IN_VIEW_DEGREES = 15.0
"""A hand is in view if it is within this angle of the gaze."""


class Start(NamedTuple):
    """First state of an episode."""

    joints: NDArray[np.float64]
    """The arm's pose, shape (J,), rad."""
    patch: int
    """Number of the patch to touch."""
    goal_joints: NDArray[np.float64]
    """A valid pose in which a hand touches it, shape (J,), rad."""
    gaze: NDArray[np.float64]
    """Angles of the gaze, shape (G,), rad."""


class TouchTask:
    """The task of touching the patch that is told or felt; the same for one infant and for many.

    Args:
        arm: the body.
        touch: its sense of touch.
        goal: one of `GOALS`.

    Raises:
        UserError: the kind of goal is unknown.
    """

    def __init__(self, arm: ArmModel, touch: Touch, goal: str) -> None:
        check_choice("goal", goal, GOALS)
        self.is_told = goal == "told"
        self._arm, self.touch, self._data = arm, touch, arm.new_data()
        """The body's sense of touch."""
        self._cameras = [arm.model.camera(name).id for name in arm.eyes.values()]
        self._hands = [np.flatnonzero(mask) for mask in touch.hands.values()]
        own = [touch.patches.on(mask).sum() for mask in touch.hands.values()]
        self._touchable = len(touch.names) - np.array(own)  # by each hand, (H,)

    @cached_property
    def _reachable(self) -> Reachable:
        return reachable(self._arm, self.touch)

    @property
    def reachable(self) -> tuple[str, ...]:
        """Names of the patches from which goals are drawn."""
        return tuple(self.touch.names[patch] for patch in self._reachable.patches)

    def observation_space(
        self, senses: Senses, others: Mapping[str, spaces.Space[Any]], shows_touch: bool
    ) -> spaces.Dict:
        """Observation space of the environment.

        Args:
            senses: the senses that have noise or a delay.
            others: spaces of what is observed besides.
            shows_touch: whether touch is observed.
        """
        goal = spaces.Box(0, 1, (len(self.touch.names),), np.float32)
        goals = {"achieved_goal": goal, "desired_goal": goal} if self.is_told else {}
        felt = touch_spaces(self.touch if shows_touch else None, senses)
        return spaces.Dict({"observation": proprioception_space(self._arm, senses), **goals, **felt, **others})

    def begin(self, random: np.random.Generator, options: dict[str, Any] | None) -> Start:
        """Draws a start from the valid poses, and then a goal from the reachable patches, unless the options give them.

        Raises:
            UserError: an option is unknown or out of reach, or no patch can be reached.
        """
        given = check_options(options, (*OPTIONS, "patch"))
        joints, gaze = start(self._arm, self._data, random, given)
        patches, poses = self._reachable
        if not len(patches):
            raise UserError(
                "got a body whose hand touches nothing of it in any pose, expected one that can touch itself; give it shapes "
                "that make contact with the hand"
            )
        k = self._number(given["patch"]) if "patch" in given else int(random.integers(len(patches)))
        return Start(joints, int(patches[k]), poses[k], gaze)

    def again(self, patch: int, joints: NDArray[np.float64]) -> NDArray[np.float64]:
        """A pose (J,) of this body that touches a patch, rad; if it cannot reach it, the pose of the body before."""
        found = np.flatnonzero(self._reachable.patches == patch)
        return self._reachable.joints[found[0]] if len(found) else self._arm.locked(joints)

    def _number(self, name: Any) -> int:
        """The place of a patch among the reachable ones."""
        if name in self.reachable:
            return self.reachable.index(name)
        what = "which no hand can reach" if name in self.touch.names else "which does not exist"
        raise UserError(
            f"got the patch {shown(name)}, {what}, expected one of the {len(self.reachable)} names in "
            f"env.unwrapped.task.reachable, such as {self.reachable[0]!r}"
        )

    def goal_of(self, patch: ArrayLike) -> NDArray[np.float32]:
        """One-hot goals of patches (...), shape (..., P)."""
        return np.equal(np.arange(len(self.touch.names)), np.asarray(patch)[..., None]).astype(np.float32)

    def stimulated(self, felt: NDArray[np.float32], goal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Touch (P,) as if something pressed the goal's patch too, a new array, N."""
        return np.minimum(felt + np.float32(STIMULUS) * goal, np.float32(MOST_FORCE))

    @property
    def rewards_of_goals(self) -> Callable[[ArrayLike, ArrayLike, Any], Floats]:
        """`compute_reward` of environments whose observations have goals.

        Raises:
            AttributeError: the patch is felt, so that they have none.
        """
        if not self.is_told:
            raise AttributeError('observations with goal="felt" have no goals to compute rewards of; use goal="told"')
        return self.compute_reward

    def compute_reward(self, achieved: ArrayLike, desired: ArrayLike, info: Any = None) -> Floats:
        """0 if one of the desired patches is touched, else -1: (..., P) and (..., P) -> (...); `info` is ignored.

        Raises:
            UserError: the shapes differ, or the last dimension is not a goal's.
        """
        size = len(self.touch.names)
        achieved, desired = np.asarray(achieved), np.asarray(desired)
        if achieved.shape[-1:] != (size,) or achieved.shape != desired.shape:
            raise UserError(
                f"got goals of shapes {achieved.shape} and {desired.shape}, expected the same shape (..., {size}) for both"
            )
        return np.subtract(((achieved > 0.5) & (desired > 0.5)).any(axis=-1), 1.0, dtype=np.float64)

    def in_view(self, data: mujoco.MjData) -> bool:
        """Whether a hand that moves is within 15 degrees of the gaze of an eye that sees; it may be hidden."""
        least = np.cos(np.deg2rad(IN_VIEW_DEGREES))
        for camera in self._cameras:
            ahead = -data.cam_xmat[camera].reshape(3, 3)[:, 2]
            for geoms in self._hands:
                away = data.geom_xpos[geoms].mean(axis=0) - data.cam_xpos[camera]
                if ahead @ away >= least * np.sqrt(away @ away):
                    return True
        return False

    def shares_touched(self, touched: NDArray[np.bool_]) -> Floats:
        """Share of the body's patches, without the hand's own ones, that each hand touched: (..., H, P) -> (..., H)."""
        return np.asarray(touched.sum(axis=-1) / self._touchable)
