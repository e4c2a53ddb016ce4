"""The agent's readout: its hypotheses for a picture, weighed by the felt joints."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agents.mind.imagination import GENERATOR, GLANCE, Hypotheses, Imagination
from infant_env.senses.vision import COLOR

from ...data.dataset import Dataset
from .eye import Eye, Floats, Places
from .readouts import hands, robust_spread

MOST_PICTURES = 100
LEAST_SPREAD = 1e-3
"""Least standard deviation of a joint, normalized."""


class Weighed:
    """Where the arm is, from the agent's hypotheses for a picture and from felt joints, by the rule of Bayes.

    Either the picture shows the own arm in one of the hypotheses, with the agent's own probability: then the arm is between this
    pose and the felt one, by their reliability. Or no hypothesis is right, with the rest of the probability: then the arm is
    where it is felt. Each case counts as much as it makes the felt joints likely (causal inference, Koerding et al. 2007).
    The standard deviation of the hypotheses is measured on the validation split.

    Args:
        run: the run's folder, with generator and glance.
        data: its data set.
        eye: its eye and body.
    """

    def __init__(self, run: Path, data: Dataset, eye: Eye) -> None:
        self._imagination, self._eye = Imagination.load(run), eye
        rows = data.split("validation")
        shown = rows[data.shows_hand[rows]]
        chosen = (shown if len(shown) else rows)[:MOST_PICTURES]
        found, true = (
            self._first(self.hypotheses(data.squeezed_to(COLOR).pictures[chosen])),
            data.normalized_joints[chosen],
        )
        self._spread = torch.from_numpy(robust_spread(found.numpy() - true, 0).clip(LEAST_SPREAD)).float()  # (J,)
        self.vision_cm = float(100 * robust_spread(hands(eye, found) - eye.hands(data.joints[chosen])))
        """Standard deviation of the hand in the likeliest hypothesis, in each direction of space, cm."""

    @classmethod
    def of(cls, run: Path, data: Dataset, eye: Eye) -> "Weighed | None":
        """The readout; None if the run has no generator or no glance."""
        return cls(run, data, eye) if (run / GENERATOR).exists() and (run / GLANCE).exists() else None

    def hypotheses(self, pictures: Floats) -> Hypotheses:
        """The agent's hypotheses for pictures in color, (B, 3, 64, 64); an agent of version 0.1 sees their luminance."""
        own = self._imagination.format
        return self._imagination.hypotheses(pictures if own.color else COLOR.gray(pictures))

    def __call__(self, found: Hypotheses, felt: Tensor, degrees: float) -> Tensor:
        """Normalized joints (B, J) from hypotheses for B pictures, and felt joints (B, J) with a noise in degrees."""
        poses = self._imagination.mind.normalize(found.joints)  # (B, K, J)
        noise = torch.from_numpy(self._noise(degrees)).float() ** 2
        vision = self._spread**2
        gaps = (felt[:, None] - poses).square() / (noise + vision)
        likely = torch.exp(-0.5 * gaps.sum(2)) / (2 * torch.pi * (noise + vision)).sqrt().prod()  # (B, K)
        weights = found.probabilities * likely
        none = 1 - found.probabilities.sum(1, keepdim=True)  # felt joints have the density 1 if they may be any pose
        fused = (poses * noise + felt[:, None] * vision) / (noise + vision)
        total = weights.sum(1, keepdim=True) + none.clamp(min=1e-6)
        return ((weights[:, :, None] * fused).sum(1) + none.clamp(min=1e-6) * felt) / total

    def _first(self, found: Hypotheses) -> Tensor:
        return self._imagination.mind.normalize(found.joints[:, 0])

    def _noise(self, degrees: float) -> Places:
        low, high = self._eye.arm.joint_ranges.T
        return np.radians(degrees) / (high - low)
