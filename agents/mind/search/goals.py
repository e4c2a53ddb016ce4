"""Goal pictures, and how far imagined pictures differ from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_FULL = 1.0  # luminance; misfits far above it count as this one


@dataclass(frozen=True)
class Goals:
    """Goal pictures in the usual view, and which of their numbers tell something about the arm.

    A misfit counts by the loss of Geman and McClure (1985), that is, at most `_FULL` squared: what the imagination does not
    know costs the same in every pose and pulls at none.

    Attributes:
        pictures: one row of P numbers for each picture, shape (M, P).
        brightest: what the camera could show of each pixel at most, because it cut brighter ones, shape (M, P).
        counted: 1 for a pixel that tells something, 0 where something new hides the arm, shape (M, P).
        gaze: where the eye looked, in [0, 1], shape (M, 2); (M, 0) of an eye that is held.
    """

    pictures: Tensor
    brightest: Tensor
    counted: Tensor
    gaze: Tensor

    @classmethod
    def of(cls, pictures: Tensor, gaze: Tensor | None = None) -> "Goals":
        """Goals of which every pixel counts, from pictures (M, P), and the gazes (M, 2) of an eye that moves."""
        held = pictures.new_empty(len(pictures), 0)
        bright, counted = torch.full_like(pictures, torch.inf), torch.ones_like(pictures)
        return cls(pictures, bright, counted, held if gaze is None else gaze)

    def seen_at(self, joints: Tensor) -> Tensor:
        """What a generator draws as the goals' eye sees it: joints (M, ..., J) and the gaze, (M, ..., J + 2)."""
        if not self.gaze.shape[1]:
            return joints
        gaze = self._beside(self.gaze, joints).expand(*joints.shape[:-1], -1)
        return torch.cat([joints, gaze], -1)

    def misfits(self, drawn: Tensor) -> Tensor:
        """Differences of drawn pictures (M, ..., P) from the goals, as the camera would show them."""
        brightest, pictures = (self._beside(values, drawn) for values in (self.brightest, self.pictures))
        return torch.minimum(drawn, brightest) - pictures

    def errors(self, misfits: Tensor) -> Tensor:
        """Mean loss of the pixels that count, from misfits (M, ..., P): (M, ...)."""
        squared = misfits.square()
        losses = squared / (1 + squared / _FULL**2)
        shares = self.counted / self.counted.sum(1, keepdim=True).clamp(min=1)
        return (losses * self._beside(shares, misfits)).sum(-1)

    def weights(self, misfits: Tensor) -> Tensor:
        """How strongly each misfit (M, P) pulls, relative to its square: from 0 to 1."""
        return self.counted * (1 + (misfits / _FULL).square()).pow(-2)

    def unlike(self, seen: "Goals") -> Tensor:
        """Mean squared difference from other pictures, of the pixels that count in both, (M,)."""
        counted = self.counted * seen.counted
        squared = (self.pictures - seen.pictures).square() * counted
        return squared.sum(1) / counted.sum(1).clamp(min=1)

    def shifted(self, seen: "Goals", drawn: Tensor) -> "Goals":
        """Goals for imagined pictures that are wrong: where the arm is seen as in these goals, they would show this.

        Args:
            seen: what is seen in M poses.
            drawn: the imagined pictures of these poses, shape (M, P).
        """
        moved = self.pictures - seen.pictures + drawn
        return Goals(moved, torch.full_like(moved, torch.inf), self.counted * seen.counted, self.gaze)

    @classmethod
    def together(cls, parts: "Sequence[Goals]") -> "Goals":
        """The goals of all parts, one after the other."""
        return cls(*(torch.cat(values) for values in zip(*(vars(part).values() for part in parts), strict=True)))

    def of_rows(self, rows: Tensor) -> "Goals":
        """Some of the goals, given by their numbers."""
        return Goals(*(values[rows] for values in vars(self).values()))

    def repeated(self, count: int) -> "Goals":
        """Each goal `count` times, for M * count poses."""
        return Goals(*(values.repeat_interleave(count, 0) for values in vars(self).values()))

    @staticmethod
    def _beside(values: Tensor, others: Tensor) -> Tensor:
        """Values (M, P) that can be combined with others (M, ..., P)."""
        return values.view(len(values), *[1] * (others.ndim - 2), -1)
