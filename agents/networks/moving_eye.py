"""An eye that moves: the background of its pictures, and where their pixels lie in the head."""

import torch
from torch import Tensor

_FULL = 0.05
"""A pixel counts fully as one of the arm from this difference from the background on."""
_UNIT = 100.0  # degrees


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
