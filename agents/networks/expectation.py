"""`Expectation`: a distribution over poses, made of a few guesses, each with its doubts and its share."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

_COMBINED = 3  # guesses of each of several arms
_FREEDOM = 5  # of Student's t: far from all guesses, poses are almost equally unlikely


@dataclass(frozen=True)
class Expectation:
    """Mixtures of Student's t distributions over poses for M pictures: the output of a mixture density network (Bishop, 1994).

    Each of A arms has its own mixture; what one arm does says nothing about the other one. Poses hold the joints of one arm
    after those of the other, J = A j.

    Attributes:
        joints: guesses, that is, centers of the distributions, normalized, shape (M, A, G, j).
        doubts: widths of the distributions, shape (M, A, G, j), above 0.
        shares: logarithms of the guesses' probabilities, shape (M, A, G).
    """

    joints: Tensor
    doubts: Tensor
    shares: Tensor

    @property
    def likeliest(self) -> Tensor:
        """The guess with the largest share, of each arm, (M, J)."""
        return self.joints.take_along_dim(self.shares.argmax(2)[..., None, None], 2).flatten(1)

    @property
    def guesses(self) -> Tensor:
        """Guesses at the pose: all of one arm, (M, G, J), or the likeliest of each of several arms in all combinations."""
        arms, each = self.shares.shape[1:]
        if arms == 1:
            return self.joints.squeeze(1)
        few = min(each, _COMBINED)
        ranks = torch.cartesian_prod(*[torch.arange(few, device=self.joints.device)] * arms).T  # (A, few^A)
        chosen = self.shares.topk(few, 2).indices[:, torch.arange(arms)[:, None], ranks]  # (M, A, few^A)
        return self.joints.take_along_dim(chosen[..., None], 2).transpose(1, 2).flatten(2)

    def log_density(self, joints: Tensor) -> Tensor:
        """Logarithm of the density at poses (M, ..., J), up to a constant, (M, ...)."""
        return self._by_guess(joints)[0].logsumexp(-1).sum(-1)

    def pull(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Strength and rest position of a spring that pulls each joint of poses (M, J): (M, J) each.

        Strength times distance is the slope of the log density.
        """
        densities, squared = self._by_guess(joints)
        weights = densities.softmax(2) * (_FREEDOM + self.joints.shape[3]) / (_FREEDOM + squared)  # (M, A, G)
        springs = weights[..., None] / self.doubts.square()
        strength = springs.sum(2)
        return strength.flatten(1), ((springs * self.joints).sum(2) / strength).flatten(1)

    def samples(self, count: int) -> Tensor:
        """Random poses of the distribution, (M, count, J), in [0, 1]; every picture uses the same random numbers."""
        arms, _, size = self.joints.shape[1:]
        ranks, deviations = (n.to(self.joints.device) for n in _random_numbers(count, arms, size))
        edges = self.shares.exp().cumsum(2)[..., :-1]
        chosen = (ranks[..., None] > edges[:, :, None]).sum(3, keepdim=True)  # (M, A, count, 1), one guess per rank
        poses = self.joints.take_along_dim(chosen, 2) + self.doubts.take_along_dim(chosen, 2) * deviations
        return poses.clamp(0, 1).transpose(1, 2).flatten(2)

    def of(self, rows: Tensor) -> "Expectation":
        """The distributions for some of the pictures, given by their numbers."""
        return Expectation(*(values[rows] for values in vars(self).values()))

    def repeated(self, count: int) -> "Expectation":
        """Each picture's distribution `count` times, for M * count pictures."""
        return Expectation(*(values.repeat_interleave(count, 0) for values in vars(self).values()))

    def _by_guess(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Log densities of poses (M, ..., J) by each guess, and squared distances from it in doubts: (M, ..., A, G) each."""
        arms, _, size = self.joints.shape[1:]
        leading = (len(joints), *[1] * (joints.ndim - 2))
        guesses, doubts = (values.view(*leading, *values.shape[1:]) for values in (self.joints, self.doubts))
        own = joints.reshape(*joints.shape[:-1], arms, 1, size)
        squared = ((own - guesses) / doubts).square().sum(-1)
        exponent = (_FREEDOM + size) / 2
        shares = self.shares.view(*leading, *self.shares.shape[1:])
        return shares - doubts.log().sum(-1) - exponent * (squared / _FREEDOM).log1p(), squared


@cache
def _random_numbers(count: int, arms: int, joints: int) -> tuple[Tensor, Tensor]:
    """Evenly spaced ranks in (0, 1), in another order for each arm, (A, count), and deviations, (A, count, joints).

    The deviations have Student's t distribution.
    """
    random = torch.Generator().manual_seed(0)
    normal = torch.randn((arms, count, joints + _FREEDOM), generator=random)
    variance = normal[..., joints:].square().mean(2, keepdim=True)
    ranks = (torch.arange(count) + 0.5) / count
    mixed = [ranks, *(ranks[torch.randperm(count, generator=random)] for _ in range(arms - 1))]
    return torch.stack(mixed), normal[..., :joints] / variance.sqrt()
