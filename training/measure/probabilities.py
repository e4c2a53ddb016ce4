"""What probabilities of hypotheses are worth: which of them are right, and how well they are calibrated."""

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from . import metrics

SAME_POSE, SAME_HAND = 10.0, 0.02
"""A hypothesis is right when all joints are within so many degrees and the hand within so many metres."""


def right_ones(joints: NDArray[np.float32], samples: NDArray[np.int64], data: Dataset) -> NDArray[np.bool_]:
    """Which hypotheses (B, K, J), in rad, are the pose of the samples (B,): (B, K)."""
    true = np.repeat(data.joints[samples][:, None], joints.shape[1], 1)
    arm = data.arm
    normalized = [arm.normalize(poses.reshape(-1, poses.shape[2])).astype(np.float32) for poses in (joints, true)]
    hands = metrics.hand_errors(normalized[0], normalized[1], arm)
    turned = np.degrees(np.abs(joints - true)).max(2)
    return (turned <= SAME_POSE) & (hands.reshape(turned.shape) <= SAME_HAND)


def calibration_error(told: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015): mean gap between probability and frequency over equal bins.

    Args:
        told: probabilities, any shape.
        right: whether it was so, same shape.
        bins: of equal width.
    """
    rows = reliability_bins(told, right, bins)
    return sum(count * abs(mean - share) for count, mean, share in rows) / max(told.size, 1)


def reliability_bins(
    told: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10
) -> list[tuple[int, float, float]]:
    """Of each bin of probabilities that holds any: how many, their mean, and the share that was right."""
    at = np.minimum((told.ravel() * bins).astype(int), bins - 1)
    groups = [(told.ravel()[at == k], right.ravel()[at == k]) for k in range(bins)]
    return [(len(t), float(t.mean()), float(r.mean())) for t, r in groups if len(t)]
