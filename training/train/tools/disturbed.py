"""Pictures in a disturbed world, made of pictures of the usual one; a network that sees them learns to cope with it."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from .draws import Random, uniform
from .rooms import rooms

_OTHER_ROOM, _OTHER_ARM, _OTHER_LAMPS, _OTHER_LIGHT, _MOVED, _HIDDEN, _NOISY = 0.35, 0.2, 0.25, 0.4, 0.4, 0.4, 0.5
"""Shares of the pictures that have each disturbance."""
_CORRECTED = 0.7  # share of these pictures whose light is taken out again, as in the usual view; cut pixels stay darker
_SHOWN = (
    0.03,
    0.08,
)  # a pixel shows none of the arm if it differs from the background by the first, only the arm by the second
_ROUND = 3.0  # how strongly lamps from another side shade the sides of the arm
_NOISE = 0.12  # the strongest noise


@dataclass(frozen=True)
class Disturbed:
    """Disturbed pictures, and what their pixels show.

    Attributes:
        seen: the pictures, shape (B, C, S, S), in [0, 1].
        arm: how much of each pixel shows the arm, or would do so if nothing hid it, shape (B, 1, S, S), from 0 to 1.
        new: 1 for a pixel that shows something new, that hides arm or room, 0 for the others, shape (B, 1, S, S).
    """

    seen: Tensor
    arm: Tensor
    new: Tensor


def disturbed(pictures: Tensor, background: Tensor, random: Random) -> Disturbed:
    """Some of these pictures with another room or sleeve, in other light, from a moved camera, partly hidden, or with noise.

    Args:
        pictures: shape (B, C, S, S), in [0, 1].
        background: the picture without the arm, shape (1, C, S, S), or of each picture (B, C, S, S).
        random: random numbers, on the CPU.
    """
    shown = (pictures - background).abs().amax(1, keepdim=True)
    arm = ((shown - _SHOWN[0]) / (_SHOWN[1] - _SHOWN[0])).clamp(0, 1)
    pictures = torch.lerp(pictures, _other_arms(_in_light_of_other_lamps(pictures, arm, random), random), arm)
    pictures = torch.lerp(_other_rooms(pictures, random), pictures, arm)
    pictures, arm = _moved(torch.cat([pictures, arm], 1), random).split([pictures.shape[1], 1], 1)
    pictures, new = _partly_hidden(_in_other_light(pictures, random), random)
    strength = _some(pictures, _NOISY, random) * _NOISE * _uniform(pictures, random).square()
    noise = torch.randn(pictures.shape, generator=random).to(pictures.device)
    return Disturbed((pictures + strength * noise).clamp(0, 1), arm, new.float())


def _uniform(like: Tensor, random: Random, low: float = 0.0, high: float = 1.0, *sizes: int) -> Tensor:
    return uniform(len(like), random, low, high, *sizes).to(like.device)


def _some(like: Tensor, share: float, random: Random) -> Tensor:
    """1 for a share of the pictures, 0 for the others, (B, 1, 1, 1)."""
    return (_uniform(like, random) < share).float()


def _other_arms(pictures: Tensor, random: Random) -> Tensor:
    """The pictures in other colors, some of them."""
    colors = pictures.shape[1]
    scale, shift = (_uniform(pictures, random, *limits, colors, 1, 1) for limits in ((0.4, 1.5), (-0.2, 0.3)))
    other = (scale * pictures + shift).clamp(0, 1)
    return torch.lerp(pictures, other, _some(pictures, _OTHER_ARM, random))


def _in_light_of_other_lamps(pictures: Tensor, arm: Tensor, random: Random) -> Tensor:
    """Some of the pictures as if their arms, round things, were lit from another side."""
    smooth = F.avg_pool2d(F.avg_pool2d(arm, 2), 3, stride=1, padding=1)
    smooth = F.pad(F.interpolate(smooth, scale_factor=2, mode="bilinear"), (1, 1, 1, 1), mode="replicate")
    across, down = smooth[..., 1:-1, 2:] - smooth[..., 1:-1, :-2], smooth[..., 2:, 1:-1] - smooth[..., :-2, 1:-1]
    lamp = _ROUND * torch.randn((2, len(pictures), 1, 1, 1), generator=random).to(pictures.device)
    gain = ((lamp[0] * across + lamp[1] * down).clamp(-1, 1) + _uniform(pictures, random, -0.5, 0.2)).exp()
    return torch.lerp(pictures, (gain * pictures).clamp(0, 1), _some(pictures, _OTHER_LAMPS, random))


def _other_rooms(pictures: Tensor, random: Random) -> Tensor:
    """Other rooms instead of some of the pictures."""
    chosen, (_, colors, side, _) = _some(pictures, _OTHER_ROOM, random).view(-1) > 0, pictures.shape
    made = rooms(int(chosen.sum()), colors, side, random)
    return pictures.index_put((chosen,), made.to(pictures))


def _moved(pictures: Tensor, random: Random) -> Tensor:
    """Some of the pictures from a camera that is turned by a few degrees."""
    some, draw = _some(pictures, _MOVED, random), partial(_uniform, pictures, random)
    roll, across, down = (some * draw(-most, most) for most in (0.07, 0.13, 0.13))  # rad, half pictures
    rows = torch.cat([torch.cat([roll.cos(), -roll.sin(), across], 3), torch.cat([roll.sin(), roll.cos(), down], 3)], 2)
    grid = F.affine_grid(rows.squeeze(1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _in_other_light(pictures: Tensor, random: Random) -> Tensor:
    """Some of the pictures brighter or darker, more so on one side, in light of any color; too bright pixels are cut."""
    draw, across = (
        partial(_uniform, pictures, random),
        torch.linspace(-1, 1, pictures.shape[-1], device=pictures.device),
    )
    slope = draw(-0.3, 0.3) * across + draw(-0.3, 0.3) * across[:, None]  # (B, 1, S, S)
    color = draw(-0.1, 0.1, pictures.shape[1], 1, 1)
    gain = (draw(-0.5, 0.45) + slope + color).exp()
    seen = (gain * pictures).clamp(0, 1)
    corrected = torch.where(draw() < _CORRECTED, seen / gain, seen)
    return torch.where(_some(pictures, _OTHER_LIGHT, random) > 0, corrected, pictures)


def _partly_hidden(pictures: Tensor, random: Random) -> tuple[Tensor, Tensor]:
    """The pictures, some with a rectangle of any color, and where it is, (B, 1, S, S), bool."""
    side, draw = pictures.shape[-1], partial(_uniform, pictures, random)
    at = torch.arange(side, device=pictures.device) / side
    sizes = [(0.1 + 0.4 * draw()), (0.1 + 1.8 * draw()).clamp(max=1)]
    upright = draw() < 0.5
    width, height = torch.where(upright, sizes[0], sizes[1]), torch.where(upright, sizes[1], sizes[0])
    left, top = draw() * (1 - width), draw() * (1 - height)
    across, down = (at >= left) & (at < left + width), (at >= top) & (at < top + height)  # (B, 1, 1, S) each
    hidden = (_some(pictures, _HIDDEN, random) > 0) & across & down.mT
    return torch.where(hidden, draw(0, 1, pictures.shape[1], 1, 1), pictures), hidden
