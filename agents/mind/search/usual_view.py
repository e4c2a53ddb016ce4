"""The usual view: a picture in other light, from a camera that moved, in another room, or with something in front of the arm,
as the eye saw it in the training.

The background tells light and motion. Both are fitted to it by iteratively reweighted least squares (Holland and Welsch, 1977),
with the weights of Geman and McClure (1985): pixels that show the arm, or something new, count little. What is new is told by
a network that has learned it, and by the colors of the arm: a pixel that is neither like the background nor of a color that
the arm has.

In another room the background tells nothing. There the network, the colors of the arm and of this room, and the arms that the
agent imagines for the picture tell in turn what is arm.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ...networks.arm_colors import ArmColors
from ...networks.segments import Segments
from .goals import Goals

_COARSE = 32  # rows and columns of the pictures that are compared
_ITERATIONS = 8
_WIDTHS = 0.3, 0.05  # scale of the weights, luminance: in the first and in the last iteration
_GAINS = 0.4, 2.5  # range of plausible gains
_EVEN = 0.02  # gains that differ less from their median, and slopes below, are those of an even light
_USUAL = 0.01  # gains and slopes that differ less are those of the training
_FARTHEST = 0.2  # half pictures; the camera did not move farther, nor turned by more radians
_CALM = 0.01, 20.0  # how strongly gains are kept at the last ones, and motions at none, in squared luminance
_STILL = 0.008  # half pictures, and radians; smaller motions count as none
_SAME = 0.06  # luminance; pixels that differ less agree with the background
_LEAST_KNOWN = 0.3  # share of the pixels that must agree: else the room is another one
_NEAR = 0.08  # luminance; farther from all colors of the arm, or from the background, a pixel is new
_NOISY = 2.0  # noise makes this limit wider, by so many standard deviations
_LEAST_WIDE = 5  # pixels; smaller things, such as edges, are not new
_BELIEVED = 0.05, 0.95  # probability of arm where no imagined arm is, and where all are
_EDGE = 5  # pixels; imagined arms are wrong by about so much
_TRUST = 0.5  # weight of the log odds without the imagined arms


Segment = Callable[[Tensor, Tensor | None], Segments | None]
Imagine = Callable[[Goals], Tensor]
"""The probability that pixels of goals (B, 1, S, S) show the arm, from the poses that may show them."""


class UsualView:
    """Finds light, camera and new things of pictures, from what they show of the background.

    Args:
        background: the picture without the arm, shape (64, 64), or (3, 64, 64) in color; an eye that moves is given each
            picture's own one, see `of`.
        colors: the colors of the arm.
        segments: tells the arm, the room and new things apart in pictures and gazes; without it, colors do.
        imagine: tells the arm by the poses that may show a picture; it is asked in other rooms.
    """

    def __init__(
        self,
        background: Tensor,
        colors: ArmColors,
        segments: Segment | None = None,
        imagine: Imagine | None = None,
    ) -> None:
        self.colors, self._segments, self._imagine = colors, segments, imagine
        self._shape = background.shape[-3:] if colors.means.shape[1] == 3 else background.shape[-2:]
        self.background = self._planes(background)

    def of(self, pictures: Tensor, background: Tensor | None = None, gaze: Tensor | None = None) -> Goals:
        """Pictures in the usual view.

        Args:
            pictures: shape (B, 64, 64), or (B, 3, 64, 64) in color, in [0, 1].
            background: what an eye that moves would see without the arm, of the same shape.
            gaze: where an eye that moves looked, in [0, 1], shape (B, 2).
        """
        planes = self._planes(pictures)
        empty = self.background if background is None else self._planes(background)
        gains, motion, known = _fitted(*(F.adaptive_avg_pool2d(each, _COARSE) for each in (planes, empty)))
        moved = (motion.abs().amax(1) > _STILL)[:, None, None, None]
        field = _field(gains, planes.shape[-1])
        seen = torch.where(moved, _turned(planes, -motion), planes) / field
        usual, brightest = seen.clamp(0, 1), 1 / field
        empty = torch.minimum(empty, brightest).expand(planes.shape)
        arm, new = self._told(seen, empty, known[:, None, None, None], gaze)

        def goals(rows: Tensor) -> Goals:
            shown = torch.where(arm[rows] < 0.5, empty[rows], usual[rows]).flatten(1)
            counted = (~new[rows]).float().expand(planes[rows].shape).flatten(1)
            looked = shown.new_empty(len(rows), 0) if gaze is None else gaze[rows]
            return Goals(shown, brightest[rows].flatten(1), counted, looked)

        elsewhere = torch.nonzero(~known).flatten()
        if self._segments and self._imagine and len(elsewhere):
            imagined = self._imagine(goals(elsewhere))
            arm[elsewhere] = self._by_colors(usual[elsewhere], _expected(arm[elsewhere], imagined))
        return goals(torch.arange(len(planes), device=planes.device))

    def _planes(self, pictures: Tensor) -> Tensor:
        """One picture or several, (..., *shape) -> (N, C, S, S)."""
        return pictures.reshape(-1, *([] if len(self._shape) == 3 else [1]), *self._shape)

    def _told(self, seen: Tensor, empty: Tensor, known: Tensor, gaze: Tensor | None) -> tuple[Tensor, Tensor]:
        """The probability that pixels show the arm and not another room, and which show something new, (B, 1, S, S) each.

        In the usual room, all that is unlike the background is the arm or something new.
        """
        limit = _limit(seen)
        unlike = (_smooth(seen) - _smooth(empty)).abs().amax(1, True) > limit
        strange = self._of_other_colors(seen, unlike | ~known, limit)
        shown = seen.clamp(0, 1)
        segments = self._segments(shown.view(-1, *self._shape), gaze) if self._segments else None
        if segments is None:
            return 1 - (strange & ~known).float(), strange & known
        arm, elsewhere = torch.ones_like(segments.arm), ~known.flatten()
        arm[elsewhere] = self._by_colors(shown[elsewhere], (segments.arm - segments.room).sigmoid()[elsewhere])
        told = unlike & (segments.new > segments.arm), segments.new > segments.arm.logaddexp(segments.room)
        return arm, torch.where(known, strange | told[0], told[1])

    def _by_colors(self, pictures: Tensor, arm: Tensor) -> Tensor:
        """The probability of arm (B, 1, S, S), from the colors of the arm and of the room too."""
        if not len(self.colors.means) or not len(pictures):
            return arm
        pairs = zip(pictures, arm, strict=True)
        return torch.stack([self.colors.arm_among(picture, told[0])[None] for picture, told in pairs])

    def _of_other_colors(self, seen: Tensor, among: Tensor, limit: Tensor) -> Tensor:
        """Which of some pixels have a color that the arm does not have, (B, 1, S, S); without small things."""
        if not len(self.colors.usual):  # no arm was seen or drawn
            return torch.zeros_like(among)
        rows = _smooth(seen).permute(0, 2, 3, 1).flatten(0, 2)
        nearest = torch.cdist(rows, self.colors.usual).amin(1).view(among.shape)
        new = (among & (nearest > limit)).float()
        wide = -F.max_pool2d(-new, _LEAST_WIDE, stride=1, padding=_LEAST_WIDE // 2)  # without the edges of the arm
        return F.max_pool2d(wide, _LEAST_WIDE, stride=1, padding=_LEAST_WIDE // 2) > 0


def _fitted(seen: Tensor, background: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gains of the colors and their slopes, (B, C + 2); motions of the camera, (B, 3); whether the room is known, (B,)."""
    count, colors = seen.shape[:2]
    background = background.expand(count, -1, -1, -1)
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
    smooth = F.avg_pool2d(misfit, 3, stride=1)
    known = (smooth.abs().amax(1) < _SAME).flatten(1).float().mean(1) > _LEAST_KNOWN
    plain = torch.cat([torch.ones_like(gains[:, :colors]), torch.zeros_like(gains[:, colors:])], 1)
    even = torch.cat([light[:, None].expand(-1, colors), torch.zeros_like(gains[:, colors:])], 1)
    gains = torch.where(((gains - even).abs().amax(1) < _EVEN)[:, None], even, gains)  # the median is exact then
    usual = (gains - plain).abs().amax(1) < _USUAL
    return torch.where((known & ~usual)[:, None], gains, plain), motion * known[:, None], known


def _smooth(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _limit(seen: Tensor) -> Tensor:
    """How far pixels may be from an expected color, (B, 1, 1, 1): farther in a noisy picture."""
    noise = (seen - _smooth(seen)).abs().flatten(1).median(1).values * 1.5
    return (_NEAR + _NOISY * noise / 3)[:, None, None, None]


def _expected(told: Tensor, imagined: Tensor) -> Tensor:
    """The probability of arm from what was told, and from the arms that are imagined, (B, 1, S, S) each."""
    low, high = _BELIEVED
    border = _EDGE // 2
    near = F.avg_pool2d(F.pad(imagined, (border,) * 4, mode="replicate"), _EDGE, stride=1)
    return (_TRUST * told.clamp(0.01, 0.99).logit() + (low + (high - low) * near).logit()).sigmoid()


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
