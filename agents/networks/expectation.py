"""`Expectation`: a distribution over poses, made of a few guesses, each with its doubts and its share."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

_FREEDOM = 5  # of Student's t: far from all guesses, poses are almost equally unlikely


@dataclass(frozen=True)
class Expectation:
    """Mixtures of Student's t distributions over poses for M pictures: the output of a mixture density network (Bishop, 1994).

    Attributes:
        joints: guesses, that is, centers of the distributions, normalized, shape (M, G, J).
        doubts: widths of the distributions, shape (M, G, J), above 0.
        shares: logarithms of the guesses' probabilities, shape (M, G).
    """

    joints: Tensor
    doubts: Tensor
    shares: Tensor

    @property
    def likeliest(self) -> Tensor:
        """The guess with the largest share, (M, J)."""
        return self.joints.take_along_dim(self.shares.argmax(1)[:, None, None], 1).squeeze(1)

    def log_density(self, joints: Tensor) -> Tensor:
        """Logarithm of the density at poses (M, ..., J), up to a constant, (M, ...)."""
        return self._by_guess(joints)[0].logsumexp(-1)

    def pull(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Strength and rest position of a spring that pulls each joint of poses (M, J): (M, J) each.

        Strength times distance is the slope of the log density.
        """
        densities, squared = self._by_guess(joints)
        weights = densities.softmax(1) * (_FREEDOM + joints.shape[1]) / (_FREEDOM + squared)  # (M, G)
        springs = weights[..., None] / self.doubts.square()
        strength = springs.sum(1)
        return strength, (springs * self.joints).sum(1) / strength

    def samples(self, count: int) -> Tensor:
        """Random poses of the distribution, (M, count, J), in [0, 1]; every picture uses the same random numbers."""
        ranks, deviations = (n.to(self.joints.device) for n in _random_numbers(count, self.joints.shape[2]))
        edges = self.shares.exp().cumsum(1)[:, :-1]
        chosen = (ranks[:, None] > edges[:, None]).sum(2, keepdim=True)  # (M, count, 1), one guess per rank
        return (self.joints.take_along_dim(chosen, 1) + self.doubts.take_along_dim(chosen, 1) * deviations).clamp(0, 1)

    def of(self, rows: Tensor) -> "Expectation":
        """The distributions for some of the pictures, given by their numbers."""
        return Expectation(*(values[rows] for values in vars(self).values()))

    def repeated(self, count: int) -> "Expectation":
        """Each picture's distribution `count` times, for M * count pictures."""
        return Expectation(*(values.repeat_interleave(count, 0) for values in vars(self).values()))

    def _by_guess(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Log densities of poses (M, ..., J) by each guess, and squared distances from it in doubts: (M, ..., G) each."""
        leading = (len(joints), *[1] * (joints.ndim - 2))
        guesses, doubts = (values.view(*leading, *values.shape[1:]) for values in (self.joints, self.doubts))
        squared = ((joints.unsqueeze(-2) - guesses) / doubts).square().sum(-1)
        exponent = (_FREEDOM + joints.shape[-1]) / 2
        return self.shares.view(*leading, -1) - doubts.log().sum(-1) - exponent * (squared / _FREEDOM).log1p(), squared


@cache
def _random_numbers(count: int, joints: int) -> tuple[Tensor, Tensor]:
    """Evenly spaced ranks in (0, 1), (count,), and random deviations with Student's t distribution, (count, joints)."""
    normal = torch.randn((count, joints + _FREEDOM), generator=torch.Generator().manual_seed(0))
    variance = normal[:, joints:].square().mean(1, keepdim=True)
    ranks = (torch.arange(count) + 0.5) / count
    return ranks, normal[:, :joints] / variance.sqrt()
