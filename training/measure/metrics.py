"""Scores of predictions: the errors of Table 1, and what errors over whole pictures hide.

The arm fills a tenth of a picture. So over the whole picture, a constant picture without an arm can score as well as a trained
map. Further scores are therefore the error over the arm's pixels, the overlap of the arms (IoU), the skill against the
constant, the error of each joint in degrees, and that of the hand in centimeters.
"""

from dataclasses import dataclass, replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from agents.networks.autoencoder import ARM_DIFFERS_BY

from ..runs.metrics import Hand, Scores
from .arms import Arm, RecordedArm

Floats = NDArray[np.float32]

ERRORS = "errors.npz"
"""The test samples' errors of every method, in a run's folder."""
SOLID = 0.1
"""For the IoU, a pixel belongs to the arm if it differs from the background by more than this; fainter pixels do not count."""


@dataclass(frozen=True)
class Truth:
    """The true samples for scoring predictions."""

    given: dict[str, Floats]
    """For each sense, the input of the methods, as the infant senses it: (N, ...), within [0, 1]."""
    true: dict[str, Floats]
    """For each sense, the ideal predictions: (N, ...), within [0, 1]."""
    shows_hands: NDArray[np.bool_]
    """Whether each hand is in view, shape (N, H)."""
    background: Floats
    """The picture without the arm: one for all samples, shape (1, 64, 64), or one each, (N, 64, 64), if the eye moves."""
    arm: Arm
    """The body or the recorded arm, for the position of the hand."""

    def __len__(self) -> int:
        return len(self.shows_hands)

    @property
    def shows_hand(self) -> NDArray[np.bool_]:
        """Whether a hand is in view, shape (N,)."""
        return np.asarray(self.shows_hands.any(axis=1))

    def of(self, rows: NDArray[np.bool_]) -> "Truth":
        """Some of the samples."""
        given, true = ({name: samples[rows] for name, samples in each.items()} for each in (self.given, self.true))
        background = self.background if len(self.background) == 1 else self.background[rows]
        return replace(self, given=given, true=true, shows_hands=self.shows_hands[rows], background=background)


def plain_scores(predicted: Floats, true: Floats, truth: Truth) -> Scores:
    """Scores of predictions (N, ...) of a sense without further scores: the mean absolute error alone."""
    return Scores(mae=float(np.abs(predicted - true).mean()))


def sample_errors(predicted: Floats, true: Floats) -> Floats:
    """Mean absolute error of every sample, (N, ...) -> (N,)."""
    return np.abs(predicted - true).reshape(len(true), -1).mean(axis=1)


def picture_scores(predicted: Floats, true: Floats, truth: Truth) -> Scores:
    """Scores of predicted pictures.

    Args:
        predicted: pictures, shape (N, 64, 64).
        true: the true pictures, same shape.
        truth: the samples.

    Returns:
        `mae` (whole frame), `arm_mae` (over the arm's pixels) and `arm_iou`.
    """
    error = np.abs(predicted - true)
    arm = error[arm_pixels(true, truth.background, ARM_DIFFERS_BY)]
    return Scores(
        mae=float(error.mean()),
        arm_mae=float(arm.mean()) if len(arm) else None,
        arm_iou=float(arm_iou(predicted, true, truth.background).mean()),
    )


def arm_pixels(images: Floats, background: Floats, threshold: float) -> NDArray[np.bool_]:
    """The pixels that show the arm, because they differ from the background by more than a threshold, (..., 64, 64)."""
    return np.abs(images - background) > threshold


def arm_iou(predicted: Floats, true: Floats, background: Floats) -> Floats:
    """Intersection over union of the arms in two sets of pictures, (N, 64, 64) -> (N,); 1 if no picture of a pair shows one."""
    a, b = (arm_pixels(images, background, SOLID).reshape(len(images), -1) for images in (predicted, true))
    union = (a | b).sum(axis=1)
    iou: Floats = np.where(union > 0, (a & b).sum(axis=1) / np.maximum(union, 1), 1.0).astype(np.float32)
    return iou


