"""Robust least squares: Levenberg and Marquardt's steps with Huber's loss."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacfwd

_LEAST_DAMPING, _MOST_DAMPING = 1e-9, 1e6  # with more damping, steps are too small to help
_AFTER_SUCCESS, _AFTER_FAILURE = 0.2, 4.0  # factors of the damping


def fit(
    residuals: Callable[[Tensor], Tensor], start: Tensor, iterations: int = 60, tolerance: float = 1e-4
) -> tuple[Tensor, float]:
    """Parameters at a local minimum of the residuals' cost.

    Each step solves the equations linearized at the present parameters, with Marquardt's damping (1963). Residuals above 1
    count linearly instead of quadratically (Huber, 1964), so a few outliers hardly distort the fit.

    Args:
        residuals: parameters (P,) -> errors (R,), in units of the error that a good fit has.
        start: first parameters, shape (P,), float64.
        iterations: largest number of steps.
        tolerance: the fit ends when a step reduces the cost by less than this share.

    Returns:
        Parameters, shape (P,), and their mean cost.
    """
    parameters, damping = start, 1e-2
    errors = residuals(parameters)
    for _ in range(iterations):
        normal, gradient = _equations(jacfwd(residuals)(parameters), errors)
        better, damping = _step(residuals, parameters, _cost(errors), normal, gradient, damping)
        if better is None:
            break
        before, parameters, errors = _cost(errors), *better
        if before - _cost(errors) < tolerance * before:
            break
    return parameters, _cost(errors)


def _equations(slopes: Tensor, errors: Tensor) -> tuple[Tensor, Tensor]:
    """The normal equations, (P, P) and (P,), of residuals weighted by Huber's loss."""
    weighted = slopes / errors.abs().clamp(min=1)[:, None]  # (R, P)
    return slopes.T @ weighted, weighted.T @ errors


def _step(
    residuals: Callable[[Tensor], Tensor],
    parameters: Tensor,
    cost: float,
    normal: Tensor,
    gradient: Tensor,
    damping: float,
) -> tuple[tuple[Tensor, Tensor] | None, float]:
    """Better parameters and their residuals, and the next damping; None instead of these if no step is better."""
    scale = normal.diagonal() + 1e-3 * normal.diagonal().mean()
    while damping < _MOST_DAMPING:
        change = torch.linalg.solve(normal + damping * scale.diag(), gradient).clamp(-1, 1)
        errors = residuals(parameters - change)
        if _cost(errors) < cost:
            return (parameters - change, errors), max(_AFTER_SUCCESS * damping, _LEAST_DAMPING)
        damping *= _AFTER_FAILURE
    return None, damping


def _cost(errors: Tensor) -> float:
    """Mean of Huber's loss: half the square of a residual up to 1, and linear above."""
    size = errors.abs()
    return float(torch.where(size < 1, 0.5 * size.square(), size - 0.5).mean().nan_to_num(torch.inf))
