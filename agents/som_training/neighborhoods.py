"""What the literal rule leaves to choose: the neighborhood mu of Eq. 4, and how rate and radius fall."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Schedule = Callable[[float], float]
"""Share of the training done, from 0 to 1 -> a learning rate or a radius."""
VANISHED = 151.0
"""2^-VANISHED is 0 in float32, whose smallest number above 0 is 2^-149, with any rounding of the exponent."""


@dataclass(frozen=True)
class Neighborhood:
    """mu of Eq. 4: how much of the winner's step a neuron takes, by its distance from the winner on the map.

    Attributes:
        mu: squared distances in neurons, any shape, and sigma -> mu, same shape, 1 at the winner.
        reach: sigma -> the distance in neurons beyond which mu is exactly 0 in float32: no neuron there is looked at.
        separable: whether mu(a + b) = mu(a) mu(b); mu is then found for rows and columns apart, which is faster.
    """

    mu: Callable[[Tensor, float], Tensor]
    reach: Callable[[float], float] = lambda sigma: math.inf
    separable: bool = False

    def __call__(self, squared: Tensor, sigma: float) -> Tensor:
        """mu at squared distances from the winner."""
        return self.mu(squared, sigma)


gaussian = Neighborhood(
    mu=lambda squared, sigma: torch.exp2(squared * (-0.5 / math.log(2) / sigma**2)),  # exp is slow where it vanishes
    reach=lambda sigma: math.sqrt(2 * math.log(2) * VANISHED) * sigma,
    separable=True,
)
"""mu = exp(-distance^2 / (2 sigma^2)), the usual neighborhood."""

exponential = Neighborhood(
    mu=lambda squared, sigma: torch.exp2(squared.sqrt() * (-1 / math.log(2) / sigma)),
    reach=lambda sigma: math.log(2) * VANISHED * sigma,
)
"""mu = exp(-distance / sigma), "exponentially decaying" (paper) taken at its word."""

bubble = Neighborhood(
    mu=lambda squared, sigma: (squared <= sigma**2).to(squared.dtype),
    reach=lambda sigma: sigma,
)
"""mu = 1 up to a distance of sigma, 0 beyond."""


def falling(first: float, last: float) -> Schedule:
    """A schedule that falls from `first` to `last` by the same factor in equal times."""
    return lambda done: first * (last / first) ** done
