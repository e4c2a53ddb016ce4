"""Distances to goals, success and rewards: pure functions of arrays, for one goal or any batch.

A batch gives the same bits as its goals one by one, so rewards can be recomputed for other goals (hindsight).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def hand_distance(achieved: ArrayLike, desired: ArrayLike) -> Floats:
    """Euclidean distance between the hand and its goal.

    Args:
        achieved: positions of the hand, shape (..., 3), m.
        desired: goals, of a shape that broadcasts with `achieved`, m.

    Returns:
        Distances, shape (...), m.
    """
    difference = np.subtract(achieved, desired, dtype=np.float64)
    return np.sqrt(np.add.reduce(difference * difference, -1))


def joint_distance(achieved: ArrayLike, desired: ArrayLike) -> Floats:
    """The largest error among the joints.

    It is the largest error and not the length of the error vector. So "within 10 degrees" holds for every joint, for any
    number of joints, and small errors of the other joints do not hide a large one.

    Args:
        achieved: angles, shape (..., J), rad.
        desired: goals, of a shape that broadcasts with `achieved`, rad.

    Returns:
        Distances, shape (...), rad.
    """
    return np.maximum.reduce(np.abs(np.subtract(achieved, desired, dtype=np.float64)), -1)


def success(distance: Floats, threshold: float) -> NDArray[np.bool_]:
    """Whether goals are reached, that is, no farther than the threshold, shape (...)."""
    return distance <= threshold


def sparse(distance: Floats, threshold: float) -> Floats:
    """0 if a goal is reached, else -1, shape (...)."""
    return np.subtract(distance <= threshold, 1.0, dtype=np.float64)


def dense(distance: Floats, threshold: float) -> Floats:
    """Minus the distance, shape (...); the threshold is ignored."""
    return -distance
