"""The hand's workspace: the arm's length, and the valid pose that brings the hand nearest to a point."""

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
    """Places that an arm's hand can reach. The sampled poses are always the same, so the answers are too.

    Args:
        arm: the body.
    """

    def __init__(self, arm: ArmModel) -> None:
        self._arm = arm
        self._data = arm.new_data()
        self._site = arm.model.site(arm.hand_site).id
        self._moves = np.array([name not in arm.body.change.locked for name in arm.joint_names], float)  # (J,)
        arm.pose(self._data, arm.joint_ranges.mean(axis=1))
        bones = np.vstack([self._data.xanchor[arm.model.dof_jntid[arm.dof_ids]], arm.hand_position(self._data)])
        self.shoulder = bones[0]
        """Position of the first joint, shape (3,), m."""
        self.length = float(np.linalg.norm(np.diff(bones, axis=0), axis=1).sum())
        """Length of the arm from the first joint along the others to the hand's position, m."""

    @cached_property
    def _poses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Valid poses (P, J) and their hand positions (P, 3)."""
        random = np.random.default_rng(0)
        joints = np.empty((_POSES, len(self._arm.joint_names)))
        hands = np.empty((_POSES, 3))
        for i in range(_POSES):
            joints[i] = self._arm.valid_pose(self._data, random)
            hands[i] = self._arm.hand_position(self._data)
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
            distance = float(np.linalg.norm(self._arm.hand_position(self._data) - point))
            if distance < least and self._arm.penetration(self._data) <= PENETRATION_LIMIT:
                best, least = pose, distance
            if least <= tolerance:
                break
        return best, least

    def _approach(self, joints: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moves the hand from a pose toward a point; the simulation stays in the last pose."""
        low, high = self._arm.joint_ranges.T
        jacobian = np.empty((3, self._arm.model.nv))
        for _ in range(_STEPS):
            self._data.qpos[self._arm.qpos_ids] = joints
            mujoco.mj_kinematics(self._arm.model, self._data)
            error = point - self._data.site_xpos[self._site]
            if np.linalg.norm(error) < 1e-5:
                break
            mujoco.mj_comPos(self._arm.model, self._data)
            mujoco.mj_jacSite(self._arm.model, self._data, jacobian, None, self._site)
            j = jacobian[:, self._arm.dof_ids]  # (3, J)
            j = j * self._moves
            joints = np.clip(joints + j.T @ np.linalg.solve(j @ j.T + _DAMPING * np.eye(3), error), low, high)
        self._data.qpos[self._arm.qpos_ids] = joints
        return joints
