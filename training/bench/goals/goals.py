"""The goals: poses that show the hand, always the same ones, and their pictures."""

import hashlib
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera

MOST = 1000
"""Number of the goals."""
TEST, VALIDATION = 20231204, 20231205
"""Seeds of the goals that count, and of those on which settings are chosen."""
CHECKSUM = "251d706dbc832745"
"""Checksum of the poses of all goals that count."""
_SEEN = 0.9  # share of the picture's height and width, around its middle, in which the palm must be


def poses(arm: ArmModel, count: int, seed: int = TEST) -> NDArray[np.float32]:
    """Valid poses, uniform over the joint ranges, in which the eye sees the palm.

    Whether it does is computed from lines, not from pixels, so that every renderer has the same goals: the palm lies in the
    middle nine tenths of the picture, and a ray from the eye to it meets the hand first.

    Args:
        arm: the body.
        count: number of poses; fewer are the first of more.
        seed: seed of the poses.

    Returns:
        Shape (count, J), rad.
    """
    random, data, found = np.random.default_rng(seed), arm.new_data(), list[NDArray[np.float32]]()
    while len(found) < count:
        pose = arm.valid_pose(data, random).astype(np.float32)
        arm.place(data, pose)
        if shows_palm(arm, data):
            found.append(pose)
    return np.stack(found)


def shows_palm(arm: ArmModel, data: mujoco.MjData) -> bool:
    """Whether the eye sees the palm in the present pose."""
    camera = arm.model.camera(arm.eye_camera)
    place, axes = data.cam_xpos[camera.id], data.cam_xmat[camera.id].reshape(3, 3)
    line = arm.hand_positions(data)[0] - place
    right, up, back = axes.T @ line
    half = np.tan(np.deg2rad(camera.fovy[0]) / 2) * _SEEN * -back  # of the picture's height, at the palm's distance
    if not (abs(up) < half and abs(right) < half * 5 / 3):
        return False
    met = np.full(1, -1, np.int32)
    mujoco.mj_ray(arm.model, data, place, line, None, True, camera.bodyid[0], met)
    return bool(met[0] >= 0 and arm.hand_geoms[met[0]])


def checksum(joints: NDArray[np.float32]) -> str:
    """The first digits of the SHA-256 of poses, rounded to a microradian."""
    rounded = np.rint(joints.astype(np.float64) * 1e6).astype("<i8")
    return hashlib.sha256(rounded.tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Goal:
    """A goal, and what only the judge knows about it."""

    eye: NDArray[np.uint8]
    """The frame that the agent gets, shape (300, 500, 3)."""
    hand: NDArray[np.float64]
    """The place of the hand, shape (3,), m."""


class Goals:
    """Draws the pictures of goals on request.

    Args:
        arm: the body.
        joints: the poses, (N, J), rad.
    """

    def __init__(self, arm: ArmModel, joints: NDArray[np.float32]) -> None:
        self._arm, self.joints = arm, joints
        self._data, self._eye = arm.new_data(), EyeCamera(arm)
        self.background: NDArray[np.uint8] = self._eye.background()
        """What the eye sees without the arm, shape (300, 500, 3)."""

    def __len__(self) -> int:
        """Number of goals."""
        return len(self.joints)

    def __getitem__(self, number: int) -> Goal:
        """One goal."""
        if number >= len(self):
            raise IndexError(number)
        self._arm.pose(self._data, self.joints[number])
        return Goal(self._eye.render(self._data), self._arm.hand_positions(self._data)[0].copy())

    def close(self) -> None:
        """Frees the camera."""
        self._eye.close()
