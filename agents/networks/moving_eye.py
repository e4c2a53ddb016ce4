"""An eye that moves: the background of its pictures, and where their pixels lie in the head."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_FULL = 0.05
"""A pixel counts fully as one of the arm from this difference from the background on."""
_UNIT = 100.0  # degrees


class MovingEye(nn.Module):
    """What an eye that moves sees without the arm, and where the pixels of its pictures lie in the head.

    Args:
        views: pictures without the arm at A x B gazes, evenly over their ranges, shape (A, B, 64, 64), or (A, B, 3, 64, 64).
        directions: directions of the pixels while the gaze is straight, degrees to the left and down, shape (2, 64, 64).
        turns: degrees between the ends of the gaze's ranges, shape (2,); straight ahead lies in their middle.
    """

    views: Tensor
    directions: Tensor
    turns: Tensor

    def __init__(self, views: Tensor, directions: Tensor, turns: Tensor) -> None:
        super().__init__()
        for name, values in (("views", views), ("directions", directions), ("turns", turns)):
            self.register_buffer(name, values.to(torch.float32).clone())

    @classmethod
    def among(cls, tensors: Mapping[str, Tensor]) -> "MovingEye | None":
        """The moving eye among the tensors of a network that has it as `eye`; None if its eye is held."""
        if "eye.views" not in tensors:
            return None
        return cls(*(tensors[f"eye.{name}"] for name in ("views", "directions", "turns")))

    def background(self, gaze: Tensor) -> Tensor:
        """What it sees without the arm at gazes in [0, 1], (N, 2) -> (N, 64, 64) or (N, 3, 64, 64)."""
        return background_at(self.views, gaze)

    def with_directions(self, difference: Tensor, gaze: Tensor) -> Tensor:
        """Adds where the pixels of the arm lie in the head, (N, C, 64, 64) -> (N, C + 2, 64, 64); gazes in [0, 1], (N, 2)."""
        return with_directions(difference, self.directions, self.turns, gaze)

    def normalized(self, gaze: Tensor) -> Tensor:
        """Gazes in rad, (..., 2), scaled to [0, 1] by their ranges."""
        return 0.5 + torch.rad2deg(gaze) / self.turns

    def angles(self, normalized: Tensor) -> Tensor:
        """The inverse of `normalized`: (..., 2) in [0, 1] to rad."""
        return torch.deg2rad((normalized - 0.5) * self.turns)


def background_at(views: Tensor, gaze: Tensor) -> Tensor:
    """What an eye sees without the arm, linearly between the gazes whose views are known.

    Args:
        views: pictures without the arm at A x B gazes, evenly over their ranges, shape (A, B, ...).
        gaze: gazes, in [0, 1], shape (N, 2).

    Returns:
        Pictures, shape (N, ...).
    """
    sizes = gaze.new_tensor(views.shape[:2]) - 1
    places = gaze.clamp(0, 1) * sizes
    low = torch.minimum(places.floor(), sizes - 1).clamp(min=0).long()  # (N, 2)
    high, share = torch.minimum(low + 1, sizes.long()), places - low
    share = share.view(len(gaze), 2, *[1] * (views.ndim - 2))
    left, right = (
        torch.lerp(views[across, low[:, 1]], views[across, high[:, 1]], share[:, 1])
        for across in (low[:, 0], high[:, 0])
    )
    return torch.lerp(left, right, share[:, 0])


def with_directions(difference: Tensor, straight: Tensor, turns: Tensor, gaze: Tensor) -> Tensor:
    """Adds to the pixels of the arm where they lie in the head: to the left, and down.

    Args:
        difference: pictures less their background, shape (N, C, H, W).
        straight: directions of the pixels while the gaze is straight, degrees to the left and down, shape (2, H, W).
        turns: degrees between the ends of the gaze's ranges, shape (2,).
        gaze: gazes, in [0, 1], shape (N, 2).

    Returns:
        Shape (N, C + 2, H, W).
    """
    turned = ((gaze - 0.5) * turns).view(-1, 2, 1, 1)
    arm = (difference.abs().amax(1, keepdim=True) / _FULL).clamp(max=1)
    return torch.cat([difference, (straight + turned) / _UNIT * arm], 1)
