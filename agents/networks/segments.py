"""`Segmenter`: tells for each pixel of a picture whether it shows the arm, the room, or something new that hides both."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_WIDTH = 16  # channels of the pyramid


@dataclass(frozen=True)
class Segments:
    """What the pixels of B pictures show.

    Attributes:
        arm: logarithm of the probability that a pixel shows the arm, (B, 1, S, S).
        room: the same of what is behind the arm, which may be another room than that of the training.
        new: the same of something new that hides both.
    """

    arm: Tensor
    room: Tensor
    new: Tensor


class Segmenter(nn.Module):
    """A feature pyramid (Lin et al., 2017): coarse features of a picture say what is where, fine ones where it ends.

    Args:
        channels: channels of the features, the finest first; each has half as many rows and columns as the one before it.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(each, _WIDTH, 1) for each in channels)
        self.levels = nn.ModuleList(_level() for _ in channels[1:])
        self.last = nn.Conv2d(_WIDTH, 3, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, features: Sequence[Tensor]) -> Segments:
        """Segments of pictures with S rows and columns from their features, the finest with half as many."""
        *sides, deep = (side(each) for side, each in zip(self.sides, features, strict=True))
        for side, level in zip(reversed(sides), self.levels, strict=True):
            deep = level(F.interpolate(deep, scale_factor=2) + side)
        logits = F.interpolate(self.last(deep).float(), scale_factor=2, mode="bilinear")
        return Segments(*logits.log_softmax(1).split(1, 1))


def _level() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1), nn.BatchNorm2d(_WIDTH), nn.SiLU())