def joint_scores(predicted: Floats, true: Floats, truth: Truth) -> Scores:
    """Scores of predicted poses.

    Args:
        predicted: normalized joints, shape (N, J).
        true: the true joints, same shape.
        truth: the samples.

    Returns:
        `mae` (normalized), `joint_mae` (normalized, by joint), `joint_error_deg` (by joint), `hand_error_cm` (see
        `hand_summary`) and its percentiles 0 to 100, if the place of the hand is known; of two hands also `hands_cm`.
    """
    low, high = truth.arm.joint_ranges.T
    error = np.abs(predicted - true).mean(axis=0)  # (J,)
    names = truth.arm.joint_names
    places, wanted = (hand_positions(joints, truth.arm) for joints in (predicted, true))
    hands = hand_distances(places, wanted, truth.shows_hands) if truth.arm.hands else None
    return Scores(
        mae=float(error.mean()),
        joint_mae=dict(zip(names, error.tolist(), strict=True)),
        joint_error_deg=dict(zip(names, np.degrees(error * (high - low)).tolist(), strict=True)),
        hand_error_cm=None if hands is None else hand_summary(hands),
        hands_cm=each_hand(places, wanted, truth.shows_hands, truth.arm),
        hand_error_cm_percentiles=None
        if hands is None
        else (100 * np.percentile(hands, np.arange(101))).round(3).tolist(),
    )


def hand_errors(predicted: Floats, true: Floats, arm: Arm, shown: NDArray[np.bool_] | None = None) -> Floats:
    """Distance between the hands in two sets of poses, see `hand_distances`.

    Args:
        predicted: normalized joints, shape (N, J).
        true: the same shape.
        arm: the body.
        shown: whether each hand is in view, shape (N, H).

    Returns:
        Distances, shape (N,), meters.
    """
    return hand_distances(hand_positions(predicted, arm), hand_positions(true, arm), shown)


def hand_distances(first: NDArray[Any], second: NDArray[Any], shown: NDArray[np.bool_] | None = None) -> Floats:
    """Distance between hands. With two hands, the mean of those that the picture shows; of both if it shows none.

    Args:
        first: positions, shape (N, H, 3), meters.
        second: the same shape.
        shown: whether each hand is in view, shape (N, H); by default both are.

    Returns:
        Distances, shape (N,), meters.
    """
    apart: Floats = np.linalg.norm(first - second, axis=2).astype(np.float32)  # (N, H)
    if apart.shape[1] == 1:
        return apart[:, 0]
    counted = np.ones(apart.shape, bool) if shown is None else shown | ~shown.any(axis=1, keepdims=True)
    mean: Floats = np.mean(apart, axis=1, where=counted)
    return mean


def each_hand(first: NDArray[Any], second: NDArray[Any], shown: NDArray[np.bool_], arm: Arm) -> dict[str, Hand]:
    """The distances of each of two hands over the poses whose pictures show it, by side; empty for one hand or none.

    Args:
        first: positions, shape (N, H, 3), meters.
        second: the same shape.
        shown: whether each hand is in view, shape (N, H).
        arm: the body.
    """
    if len(arm.hands) <= 1:
        return {}
    apart: Floats = np.linalg.norm(first - second, axis=2).astype(np.float32)  # (N, H)
    columns = zip(arm.hands, apart.T, shown.T, strict=True)
    return {side: hand_summary(each[counted]) for side, each, counted in columns if counted.any()}


def hand_positions(joints: Floats, arm: Arm) -> Floats:
    """Positions of the hands in each pose (only kinematics, no contact), normalized joints (N, J) -> (N, H, 3), meters."""
    if isinstance(arm, RecordedArm):
        return arm.hand_positions(joints)
    data = arm.new_data()
    positions = np.empty((len(joints), len(arm.hands), 3), np.float32)
    for position, pose in zip(positions, arm.denormalize(joints.astype(np.float64)), strict=True):
        data.qpos[arm.qpos_ids] = pose
        mujoco.mj_kinematics(arm.model, data)
        position[:] = arm.hand_positions(data)
    return positions


def hand_summary(distances: Floats) -> Hand:
    """Mean, median and shares within some limits, from distances (N,) in meters."""
    cm = 100 * distances
    within = [float((cm <= limit).mean()) for limit in (1, 2, 2.5, 5)]
    return Hand(float(cm.mean()), float(np.median(cm)), *within)
