"""Trials of imagined poses: a pose is changed until its imagined picture fits the goal picture.

This is Levenberg-Marquardt on the pixels' misfits, for many poses at once. The slope of a picture along each joint is the
difference of two imagined pictures: with five joints this is as cheap as a gradient, and a finite step is less sensitive to
the network's noise. The expectation decides what the picture leaves open. No simulator runs, and the arm does not move.

A misfit counts by the loss of Geman and McClure (1985), that is, at most `_FULL` squared: what the imagination does not know,
such as a toy before the arm, costs the same in every pose and pulls at none.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..networks.expectation import Expectation

Draw = Callable[[Tensor], Tensor]
"""Draws pictures (B, 64, 64) of normalized joints (B, J): a `PictureGenerator`, or the eye itself."""
_DIFFERENCE = 0.02  # normalized joints, between the two pictures of a slope
_LONGEST = 0.2  # normalized joints, per iteration
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-4, 1e3
_AT_ONCE = 512  # pictures that are drawn together
_NOISE = 1e-5  # mean squared luminance; smaller errors count as equal
_WEIGHT = 0.02  # weight of the expectation in the cost, chosen on validation pictures
_FULL = 0.25  # luminance; misfits far above it count as this one


def cost(errors: Tensor, joints: Tensor, expected: Expectation | None) -> Tensor:
    """Cost of poses (M, ..., J): the logarithm of their pictures' errors (M, ...), minus the weighted log density."""
    pictures = (errors + _NOISE).log()
    return pictures if expected is None else pictures - _WEIGHT * expected.log_density(joints)


def errors_of(misfits: Tensor, counted: Tensor | None = None) -> Tensor:
    """Mean of the counted pixels' losses, from misfits (M, ..., P): (M, ...).

    Args:
        misfits: differences of pictures from the goals.
        counted: how much each pixel counts, from 0 to 1, shape (M, P); None: all count fully.
    """
    squared = misfits.square()
    losses = squared / (1 + squared / _FULL**2)
    if counted is None:
        return losses.mean(-1)
    shares = counted / counted.sum(-1, keepdim=True).clamp(min=1)
    return (losses * shares.view(len(shares), *[1] * (misfits.ndim - 2), -1)).sum(-1)


@torch.inference_mode()
def draw(generator: Draw, joints: Tensor) -> Tensor:
    """Pictures of poses, not clamped, drawn part by part: normalized joints (..., J) -> (..., P)."""
    parts = joints.flatten(0, -2).split(_AT_ONCE)
    return torch.cat([generator(part).flatten(1) for part in parts]).view(*joints.shape[:-1], -1)


@torch.inference_mode()
def refine(
    generator: Draw,
    goals: Tensor,
    joints: Tensor,
    iterations: int,
    expected: Expectation | None = None,
    counted: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Changes poses, within the joint ranges, until their imagined pictures fit the goals best.

    Args:
        generator: draws the imagined pictures, of P numbers each.
        goals: goal pictures, shape (M, P); need not be in [0, 1].
        joints: first poses, normalized, shape (M, J).
        iterations: iterations of Levenberg-Marquardt; each draws J + 1 pictures per pose, the last one only 1.
        expected: the expectation, which is part of the cost.
        counted: how much each pixel counts, see `errors_of`.

    Returns:
        Normalized joints (M, J), whose `cost` is never above that of the first poses, and the errors of their imagined
        pictures (M,), see `errors_of`.
    """
    damping = torch.full((len(joints), 1), _FIRST_DAMPING, device=joints.device)
    misfits, slopes = _linearize(generator, goals, joints)
    errors = errors_of(misfits, counted)
    costs = cost(errors, joints, expected)
    for left in reversed(range(iterations)):
        moved = (joints + _step(misfits, slopes, damping, joints, expected, counted)).clamp(0, 1)
        new_misfits, new_slopes = (
            _linearize(generator, goals, moved) if left else (draw(generator, moved) - goals, slopes)
        )
        new_errors = errors_of(new_misfits, counted)
        new_costs = cost(new_errors, moved, expected)
        better = new_costs < costs
        joints = torch.where(better[:, None], moved, joints)
        misfits = torch.where(better[:, None], new_misfits, misfits)
        slopes = torch.where(better[:, None, None], new_slopes, slopes)
        errors, costs = torch.where(better, new_errors, errors), torch.where(better, new_costs, costs)
        damping = torch.where(better[:, None], 0.3 * damping, 5 * damping).clamp(_LEAST_DAMPING, _MOST_DAMPING)
    return joints, errors


def _linearize(generator: Draw, goals: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
    """Imagined picture minus goal, (M, P), and its slope along each joint, (M, J, P)."""
    steps = torch.where(joints > 0.5, -_DIFFERENCE, _DIFFERENCE)  # inwards, so they stay in the joint ranges
    poses = torch.cat([joints[:, None], joints[:, None] + torch.diag_embed(steps)], 1)  # (M, J + 1, J)
    pictures = draw(generator, poses)
    return pictures[:, 0] - goals, (pictures[:, 1:] - pictures[:, :1]) / steps[..., None]


def _step(
    misfits: Tensor,
    slopes: Tensor,
    damping: Tensor,
    joints: Tensor,
    expected: Expectation | None,
    counted: Tensor | None,
) -> Tensor:
    """A damped Gauss-Newton step down the cost, times the pictures' error: (M, J)."""
    weights = (1 + (misfits / _FULL).square()).pow(-2)
    weights = weights if counted is None else weights * counted
    weighted = slopes * weights[:, None]
    curvature = weighted @ slopes.mT  # (M, J, J)
    descent = -(weighted @ misfits[..., None]).squeeze(2)
    if expected is not None:
        strength, rest = expected.pull(joints)
        pixels = misfits.shape[1] if counted is None else counted.sum(1).clamp(min=1)
        pull = _WEIGHT / 2 * strength * (pixels * (errors_of(misfits, counted) + _NOISE))[:, None]
        curvature, descent = curvature + torch.diag_embed(pull), descent + pull * (rest - joints)
    scale = damping * curvature.diagonal(dim1=1, dim2=2) + 1e-3
    return torch.linalg.solve(curvature + torch.diag_embed(scale), descent).clamp(-_LONGEST, _LONGEST)
