"""What an action does: joint targets over the joint ranges, held by the servos for whole control steps."""

import math
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .body import ArmModel
from .given import detached, numbers, shown

CONTROL_HZ = 25
"""Actions per second."""

UNSTABLE = slice(mujoco.mjtWarning.mjWARN_BADQPOS.value, mujoco.mjtWarning.mjWARN_BADQACC.value + 1)
"""Where MuJoCo counts that it found positions, velocities or accelerations that are not finite or huge."""


class DivergedError(RuntimeError):
    """The physics became unstable in a control step, which MuJoCo mends in silence by starting anew from its default pose."""

    def __init__(self, who: str = "the simulation") -> None:
        super().__init__(
            f"{who} became unstable: positions, velocities or accelerations were not finite or huge; the episode is over, "
            "reset() begins another; if it happens again, shorten the body's timestep or soften its servos"
        )


class Servos:
    """Turns actions in [-1, 1] into the targets of an arm's servos, or of many arms'.

    Args:
        arm: the body.
        infants: how many there are; None: one, whose actions are not in a batch.
    """

    def __init__(self, arm: ArmModel, infants: int | None = None) -> None:
        joints = len(arm.joint_names)
        self.substeps = round(1 / (CONTROL_HZ * arm.model.opt.timestep))
        self.action_space = spaces.Box(-1, 1, (joints,), np.float32)
        self._arm = arm
        self._shape = (joints,) if infants is None else (infants, joints)
        self._middle = arm.joint_ranges.mean(axis=1)  # (J,)
        self._half = arm.joint_ranges[:, 1] - self._middle  # (J,)
        self._highest, self._lowest = np.ones(joints), -np.ones(joints)
        self._ctrl = span(arm.actuator_ids)
        # s; in a control step in which MuJoCo starts anew less passes
        self._shortest = 0.999 * self.substeps * arm.model.opt.timestep
        # with what is not finite, instead of starting anew
        self._goes_on = bool(arm.model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_AUTORESET)

    def targets(self, actions: Any) -> NDArray[np.float64]:
        """Where the joints shall go; actions beyond [-1, 1] are clipped.

        Args:
            actions: shape (J,), or (N, J) of many infants.

        Returns:
            Angles, of the same shape, rad.

        Raises:
            ValueError: the actions are misshapen or not finite.
        """
        given = numbers(actions)
        if given.shape != self._shape or not math.isfinite(np.vdot(given, given)):
            expected = "x".join(map(str, self._shape))
            raise ValueError(
                f"got the action {shown(actions)}, expected {expected} finite numbers in [-1, 1]{detached(actions)}"
            )
        within = np.minimum(np.maximum(given, self._lowest), self._highest)  # a third of the time of np.clip
        return np.asarray(self._middle + within * self._half)

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The actions that send the arm to these joints, shape (..., J), rad; in [-1, 1] within the joint range.

        Raises:
            ValueError: the joints are misshapen.
        """
        if np.shape(joints)[-1:] != self._middle.shape:
            raise ValueError(
                f"got the joints {shown(joints)}, expected {len(self._middle)} angles in rad, or rows of them"
            )
        return (2 * self._arm.normalize(joints) - 1).astype(np.float32)

    def move(self, data: mujoco.MjData, action: Any, steps: int = 1) -> None:
        """Gives the servos new targets and lets control steps of 40 ms pass; positions are then one substep behind.

        Raises:
            ValueError: the action is misshapen or not finite.
            DivergedError: the physics became unstable.
        """
        data.ctrl[self._ctrl] = self.targets(action)
        before = data.time
        mujoco.mj_step(self._arm.model, data, steps * self.substeps)
        # MuJoCo starts anew, which the time tells, but for the very first step
        suspect = data.time - before < self._shortest * steps or not before or self._goes_on
        if suspect and data.warning.number[UNSTABLE].any():
            raise DivergedError


def span(ids: NDArray[np.int64]) -> Any:
    """Places in an array as a slice, which reads seven times as fast, where they follow each other; else as they are."""
    first, last = int(ids[0]), int(ids[-1])
    return slice(first, last + 1) if ids.tolist() == list(range(first, last + 1)) else ids
