"""Quality of the probabilities of hypotheses: which hypotheses are right, and how well the probabilities are calibrated."""

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from . import metrics
from .arms import arm_of

SAME_POSE, SAME_HAND = 10.0, 0.02
"""A hypothesis is right if all joints are within this number of degrees and the hand within this number of meters, if its
place is known. Of two arms, the one whose hand the picture shows counts; if it shows no hand, both count."""


def right_ones(joints: NDArray[np.float32], samples: NDArray[np.int64], data: Dataset) -> NDArray[np.bool_]:
    """Which of the hypotheses (B, K, J), rad, are right for the samples (B,): (B, K)."""
    true = np.repeat(data.joints[samples][:, None], joints.shape[1], 1)
    arm = arm_of(data)
    normalized = [arm.normalize(poses.reshape(-1, poses.shape[2])).astype(np.float32) for poses in (joints, true)]
    shown = np.repeat(data.shows_hands[samples], joints.shape[1], 0)
    each = (
        np.degrees(np.abs(joints - true)).reshape(*joints.shape[:2], max(len(arm.hands), 1), -1).max(3)
    )  # of each arm
    counts = data.shows_hands[samples][:, None] if len(arm.hands) > 1 else np.ones((len(joints), 1, 1), bool)
    turned = np.where(counts | ~counts.any(2, keepdims=True), each, 0).max(2)
    if not arm.hands:
        return turned <= SAME_POSE
    hands = metrics.hand_errors(normalized[0], normalized[1], arm, shown)
    return (turned <= SAME_POSE) & (hands.reshape(turned.shape) <= SAME_HAND)


def calibration_error(predicted: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015): mean difference of probability and frequency over equal bins.

    Args:
        predicted: probabilities, any shape.
        right: whether each hypothesis was right, same shape.
        bins: number of bins of equal width.
    """
    rows = reliability_bins(predicted, right, bins)
    return sum(count * abs(mean - share) for count, mean, share in rows) / max(predicted.size, 1)


def reliability_bins(
    predicted: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10
) -> list[tuple[int, float, float]]:
    """For each bin that is not empty: the number of hypotheses, their mean probability, and the share that was right."""
    at = np.minimum((predicted.ravel() * bins).astype(int), bins - 1)
    groups = [(predicted.ravel()[at == k], right.ravel()[at == k]) for k in range(bins)]
    return [(len(t), float(t.mean()), float(r.mean())) for t, r in groups if len(t)]
