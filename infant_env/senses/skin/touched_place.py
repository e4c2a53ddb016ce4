"""Where a body is touched, as one place on its skin: what a map can hold of 525 patches."""

import numpy as np
from numpy.typing import NDArray

from ...body.model import ArmModel
from .touch import Touch

NOWHERE = np.float32(np.nan)
"""What stands for a place if nothing touches."""


class TouchedPlace:
    """The place on the skin that is pressed most, as three numbers in [0, 1].

    A place is the center of its patch in the body's rest pose, along the three axes of the box around all patches: a
    somatotopic code, in which neighbors on the skin have similar numbers. Skin of the arm that moves does not count: it is what
    touches. If both arms move, only the hands do not count.

    Args:
        arm: the body.
    """

    def __init__(self, arm: ArmModel) -> None:
        touch, data = Touch(arm), arm.new_data()
        arm.place(data, arm.joint_ranges.mean(axis=1))
        centers = touch.centers(data)
        low, high = centers.min(axis=0), centers.max(axis=0)
        self.names = touch.names
        """Names of the P patches."""
        self.places = ((centers - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
        """Their places, shape (P, 3)."""
        hands = np.logical_or.reduce(list(touch.hands.values()))
        self.counts = ~touch.patches.on(hands if len(arm.hands) > 1 else arm.arm_geoms)
        """Which patches count, shape (P,)."""

    def of(self, forces: NDArray[np.float32], least: float = 0.0) -> NDArray[np.float32]:
        """The places that are pressed most, (N, P) -> (N, 3); NaN where nothing that counts is pressed by more than `least`."""
        pressed = np.where(self.counts, forces, 0)
        places = self.places[pressed.argmax(axis=1)]
        places[pressed.max(axis=1) <= least] = NOWHERE
        return places

    def nearest(self, places: NDArray[np.floating]) -> NDArray[np.int64]:
        """The patches that count and are nearest to some places: (N, 3) -> (N,)."""
        known = np.flatnonzero(self.counts)
        gaps = ((places[:, None] - self.places[known]) ** 2).sum(axis=2)
        return known[gaps.argmin(axis=1)]
