"""Options of the literal rule: the neighborhood mu of Eq. 4, and schedules of rate and radius."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from infant_env.errors import UserError

Schedule = Callable[[float], float]
"""Done share of the training, from 0 to 1 -> a learning rate or a radius."""
UNDERFLOW = 151.0
"""2^-UNDERFLOW is 0 in float32, for any rounding of the exponent; the smallest number above 0 is 2^-149."""


@dataclass(frozen=True)
class Neighborhood:
    """mu of Eq. 4: the share of the winner's step that a neuron takes, by its distance from the winner on the map.

    Attributes:
        mu: squared distances in neurons, any shape, and sigma -> mu, same shape, 1 at the winner.
        reach: sigma -> the distance in neurons beyond which mu is exactly 0 in float32; neurons beyond it are skipped.
        separable: whether mu(a + b) = mu(a) mu(b); then mu is computed for rows and columns separately, which is faster.
    """

    mu: Callable[[Tensor, float], Tensor]
    reach: Callable[[float], float] = lambda sigma: math.inf
    separable: bool = False

    def __call__(self, squared: Tensor, sigma: float) -> Tensor:
        """mu at squared distances from the winner."""
        return self.mu(squared, sigma)


gaussian = Neighborhood(
    mu=lambda squared, sigma: torch.exp2(squared * (-0.5 / math.log(2) / sigma**2)),  # exp is slow near underflow
    reach=lambda sigma: math.sqrt(2 * math.log(2) * UNDERFLOW) * sigma,
    separable=True,
)
"""mu = exp(-distance^2 / (2 sigma^2)), the usual neighborhood."""

exponential = Neighborhood(
    mu=lambda squared, sigma: torch.exp2(squared.sqrt() * (-1 / math.log(2) / sigma)),
    reach=lambda sigma: math.log(2) * UNDERFLOW * sigma,
)
"""mu = exp(-distance / sigma): the literal meaning of "exponentially decaying" (paper)."""

bubble = Neighborhood(
    mu=lambda squared, sigma: (squared <= sigma**2).to(squared.dtype),
    reach=lambda sigma: sigma,
)
"""mu = 1 up to a distance of sigma, and 0 beyond."""


def checked(name: str, schedule: Schedule | float) -> Schedule:
    """A schedule, or a constant, that raises a UserError where its value is not above 0 or not finite."""

    def of(done: float) -> float:
        value = float(schedule(done) if callable(schedule) else schedule)
        if not 0 < value < math.inf:
            raise UserError(f"got {name}={value} at {done:.0%} of the training, expected a finite number above 0")
        return value

    return of


def falling(first: float, last: float) -> Schedule:
    """A schedule that falls exponentially from `first` to `last`."""
    return lambda done: first * (last / first) ** done
