"""Pictures in a disturbed world, made of pictures of the usual one; a network that sees them learns to cope with it."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

_OTHER_ROOM, _OTHER_ARM, _OTHER_LIGHT, _MOVED, _HIDDEN, _NOISY = 0.3, 0.2, 0.4, 0.4, 0.4, 0.5
"""Shares of the pictures that have each disturbance."""
_CORRECTED = 0.7  # share of these pictures whose light is taken out again, as in the usual view; cut pixels stay darker
_SHOWN = 0.03  # a pixel shows the arm fully if it differs from the background by this
_NOISE = 0.12  # the strongest noise
_FINEST = 3  # the finest patterns of another room have 2**3 fields across

Random = torch.Generator


def disturbed(pictures: Tensor, background: Tensor, random: Random) -> Tensor:
    """Some of these pictures with another room or sleeve, in other light, from a moved camera, partly hidden, or with noise.

    Args:
        pictures: shape (B, C, S, S), in [0, 1].
        background: the picture without the arm, shape (C, S, S).
        random: random numbers, on the CPU.

    Returns:
        Shape (B, C, S, S), in [0, 1].
    """
    arm = ((pictures - background).abs().amax(1, keepdim=True) / _SHOWN).clamp(max=1)
    pictures = torch.lerp(pictures, _other_arms(pictures, random), arm)
    pictures = torch.lerp(_other_rooms(pictures, random), pictures, arm)
    pictures = _partly_hidden(_in_other_light(_moved(pictures, random), random), random)
    strength = _some(pictures, _NOISY, random) * _NOISE * _uniform(pictures, random).square()
    noise = torch.randn(pictures.shape, generator=random).to(pictures.device)
    return (pictures + strength * noise).clamp(0, 1)


def _uniform(like: Tensor, random: Random, low: float = 0.0, high: float = 1.0, *sizes: int) -> Tensor:
    """Random numbers for each picture, (B, *sizes), by default (B, 1, 1, 1)."""
    shape = len(like), *(sizes or (1, 1, 1))
    return low + (high - low) * torch.rand(shape, generator=random).to(like.device)


def _some(like: Tensor, share: float, random: Random) -> Tensor:
    """1 for a share of the pictures, 0 for the others, (B, 1, 1, 1)."""
    return (_uniform(like, random) < share).float()


def _other_arms(pictures: Tensor, random: Random) -> Tensor:
    """The pictures in other colors, some of them."""
    colors = pictures.shape[1]
    scale, shift = (_uniform(pictures, random, *limits, colors, 1, 1) for limits in ((0.4, 1.5), (-0.2, 0.3)))
    other = (scale * pictures + shift).clamp(0, 1)
    return torch.lerp(pictures, other, _some(pictures, _OTHER_ARM, random))


def _other_rooms(pictures: Tensor, random: Random) -> Tensor:
    """Patterns of any colors, fine and coarse, sharp and smooth, instead of some of the pictures."""
    colors, side = pictures.shape[1], pictures.shape[-1]
    chosen = _some(pictures, _OTHER_ROOM, random).view(-1) > 0
    before = pictures[chosen]
    room = _uniform(before, random, 0, 1, colors, 1, 1).expand(before.shape)
    for power in range(1, _FINEST + 1):
        fields = _uniform(before, random, 0, 1, colors, 2**power, 2**power)
        mode = "nearest" if power % 2 else "bilinear"
        pattern = F.interpolate(fields, side, mode=mode)
        room = torch.lerp(room, pattern, 0.8 * _uniform(before, random))
    return pictures.index_put((chosen,), room)


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


def _partly_hidden(pictures: Tensor, random: Random) -> Tensor:
    """The pictures, some with a rectangle of any color."""
    side, draw = pictures.shape[-1], partial(_uniform, pictures, random)
    at = torch.arange(side, device=pictures.device) / side
    sizes = [(0.1 + 0.4 * draw()), (0.1 + 1.8 * draw()).clamp(max=1)]
    upright = draw() < 0.5
    width, height = torch.where(upright, sizes[0], sizes[1]), torch.where(upright, sizes[1], sizes[0])
    left, top = draw() * (1 - width), draw() * (1 - height)
    across, down = (at >= left) & (at < left + width), (at >= top) & (at < top + height)  # (B, 1, 1, S) each
    hidden = (_some(pictures, _HIDDEN, random) > 0) & across & down.mT
    return torch.where(hidden, draw(0, 1, pictures.shape[1], 1, 1), pictures)
