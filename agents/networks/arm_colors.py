"""The colors of the arm, and what they tell about the pixels of a picture in a room that the agent does not know."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_SHOWN = 0.12  # luminance; pixels that differ more from the background show the arm
_FIELD = 0.05  # width of the fields in which the colors of the arm are gathered
_FIELD_OF_ROOM = 0.04  # the same of a room
_RARE = 1e-3  # colors of a smaller share of the arm's pixels are rare
_ALIKE = 0.035  # standard deviation of a color, chosen on rooms of the training
_SURPRISE = 1e-3  # density of colors that nothing is known to have
_TRUST = 0.7  # weight of the log odds that are told before
_ROUNDS = 2


class ArmColors(nn.Module):
    """The colors that the arm has.

    Args:
        means: the colors, shape (K, C), in [0, 1]; there may be none.
        shares: the share of the arm's pixels that has each, shape (K,).
    """

    means: Tensor
    shares: Tensor

    def __init__(self, means: Tensor, shares: Tensor) -> None:
        super().__init__()
        self.register_buffer("means", means.to(torch.float32).clone())
        self.register_buffer("shares", shares.to(torch.float32).clone())

    @classmethod
    def of(cls, pictures: Tensor, background: Tensor) -> "ArmColors":
        """Those in pictures (N, 64, 64), or (N, 3, 64, 64) in color.

        Args:
            pictures: what an eye sees, or what a network draws.
            background: what it sees without the arm, one picture or one for each.
        """
        differences, planes = (pictures - background).abs(), pictures.reshape(len(pictures), -1, *pictures.shape[-2:])
        shown = differences.reshape(planes.shape).amax(1) > _SHOWN
        pixels = planes.movedim(1, -1)[shown]  # (P, C)
        means, _, sizes = _gathered(pixels.clamp(0, 1), _FIELD)
        return cls(means, sizes / max(len(pixels), 1))

    @classmethod
    def among(cls, tensors: Mapping[str, Tensor]) -> "ArmColors | None":
        """The colors among the tensors of a network that has them as `colors`; None if it does not know them."""
        if "colors.means" not in tensors:
            return None
        return cls(tensors["colors.means"], tensors["colors.shares"])

    @property
    def usual(self) -> Tensor:
        """Those that are not rare, (U, C)."""
        return self.means[self.shares >= _RARE]

    def arm_among(self, picture: Tensor, told: Tensor) -> Tensor:
        """The probability that pixels show the arm and not the room, from their colors too.

        The arm has its own colors; those of the room are learned from the pixels that are probably room. Both are found in
        turn, as in GrabCut (Rother et al., 2004).

        Args:
            picture: shape (C, S, S), in [0, 1].
            told: the probability without the colors, shape (S, S).

        Returns:
            Shape (S, S).
        """
        colors, of, _ = _gathered(picture.flatten(1).T, _FIELD_OF_ROOM)
        arm = _alike(colors, self.means) @ self.shares + _SURPRISE  # (U,)
        alike, before = _alike(colors, colors), _TRUST * told.flatten().clamp(1e-3, 1 - 1e-3).logit()
        shown = told.flatten()
        for _ in range(_ROUNDS):
            room = torch.zeros(len(colors), device=colors.device).index_add_(0, of, 1 - shown)
            room = alike @ room / room.sum().clamp(min=1) + _SURPRISE
            shown = (before + (arm / room).log()[of]).sigmoid()
        return shown.view(told.shape)


def _gathered(pixels: Tensor, field: float) -> tuple[Tensor, Tensor, Tensor]:
    """The different colors among pixels (P, C): their means (U, C), the color of each pixel (P,), and its frequency (U,)."""
    fields, of, sizes = (pixels / field).round().unique(dim=0, return_inverse=True, return_counts=True)
    return torch.zeros_like(fields).index_add_(0, of, pixels) / sizes[:, None], of, sizes


def _alike(colors: Tensor, others: Tensor) -> Tensor:
    """How much alike colors (U, C) and (V, C) are, (U, V), from 0 to 1."""
    return (-0.5 * (torch.cdist(colors, others) / _ALIKE).square()).exp()
