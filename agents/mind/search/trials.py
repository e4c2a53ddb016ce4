"""Trials of imagined poses: a pose is changed until its imagined picture fits the goal picture.

This is Levenberg-Marquardt on the pixels' misfits, for many poses at once. The slope of a picture along each joint is the
difference of two imagined pictures: with five joints this is as cheap as a gradient, and a finite step is less sensitive to
the network's noise. The expectation decides what the picture leaves open. No simulator runs, and the arm does not move.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ...networks.expectation import Expectation
from .goals import Goals

Draw = Callable[[Tensor], Tensor]
"""Draws pictures (B, 64, 64) of normalized joints (B, J), with the gaze (B, J + 2): a `PictureGenerator`, or the eye itself."""
_DIFFERENCE = 0.02  # normalized joints, between the two pictures of a slope
_LONGEST = 0.2  # normalized joints, per iteration
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-4, 1e3
_AT_ONCE = 512  # pictures that are drawn together
_NOISE = 1e-5  # mean squared luminance; smaller errors count as equal
_WEIGHT = 0.02  # weight of the expectation in the cost, chosen on validation pictures


def cost(errors: Tensor, joints: Tensor, expected: Expectation | None) -> Tensor:
    """Cost of poses (M, ..., J): the logarithm of their pictures' errors (M, ...), minus the weighted log density."""
    pictures = (errors + _NOISE).log()
    return pictures if expected is None else pictures - _WEIGHT * expected.log_density(joints)


@torch.inference_mode()
def draw(generator: Draw, joints: Tensor) -> Tensor:
    """Pictures of poses, not clamped, drawn part by part: normalized joints (..., J) -> (..., P)."""
    parts = joints.flatten(0, -2).split(_AT_ONCE)
    return torch.cat([generator(part).flatten(1) for part in parts]).view(*joints.shape[:-1], -1)


@torch.inference_mode()
def refine(
    generator: Draw,
    goals: Goals,
    joints: Tensor,
    iterations: int,
    expected: Expectation | None = None,
    redraw: int = 1,
) -> tuple[Tensor, Tensor]:
    """Changes poses, within the joint ranges, until their imagined pictures fit the goals best.

    Args:
        generator: draws the imagined pictures, of P numbers each.
        goals: M goal pictures; they need not be in [0, 1].
        joints: first poses, normalized, shape (M, J).
        iterations: iterations of Levenberg-Marquardt.
        expected: the expectation, which is part of the cost.
        redraw: the slopes, J pictures per pose, are drawn in every so many iterations; between, they follow the changes of
            the picture (Broyden, 1965), which costs one picture.

    Returns:
        Normalized joints (M, J), whose `cost` is never above that of the first poses, and the errors of their imagined
        pictures (M,), see `Goals.errors`.
    """
    damping = torch.full((len(joints), 1), _FIRST_DAMPING, device=joints.device)
    misfits, slopes = _linearize(generator, goals, joints)
    errors = goals.errors(misfits)
    costs = cost(errors, joints, expected)
    for number in range(1, iterations + 1):
        moved = (joints + _step(misfits, slopes, damping, joints, goals, expected)).clamp(0, 1)
        if number < iterations and number % redraw == 0:
            new_misfits, new_slopes = _linearize(generator, goals, moved)
        else:
            new_misfits = goals.misfits(draw(generator, goals.seen_at(moved)))
            new_slopes = slopes if number == iterations else _followed(slopes, new_misfits - misfits, moved - joints)
        new_errors = goals.errors(new_misfits)
        new_costs = cost(new_errors, moved, expected)
        better = new_costs < costs
        joints = torch.where(better[:, None], moved, joints)
        misfits = torch.where(better[:, None], new_misfits, misfits)
        slopes = torch.where(better[:, None, None], new_slopes, slopes)
        errors, costs = torch.where(better, new_errors, errors), torch.where(better, new_costs, costs)
        damping = torch.where(better[:, None], 0.3 * damping, 5 * damping).clamp(_LEAST_DAMPING, _MOST_DAMPING)
    return joints, errors


def _linearize(generator: Draw, goals: Goals, joints: Tensor) -> tuple[Tensor, Tensor]:
    """Imagined picture minus goal, (M, P), and its slope along each joint, (M, J, P)."""
    steps = torch.where(joints > 0.5, -_DIFFERENCE, _DIFFERENCE)  # inwards, so they stay in the joint ranges
    poses = torch.cat([joints[:, None], joints[:, None] + torch.diag_embed(steps)], 1)  # (M, J + 1, J)
    misfits = goals.misfits(draw(generator, goals.seen_at(poses)))
    return misfits[:, 0], (misfits[:, 1:] - misfits[:, :1]) / steps[..., None]


def _followed(slopes: Tensor, changes: Tensor, moves: Tensor) -> Tensor:
    """Slopes (M, J, P) that explain the changes of the pictures (M, P) after moves of the joints (M, J)."""
    missing = changes - (moves[:, None] @ slopes).squeeze(1)
    return slopes + moves[..., None] * (missing / moves.square().sum(1, keepdim=True).clamp(min=1e-8))[:, None]


def _step(
    misfits: Tensor,
    slopes: Tensor,
    damping: Tensor,
    joints: Tensor,
    goals: Goals,
    expected: Expectation | None,
) -> Tensor:
    """A damped Gauss-Newton step down the cost, times the pictures' error: (M, J)."""
    weighted = slopes * goals.weights(misfits)[:, None]
    curvature = weighted @ slopes.mT  # (M, J, J)
    descent = -(weighted @ misfits[..., None]).squeeze(2)
    if expected is not None:
        strength, rest = expected.pull(joints)
        pull = _WEIGHT / 2 * strength * (goals.counted.sum(1) * (goals.errors(misfits) + _NOISE))[:, None]
        curvature, descent = curvature + torch.diag_embed(pull), descent + pull * (rest - joints)
    scale = damping * curvature.diagonal(dim1=1, dim2=2) + 1e-3
    return torch.linalg.solve(curvature + torch.diag_embed(scale), descent).clamp(-_LONGEST, _LONGEST)
