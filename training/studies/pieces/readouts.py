"""Probes: where a map and its readout place the arm, how exact each sense is, and the influences that suit noisy joints."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.som.readout import Readout
from agents.som.som import MultiModalSom
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from .eye import Eye, Places
from .samples import Samples

INFLUENCES = tuple(4.0**power for power in range(-5, 6))
"""The influences of vision among which the validation split decides; that of the joints is 1."""
MOST_POSES = 200
_TO_SD = 1.4826
"""Standard deviation of a normal distribution as a multiple of the median absolute deviation."""


@dataclass(frozen=True)
class Asked:
    """A map, and how it is asked where the arm is."""

    som: MultiModalSom
    readout: Readout = "winner"
    wanted: str = PROPRIOCEPTION
    """The sense that holds the joints that are recalled."""
    c: Mapping[str, float] | None = None
    """Influence of each sense on the query; None: the map's own."""

    def __call__(self, **known: Tensor) -> Tensor:
        """Normalized joints (B, J) for the features of some senses."""
        c = self.c if self.c and len(known) > 1 else None
        return self.som.recall(known, self.wanted, self.readout, c=c).clamp(0, 1)


class Probe:
    """Validation poses that show the hand, at most 200, and what the run knows of them.

    Args:
        data: the run's data set.
        samples: its samples as features.
        eye: its eye and body.
    """

    def __init__(self, data: Dataset, samples: Samples, eye: Eye) -> None:
        rows = data.split("validation")
        shown = np.flatnonzero(data.shows_hand[rows])
        chosen = (shown if len(shown) else np.arange(len(rows)))[:MOST_POSES]
        self._eye, self._joints = eye, data.normalized_joints[rows[chosen]]
        self._latents, self._hands = samples.validation[VISION][chosen], eye.hands(data.joints[rows[chosen]])

    def vision_cm(self, asked: Asked) -> float:
        """Standard deviation of the hand that is recalled from the picture alone, in each direction of space, cm.

        From the median absolute deviation: a picture that fits two poses says nothing about the exactness of each.
        """
        return 100 * float(robust_spread(self._places(asked(vision=self._latents)) - self._hands))

    def felt_cm(self, degrees: float, random: np.random.Generator, asked: Asked | None = None) -> float:
        """The same for the hand that is recalled from felt joints alone, or without a question for that of the felt pose."""
        felt = noisy(self._eye, self._joints, degrees, random)
        return 100 * float(robust_spread(self._places(asked(proprioception=felt) if asked else felt) - self._hands))

    def with_best_influence(self, asked: Asked, degrees: float, random: np.random.Generator) -> Asked:
        """The same question with the influence of vision by which the hand has the least mean error, if nothing is displaced.

        Args:
            asked: the question.
            degrees: noise of the felt joints.
            random: random numbers.
        """
        felt = noisy(self._eye, self._joints, degrees, random)

        def error(vision: float) -> float:
            joints = replace(asked, c={VISION: vision, PROPRIOCEPTION: 1.0})(vision=self._latents, proprioception=felt)
            return float(np.linalg.norm(self._places(joints) - self._hands, axis=1).mean())

        return replace(asked, c={VISION: min(INFLUENCES, key=error), PROPRIOCEPTION: 1.0})

    def _places(self, normalized: Tensor) -> Places:
        return hands(self._eye, normalized)


def hands(eye: Eye, normalized: Tensor) -> Places:
    """Places of the hand in normalized poses (B, J): (B, 3), m."""
    return eye.hands(eye.arm.denormalize(normalized.cpu().numpy().astype(np.float64)))


def noisy(eye: Eye, normalized: NDArray[np.floating], degrees: float, random: np.random.Generator) -> Tensor:
    """Felt joints: normalized joints (B, J) with normal noise of this standard deviation."""
    low, high = eye.arm.joint_ranges.T
    noise = np.radians(degrees) * random.standard_normal(normalized.shape) / (high - low)
    return torch.from_numpy((normalized + noise).astype(np.float32))


def robust_spread(errors: NDArray[np.floating], axis: int | None = None) -> Places:
    """Standard deviation of errors, from their median absolute deviation from 0."""
    return np.asarray(_TO_SD * np.median(np.abs(errors), axis))
