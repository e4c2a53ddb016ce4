"""Servos: they turn actions into joint targets and hold them for whole control steps."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import UserError
from ..given import detached, numbers, shown
from .model import ArmModel
from .self_test import CONTROL_HZ as CONTROL_HZ
from .self_test import UNSTABLE as UNSTABLE


class DivergedError(RuntimeError):
    """The physics became unstable in a control step; MuJoCo itself only resets silently to the model's default pose."""

    def __init__(self, who: str = "the simulation") -> None:
        super().__init__(
            f"{who} became unstable: positions, velocities or accelerations were huge or not finite; the episode is over, "
            "reset() starts another; if it happens again, shorten the body's timestep or soften its servos"
        )


class Servos:
    """Turns actions in [-1, 1] into targets for the servos of one arm or many, and of the gazes if they turn.

    Args:
        arm: the body, or each infant's.
        infants: number of infants; None: one infant, with actions of shape (J,) instead of (N, J).
    """

    def __init__(self, arm: ArmModel | Sequence[ArmModel], infants: int | None = None) -> None:
        arms = [arm] if isinstance(arm, ArmModel) else list(arm)
        arm = arms[0]
        each = [np.concatenate((one.joint_ranges, one.gaze.ranges)) for one in arms]
        alike = all(np.array_equal(one, each[0]) for one in each)
        ranges = each[0] if alike else np.array(each)  # (J + G, 2), or (N, J + G, 2)
        joints = len(each[0])
        self.substeps = round(1 / (CONTROL_HZ * arm.model.opt.timestep))
        self.action_space = spaces.Box(-1, 1, (joints,), np.float32)
        self._arm = arm
        self._shape = (joints,) if infants is None else (infants, joints)
        self._middle = ranges.mean(axis=-1)  # (J + G,), or (N, J + G)
        self._half = ranges[..., 1] - self._middle
        self._low, self._high = np.moveaxis(ranges, -1, 0)
        self._highest, self._lowest = np.ones(joints), -np.ones(joints)
        self.ctrl = span(np.concatenate((arm.actuator_ids, arm.gaze.actuator_ids)))
        """Where the targets lie in `data.ctrl`."""
        # s; less simulated time than this passes in a control step in which MuJoCo resets itself
        self._shortest = 0.999 * self.substeps * arm.model.opt.timestep
        self._never_resets = bool(arm.model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_AUTORESET)

    def targets(self, actions: Any) -> NDArray[np.float64]:
        """The joint targets of actions, which are clipped to [-1, 1].

        Args:
            actions: shape (J,), or (N, J) for many infants; for a gaze that turns, G numbers follow the J.

        Returns:
            Angles of the same shape, rad.

        Raises:
            UserError: the actions have a wrong shape or are not finite.
        """
        given = numbers(actions)
        if given.shape != self._shape or not math.isfinite(np.vdot(given, given)):
            expected = "x".join(map(str, self._shape))
            raise UserError(
                f"got the action {shown(actions)}, expected {expected} finite numbers in [-1, 1]{detached(actions)}"
            )
        clipped = np.minimum(np.maximum(given, self._lowest), self._highest)  # three times as fast as np.clip
        return np.asarray(self._middle + clipped * self._half)

    def action_for(self, joints: NDArray[Any], gaze: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """The actions for these joint targets, shape (..., J), rad; in [-1, 1] for targets within the joint ranges.

        The gaze, if it turns, goes to `gaze`, (..., G), rad, or straight ahead. If ranges differ between the N infants, targets
        have the shape (..., N, J) or (J,).

        Raises:
            UserError: the joints or the gaze have a wrong shape.
        """
        size = len(self._arm.joint_names)
        if np.shape(joints)[-1:] != (size,):
            raise UserError(f"got the joints {shown(joints)}, expected {size} angles in rad, or rows of them")
        low, high = self._low[..., :size], self._high[..., :size]
        actions = (2 * ((np.asarray(joints) - low) / (high - low)) - 1).astype(np.float32)
        straight, half = self._middle[..., size:], self._half[..., size:]
        turned = straight if gaze is None else np.asarray(gaze)
        if turned.shape[-1:] != straight.shape[-1:]:
            raise UserError(f"got the gaze {shown(gaze)}, expected {straight.shape[-1]} angles in rad")
        looks = np.broadcast_to((turned - straight) / half, (*actions.shape[:-1], straight.shape[-1]))
        return np.concatenate((actions, looks.astype(np.float32)), axis=-1)

    def move(
        self,
        data: mujoco.MjData,
        action: Any,
        steps: int = 1,
        simulate: Callable[[mujoco.MjData, int], None] | None = None,
    ) -> None:
        """Sets new targets and simulates control steps of 40 ms; afterwards the positions are one substep behind.

        Args:
            data: the simulation.
            action: as in `targets`.
            steps: number of control steps.
            simulate: simulates this number of control steps, by default without a stop.

        Raises:
            UserError: the action has a wrong shape or is not finite.
            DivergedError: the physics became unstable.
        """
        data.ctrl[self.ctrl] = self.targets(action)
        before = data.time
        if simulate is None:
            mujoco.mj_step(self._arm.model, data, steps * self.substeps)
        else:
            simulate(data, steps)
        # an unstable simulation resets its time, which is visible except in the first step
        suspect = data.time - before < self._shortest * steps or not before or self._never_resets
        if suspect and data.warning.number[UNSTABLE].any():
            raise DivergedError


def span(ids: NDArray[np.int64]) -> Any:
    """Consecutive indices as a slice, which reads seven times as fast; other indices unchanged."""
    first, last = int(ids[0]), int(ids[-1])
    return slice(first, last + 1) if ids.tolist() == list(range(first, last + 1)) else ids
