"""How far a goal is, whether it is reached, and what that is worth: pure functions of arrays, for one goal or any batch.

A batch gives the same bits as its goals one by one, so that rewards can be computed again for other goals (hindsight).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def hand_distance(achieved: ArrayLike, desired: ArrayLike) -> Floats:
    """How far the hand is from where it shall be, by Euclid.

    Args:
        achieved: places of the hand, shape (..., 3), m.
        desired: where it shall be, of a shape that broadcasts with it, m.

    Returns:
        Distances, shape (...), m.
    """
    apart = np.subtract(achieved, desired, dtype=np.float64)
    return np.sqrt(np.add.reduce(apart * apart, -1))


def joint_distance(achieved: ArrayLike, desired: ArrayLike) -> Floats:
    """How far the worst joint is from where it shall be.

    The largest of the joints' errors, not the length of their vector: "within 10 degrees" then says of each joint what it
    says of the pose, however many joints there are, and no joint's error hides behind the others'.

    Args:
        achieved: angles, shape (..., J), rad.
        desired: where they shall be, of a shape that broadcasts with it, rad.

    Returns:
        Distances, shape (...), rad.
    """
    return np.maximum.reduce(np.abs(np.subtract(achieved, desired, dtype=np.float64)), -1)


def success(distance: Floats, threshold: float) -> NDArray[np.bool_]:
    """Whether goals are reached: not farther than the threshold, shape (...)."""
    return distance <= threshold


def sparse(distance: Floats, threshold: float) -> Floats:
    """0 where a goal is reached, -1 where it is not, shape (...)."""
    return np.subtract(distance <= threshold, 1.0, dtype=np.float64)


def dense(distance: Floats, threshold: float) -> Floats:
    """Minus the distance, shape (...); what is reached is of no account."""
    return -distance
