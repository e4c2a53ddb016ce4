"""Rooms that do not exist: walls, floors and furniture of any color, some with patterns in perspective."""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from .draws import Random, uniform

_FINEST = 3  # the finest patches have 2**3 fields across
_SIDES = 3  # walls and floors; each covers one side of a random line
_SHARP = 6.0  # how sharp the edges of patterns are


def rooms(count: int, colors: int, side: int, random: Random) -> Tensor:
    """Pictures of rooms, (count, colors, side, side), in [0, 1]: patches of color, before them some walls and floors."""
    draw = partial(uniform, count, random)
    room = draw(0, 1, colors, 1, 1).expand(-1, -1, side, side)
    for power in range(1, _FINEST + 1):
        patches = draw(0, 1, colors, 2**power, 2**power)
        mode = "nearest" if power % 2 else "bilinear"
        strength = 0.8 * draw() * (draw() < 0.5)
        room = torch.lerp(room, F.interpolate(patches, side, mode=mode), strength)
    for _ in range(_SIDES):
        room = torch.where(_one_side(count, side, random), _surface(count, colors, side, random), room)
    return room


def _turned(count: int, side: int, random: Random) -> tuple[Tensor, Tensor]:
    """Places along two directions at a right angle, from -1 to 1, (count, 1, side, side) each."""
    at, angle = torch.linspace(-1, 1, side), uniform(count, random, 0, 2 * math.pi)
    return at * angle.cos() + at[:, None] * angle.sin(), at[:, None] * angle.cos() - at * angle.sin()


def _one_side(count: int, side: int, random: Random) -> Tensor:
    """What lies on one side of a random line, in some of the pictures, (count, 1, side, side)."""
    across, _ = _turned(count, side, random)
    return (across > uniform(count, random, -0.9, 0.9)) & (uniform(count, random) < 0.7)


def _surface(count: int, colors: int, side: int, random: Random) -> Tensor:
    """Surfaces of one color, or of two in checks, stripes or tiles, seen at an angle, (count, colors, side, side)."""
    draw = partial(uniform, count, random)
    across, along = _turned(count, side, random)
    depth = (1 + draw(-0.8, 0.8) * across + draw(-0.8, 0.8) * along).clamp(min=0.15)
    size = draw(2, 16)
    stripes = torch.sin(size * across / depth + draw(0, 2 * math.pi))
    others = torch.sin(size * draw(0.3, 3) * along / depth + draw(0, 2 * math.pi))
    kind = draw()
    two = torch.where(kind < 0.6, stripes, torch.minimum(stripes, others) + 0.9)
    pattern = torch.where(kind < 0.35, stripes * others, torch.where(kind < 0.8, two, torch.ones_like(two)))
    shade = torch.where(draw() < 0.5, draw(0, 1, colors, 1, 1), draw())  # of any color, or gray
    return torch.lerp(draw(0, 1, colors, 1, 1), shade, (_SHARP * pattern).sigmoid())
