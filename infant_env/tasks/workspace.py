"""A hand's workspace: its arm's length, and the valid pose that brings the hand nearest to a point."""

from functools import cached_property

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import PENETRATION_LIMIT, ArmModel

_POSES = 2000  # sampled poses among which the search finds its starts
_STARTS = 24
_STEPS = 30
_DAMPING = 1e-4  # m^2; keeps steps small where the arm is straight


class Workspace:
    """Places that a hand can reach. The sampled poses are always the same, so the answers are too.

    Args:
        arm: the body.
        side: the hand, one of `ArmModel.hands`; None: the first. The search moves only this hand's arm.
    """

    def __init__(self, arm: ArmModel, side: str | None = None) -> None:
        self._arm, self._side = arm, next(iter(arm.hands)) if side is None else side
        hand, self._data = arm.hands[self._side], arm.new_data()
        self._site = arm.model.site(hand.site).id
        # a single hand has all joints: bodies from MJCF files may have joints beside the way to it
        self._moved = hand.joints if len(arm.hands) > 1 else np.arange(len(arm.joint_names))
        locked = arm.body.change.locked
        self._free = np.array([arm.joint_names[place] not in locked for place in self._moved], float)  # of those
        arm.pose(self._data, arm.joint_ranges.mean(axis=1))
        anchors = self._data.xanchor[arm.model.dof_jntid[arm.dof_ids[self._moved]]]
        bones = np.vstack([anchors, self._hand()])
        self.shoulder = bones[0]
        """Position of the first joint, shape (3,), m."""
        self.length = float(np.linalg.norm(np.diff(bones, axis=0), axis=1).sum())
        """Length of the arm from the first joint along the others to the hand's position, m."""

    def _hand(self) -> NDArray[np.float64]:
        return self._arm.hand_position(self._data, self._side)

    @cached_property
    def _poses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Valid poses (P, J) and their hand positions (P, 3)."""
        random = np.random.default_rng(0)
        joints = np.empty((_POSES, len(self._arm.joint_names)))
        hands = np.empty((_POSES, 3))
        for i in range(_POSES):
            joints[i] = self._arm.valid_pose(self._data, random)
            hands[i] = self._hand()
        return joints, hands

    def nearest_pose(self, point: NDArray[np.float64], tolerance: float) -> tuple[NDArray[np.float64], float]:
        """A valid pose that brings the hand to a point, or as near as the search finds.

        The search starts from those of 2,000 poses whose hands are nearest, one after the other, and moves the hand to the
        point by damped least squares within the joint ranges. It stops at the first success.

        Args:
            point: shape (3,), m.
            tolerance: the search stops at this distance, m.

        Returns:
            The pose, shape (J,), rad, and the distance of its hand from the point, m.
        """
        joints, hands = self._poses
        distances = np.linalg.norm(hands - point, axis=1)  # (P,)
        order = np.argsort(distances)
        best, least = joints[order[0]], float(distances[order[0]])
        for start in order[:_STARTS]:
            pose = self._approach(joints[start], point)
            mujoco.mj_kinematics(self._arm.model, self._data)
            mujoco.mj_collision(self._arm.model, self._data)
            distance = float(np.linalg.norm(self._hand() - point))
            if distance < least and self._arm.penetration(self._data) <= PENETRATION_LIMIT:
                best, least = pose, distance
            if least <= tolerance:
                break
        return best, least

    def _approach(self, joints: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moves the hand from a pose toward a point; the simulation stays in the last pose."""
        low, high = self._arm.joint_ranges[self._moved].T
        dofs, joints = self._arm.dof_ids[self._moved], joints.copy()
        jacobian = np.empty((3, self._arm.model.nv))
        for _ in range(_STEPS):
            self._data.qpos[self._arm.qpos_ids] = joints
            mujoco.mj_kinematics(self._arm.model, self._data)
            error = point - self._data.site_xpos[self._site]
            if np.linalg.norm(error) < 1e-5:
                break
            mujoco.mj_comPos(self._arm.model, self._data)
            mujoco.mj_jacSite(self._arm.model, self._data, jacobian, None, self._site)
            j = jacobian[:, dofs] * self._free  # (3, joints that move)
            step = j.T @ np.linalg.solve(j @ j.T + _DAMPING * np.eye(3), error)
            joints[self._moved] = np.clip(joints[self._moved] + step, low, high)
        self._data.qpos[self._arm.qpos_ids] = joints
        return joints
