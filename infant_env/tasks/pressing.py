"""Poses in which the hand touches the body: the arm moves until the body stops it."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import PENETRATION_LIMIT, ArmModel

_HALVINGS = 14  # of a way through the joint space; 5 mm of it are found after 8 or so


def pressing_pose(arm: ArmModel, data: mujoco.MjData, random: np.random.Generator) -> NDArray[np.float64] | None:
    """Draws a start and a target uniformly over the joint ranges, and goes straight from one to the other until the arm touches.

    Of uniform poses, 1.6 % touch something; this finds a touch in about every fifth attempt. It draws the same number of
    random numbers in each attempt that begins with a valid pose.

    Args:
        arm: the body.
        data: a simulation; its arm is moved, and only positions and contacts are computed.
        random: random numbers.

    Returns:
        A valid pose whose deepest contact is above 0 and at most 5 mm deep, shape (J,), rad; None if nothing was in the way.
    """
    start, end = arm.valid_pose(data, random), arm.any_pose(random)
    depth = _depth(arm, data, end)
    if depth <= PENETRATION_LIMIT:
        return end if depth > 0 else None
    free, deep = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (free + deep) / 2
        pose = start + middle * (end - start)
        depth = _depth(arm, data, pose)
        if 0 < depth <= PENETRATION_LIMIT:
            return pose
        free, deep = (middle, deep) if depth == 0 else (free, middle)
    return None


def _depth(arm: ArmModel, data: mujoco.MjData, joints: NDArray[np.float64]) -> float:
    arm.is_valid(data, joints)
    return arm.penetration(data)
