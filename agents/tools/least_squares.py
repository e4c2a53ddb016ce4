"""Least squares by Levenberg and Marquardt's steps, with errors that count less the more they stand out (Huber)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacfwd

_FEWEST, _MOST = 1e-9, 1e6  # of the damping, beyond which no step is worth a try
_EASIER, _HARDER = 0.2, 4.0


def fit(
    residuals: Callable[[Tensor], Tensor], start: Tensor, iterations: int = 60, tolerance: float = 1e-4
) -> tuple[Tensor, float]:
    """The parameters in whose neighborhood the residuals are least.

    Each step solves the equations linearised at the present parameters, damped as Marquardt (1963) proposed; residuals beyond 1
    count by their size, not by their square (Huber, 1964), so that a few that no parameters explain do not bend the others.

    Args:
        residuals: parameters (P,) -> errors (R,), 1 where one is as large as expected of a good fit.
        start: shape (P,), float64.
        iterations: at most.
        tolerance: the share of the cost that a step must take away for another one.

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
    """The normal equations, (P, P) and (P,), of residuals that are weighted by how much they count."""
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
    """Better parameters and their residuals, and the next damping; None where no step is better."""
    scale = normal.diagonal() + 1e-3 * normal.diagonal().mean()
    while damping < _MOST:
        change = torch.linalg.solve(normal + damping * scale.diag(), gradient).clamp(-1, 1)
        errors = residuals(parameters - change)
        if _cost(errors) < cost:
            return (parameters - change, errors), max(_EASIER * damping, _FEWEST)
        damping *= _HARDER
    return None, damping


def _cost(errors: Tensor) -> float:
    """Half the square of a residual up to 1, and from there on linear, on average."""
    size = errors.abs()
    return float(torch.where(size < 1, 0.5 * size.square(), size - 0.5).mean().nan_to_num(torch.inf))
