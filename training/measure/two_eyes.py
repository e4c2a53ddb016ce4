"""What the second eye adds: the error of the hand along the line of sight, with one eye and with both."""

from collections.abc import Callable, Mapping

import mujoco
import numpy as np
import torch
from torch import Tensor

from infant_env.body.model import ArmModel
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION, VISION_LEFT

from ..runs.metrics import TwoEyes
from ..show import tables
from .metrics import Floats, Truth, hand_positions
from .statistics import Resampling

Predict = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
"""Samples by sense -> predictions by sense."""


def two_eyes(predict: Predict, truth: Truth) -> TwoEyes | None:
    """The errors of a method for the pictures that show the hand; None if the infant does not see with both eyes.

    Both get the gaze, if it turns. The interval of their difference is the 95 % bootstrap interval over the samples.
    """
    shown = truth.of(truth.shows_hands[:, 0])
    if VISION_LEFT not in truth.given or not len(shown):
        return None
    gaze = {GAZE} & shown.given.keys()
    one, two = (_errors(predict, shown, {VISION, *gaze, *more}) for more in ((), (VISION_LEFT,)))
    difference = Resampling(1, len(shown)).interval((two - one)[None])
    return TwoEyes(len(shown), float(one.mean()), float(two.mean()), difference.low, difference.high)


def _errors(predict: Predict, truth: Truth, senses: set[str]) -> Floats:
    """Errors along the line of sight of the hands, from some senses, (N,), cm."""
    known = {name: torch.from_numpy(rows) for name, rows in truth.given.items() if name in senses}
    predicted = predict(known)[PROPRIOCEPTION].float().cpu().numpy()
    assert isinstance(truth.arm, ArmModel)  # no recording has two eyes
    return 100 * along_sight(predicted, truth.true[PROPRIOCEPTION], truth.arm)


def along_sight(predicted: Floats, true: Floats, arm: ArmModel) -> Floats:
    """Distance between the first hands in two sets of poses along the line from the eye to the true hand.

    Args:
        predicted: normalized joints, shape (N, J).
        true: the same shape.
        arm: the body; the eye is where it is while the gaze is straight.

    Returns:
        Distances, 0 or more, shape (N,), m.
    """
    data = arm.new_data()
    mujoco.mj_forward(arm.model, data)
    hands, places = (hand_positions(joints, arm)[:, 0] for joints in (true, predicted))
    sight = hands - data.camera(arm.eye_camera).xpos
    sight /= np.linalg.norm(sight, axis=1, keepdims=True)
    return np.abs(((places - hands) * sight).sum(axis=1)).astype(np.float32)


def table(rows: Mapping[str, TwoEyes]) -> tuple[list[str], list[list[str]]]:
    """Header and rows, by method."""
    header = ["method", "pictures", "one eye cm", "both eyes cm", "difference cm, 95 % interval"]
    return header, [
        [name, f"{row.pictures:,}", *(tables.number(cm, 2) for cm in (row.one_cm, row.two_cm)), _interval(row)]
        for name, row in rows.items()
    ]


def _interval(row: TwoEyes) -> str:
    return f"{row.low_cm:+.2f} to {row.high_cm:+.2f}"
