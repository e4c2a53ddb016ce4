"""`Expectation`: where the arm may be, before anything is imagined: a few guesses, each with its doubts and its share."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

_FREEDOM = 5  # of Student's t: far from every guess all poses are nearly equally unlikely


@dataclass(frozen=True)
class Expectation:
    """A mixture of Student's t distributions over poses (a mixture density network's answer; Bishop, 1994), for M pictures.

    Attributes:
        joints: guesses, normalized, shape (M, G, J).
        doubts: how far the truth may be from each, shape (M, G, J), above 0.
        shares: logarithms of the probabilities that it is near this guess, shape (M, G).
    """

    joints: Tensor
    doubts: Tensor
    shares: Tensor

    @property
    def likeliest(self) -> Tensor:
        """The guess with the largest share, (M, J)."""
        return self.joints.take_along_dim(self.shares.argmax(1)[:, None, None], 1).squeeze(1)

    def log_density(self, joints: Tensor) -> Tensor:
        """How much poses (M, ..., J) are expected, (M, ...): the logarithm of their density, but for a constant."""
        return self._by_guess(joints)[0].logsumexp(-1)

    def pull(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """How strongly each joint of poses (M, J) is drawn, as by a spring, and where to: (M, J) each.

        Strength times distance is the slope of the log density.
        """
        densities, far = self._by_guess(joints)
        drawn = densities.softmax(1) * (_FREEDOM + joints.shape[1]) / (_FREEDOM + far)  # (M, G)
        springs = drawn[..., None] / self.doubts.square()
        strength = springs.sum(1)
        return strength, (springs * self.joints).sum(1) / strength

    def samples(self, count: int) -> Tensor:
        """Poses as they are expected, (M, count, J), in [0, 1]; the same random numbers for every picture."""
        ranks, deviations = (n.to(self.joints.device) for n in _random_numbers(count, self.joints.shape[2]))
        edges = self.shares.exp().cumsum(1)[:, :-1]
        chosen = (ranks[:, None] > edges[:, None]).sum(2, keepdim=True)  # (M, count, 1), a guess for each rank
        return (self.joints.take_along_dim(chosen, 1) + self.doubts.take_along_dim(chosen, 1) * deviations).clamp(0, 1)

    def repeated(self, count: int) -> "Expectation":
        """Each of them so many times, for M * count pictures."""
        return Expectation(*(values.repeat_interleave(count, 0) for values in vars(self).values()))

    def _by_guess(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Log densities of poses (M, ..., J) by each guess alone, and how many doubts they are from it, squared: (M, ..., G)."""
        beside = (len(joints), *[1] * (joints.ndim - 2))
        guesses, doubts = (values.view(*beside, *values.shape[1:]) for values in (self.joints, self.doubts))
        far = ((joints.unsqueeze(-2) - guesses) / doubts).square().sum(-1)
        exponent = (_FREEDOM + joints.shape[-1]) / 2
        return self.shares.view(*beside, -1) - doubts.log().sum(-1) - exponent * (far / _FREEDOM).log1p(), far


@cache
def _random_numbers(count: int, joints: int) -> tuple[Tensor, Tensor]:
    """Even ranks in (0, 1), (count,), and deviations that are distributed as Student's t, (count, joints)."""
    normal = torch.randn((count, joints + _FREEDOM), generator=torch.Generator().manual_seed(0))
    spread = normal[:, joints:].square().mean(1, keepdim=True)
    ranks = (torch.arange(count) + 0.5) / count
    return ranks, normal[:, :joints] / spread.sqrt()
