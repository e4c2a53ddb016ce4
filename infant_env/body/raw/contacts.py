"""Which contacts of an arm count: not those within the hand, and not those that the body's shapes cause in every pose."""

from collections.abc import Iterable, Iterator

import mujoco
import numpy as np
from numpy.typing import NDArray

_NEARLY_EVERY = 0.95
"""A pair of geoms that touch in this share of random poses or more touches because of its shapes, not because of the pose."""


def counting_pairs(
    model: mujoco.MjModel,
    arm: NDArray[np.bool_],
    hands: Iterable[NDArray[np.bool_]],
    poses: Iterator[mujoco.MjData],
    shallow: float,
) -> NDArray[np.bool_]:
    """The pairs of geoms whose contacts count.

    A contact of the arm counts, except within a hand (fingers touch each other), and except between two geoms that touch in
    nearly every pose, if they belong to one robot (neighbors whose shapes overlap) or are never deep in each other. An arm that
    is always deep in an obstacle still counts, because its servos cannot hold it there.

    Args:
        model: the body.
        arm: mask of the arm's geoms, shape (ngeom,).
        hands: masks of the hands' geoms, shape (ngeom,) each.
        poses: simulations with contacts, one for each random pose.
        shallow: depth up to which a contact is a touch, m.

    Returns:
        Symmetric mask, shape (ngeom + 1, ngeom + 1); the last row, which index -1 reads, stands for what is not a geom.
    """
    counts = np.zeros((model.ngeom + 1,) * 2, bool)
    counts[:-1] |= arm[:, None]
    counts[:, :-1] |= arm
    for hand in hands:
        counts[:-1, :-1] &= ~(hand[:, None] & hand)
    often, deepest = _touching(model, poses)
    root = model.body_rootid[model.geom_bodyid]
    same_robot = (root[:, None] == root) & (root > 0)
    counts[:-1, :-1] &= ~(often & (same_robot | (deepest <= shallow)))
    return counts


def _touching(model: mujoco.MjModel, poses: Iterator[mujoco.MjData]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which pairs of geoms touch in nearly every pose, and their greatest depths, m, shape (ngeom, ngeom) each."""
    times = np.zeros((model.ngeom,) * 2, int)
    deepest = np.zeros(times.shape)
    number = 0
    for data in poses:
        number += 1
        touches = (data.contact.dist < 0) & (data.contact.geom >= 0).all(axis=1)
        pairs, depths = np.sort(data.contact.geom[touches], axis=1), -data.contact.dist[touches]
        np.maximum.at(deepest, tuple(pairs.T), depths)
        first, second = np.unique(pairs, axis=0).T
        times[first, second] += 1
    often = times >= _NEARLY_EVERY * max(number, 1)
    return often | often.T, np.maximum(deepest, deepest.T)
