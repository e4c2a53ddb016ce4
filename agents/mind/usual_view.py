"""The usual view: a picture in other light, or from a camera that moved a little, as the eye saw it in the training.

The background tells both. Light and motion are fitted to it by iteratively reweighted least squares (Holland and Welsch, 1977),
with the weights of Geman and McClure (1985): pixels that show the arm, or something new, count little.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

_COARSE = 32  # rows and columns of the pictures that are compared
_ITERATIONS = 8
_WIDTHS = 0.3, 0.05  # scale of the weights, luminance: in the first and in the last iteration
_GAINS = 0.4, 2.5  # range of plausible gains
_FARTHEST = 0.2  # half pictures; the camera did not move farther, nor turned by more radians
_CALM = 0.01, 20.0  # how strongly gains are kept at the last ones, and motions at none, in squared luminance
_STILL = 0.008  # half pictures, and radians; smaller motions count as none
_SAME = 0.06  # luminance; pixels that differ less agree with the background
_LEAST_KNOWN = 0.3  # share of the pixels that must agree: else the room is another one, and nothing can be told


@dataclass(frozen=True)
class UsualView:
    """Finds light and camera of pictures from what they show of the background.

    Args:
        background: the picture without the arm, shape (64, 64), or (3, 64, 64) in color.
    """

    background: Tensor

    def of(self, pictures: Tensor) -> Tensor:
        """Pictures as the eye saw them in the training, of the same shape, (B, 64, 64) or (B, 3, 64, 64), in [0, 1]."""
        planes = pictures if pictures.ndim == 4 else pictures[:, None]
        gains, motion = self._fitted(F.adaptive_avg_pool2d(planes, _COARSE))
        moved = (motion.abs().amax(1) > _STILL)[:, None, None, None]
        seen = torch.where(moved, _turned(planes, -motion), planes)
        return (seen / _field(gains, planes.shape[-1])).clamp(0, 1).view(pictures.shape)

    @cached_property
    def _coarse(self) -> Tensor:
        planes = self.background if self.background.ndim == 3 else self.background[None]
        return F.adaptive_avg_pool2d(planes[None], _COARSE)

    def _fitted(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Gains of the colors and their slopes to the right and down, (B, C + 2), and motions of the camera, (B, 3)."""
        count, colors = seen.shape[:2]
        background = self._coarse.expand(count, -1, -1, -1)
        light = (seen / background.clamp(min=0.05)).flatten(1).median(1).values.clamp(*_GAINS)
        gains = torch.cat([light[:, None].expand(-1, colors), seen.new_zeros(count, 2)], 1)
        motion = seen.new_zeros(count, 3)
        calm = torch.cat([torch.full_like(gains, _CALM[0]), torch.full_like(motion, _CALM[1])], 1)
        for k in range(_ITERATIONS):
            width = _WIDTHS[0] * (_WIDTHS[1] / _WIDTHS[0]) ** (k / (_ITERATIONS - 1))
            turned, field = _turned(background, motion), _field(gains, _COARSE)
            cut = (field * turned > 1).flatten(1)
            misfit = (seen - (field * turned).clamp(max=1)).flatten(1)
            weights = ~cut / (1 + (misfit / width).square()).square()
            slopes = torch.cat([_slopes_of_light(turned, gains), _slopes_of_motion(field * turned)], 1).flatten(2)
            weighted = slopes * weights[:, None]
            descent = (weighted @ misfit[..., None]).squeeze(2) - calm * torch.cat([0 * gains, motion], 1)
            step = torch.linalg.solve(weighted @ slopes.mT + torch.diag_embed(calm), descent)
            gains, motion = gains + step[:, : colors + 2], motion + step[:, colors + 2 :]
            gains = torch.cat([gains[:, :colors].clamp(*_GAINS), gains[:, colors:].clamp(-0.6, 0.6)], 1)
            motion = motion.clamp(-_FARTHEST, _FARTHEST)
        misfit = seen - (_field(gains, _COARSE) * _turned(background, motion)).clamp(max=1)
        known = (misfit.abs().amax(1) < _SAME).flatten(1).float().mean(1) > _LEAST_KNOWN
        plain = torch.cat([torch.ones_like(gains[:, :colors]), torch.zeros_like(gains[:, colors:])], 1)
        return torch.where(known[:, None], gains, plain), motion * known[:, None]


def _places(side: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Places of pixels to the right and down, in half pictures from the center, (1, S) and (S, 1)."""
    at = (torch.arange(side, device=like.device) + 0.5) / side * 2 - 1
    return at[None], at[:, None]


def _field(gains: Tensor, side: int) -> Tensor:
    """The gain of each pixel, (B, C + 2) -> (B, C, S, S)."""
    across, down = _places(side, gains)
    slope = 1 + gains[:, -2, None, None] * across + gains[:, -1, None, None] * down
    return (gains[:, :-2, None, None] * slope[:, None]).clamp(min=0.1)


def _turned(pictures: Tensor, motion: Tensor) -> Tensor:
    """Pictures (B, C, S, S) from a camera that moved: to the right, down, and turned about its axis, (B, 3)."""
    across, down, roll = motion.unbind(1)
    rows = [torch.stack([roll.cos(), -roll.sin(), across], 1), torch.stack([roll.sin(), roll.cos(), down], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _slopes_of_light(turned: Tensor, gains: Tensor) -> Tensor:
    """Slopes of the picture along each gain and both slopes, (B, C + 2, C, S, S)."""
    colors = turned.shape[1]
    across, down = _places(turned.shape[-1], turned)
    own = turned[:, None] * torch.eye(colors, device=turned.device)[None, :, :, None, None]
    lit = gains[:, :-2, None, None] * turned
    return torch.cat([own, torch.stack([lit * across, lit * down], 1)], 1)


def _slopes_of_motion(shown: Tensor) -> Tensor:
    """Slopes of the picture along the motion of its camera, (B, 3, C, S, S)."""
    side = shown.shape[-1]
    padded = F.pad(shown, (1, 1, 1, 1), mode="replicate")
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) * side / 4
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) * side / 4
    x, y = _places(side, shown)
    return torch.stack([right, down, down * x - right * y], 1)
