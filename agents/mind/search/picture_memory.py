"""Small imagined pictures of the remembered poses: they find poses for a goal also if something hides a part of it."""

from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from .goals import Goals
from .trials import Draw, draw

_SIDES = 8, 16  # rows and columns of the small pictures: of the first and of the second comparison
_KEPT = 256  # poses that the first comparison leaves for the second one
_FULL = 0.15  # luminance; a place of a small picture costs no more than this misfit
_HALF = 0.5  # a place counts if more than this share of its pixels does
_MOST = 12_000  # poses; more cost time and tell little


class PictureMemory:
    """Finds the remembered poses whose imagined pictures are most similar to a goal, over the pixels that count.

    The pictures are drawn at the first question; that takes some seconds.

    Args:
        generator: draws the imagined pictures.
        poses: remembered poses, normalized, shape (N, J).
        shape: shape of a picture, (64, 64) or (3, 64, 64).
    """

    def __init__(self, generator: Draw, poses: Tensor, shape: tuple[int, ...]) -> None:
        self._generator, self._shape = generator, (-1, *(shape if len(shape) == 3 else (1, *shape)))
        self.poses = poses[:: -(-len(poses) // _MOST)]
        """The poses, shape (M, J), M <= N."""

    def nearest(self, goals: Goals, count: int) -> Tensor:
        """The most similar poses for goals, normalized, (B, min(count, M), J), the best first."""
        pictures, counted = (values.view(self._shape) for values in (goals.pictures, goals.counted))
        small = [_small(pictures, counted, side) for side in _SIDES]
        found = []
        for number in range(len(pictures)):
            first, second = ((seen[number], counts[number]) for seen, counts in small)
            kept = _cheapest(self._small[0], *first, _KEPT)
            found.append(kept[_cheapest(self._small[1][kept], *second, count)])
        return self.poses[torch.stack(found)]

    @cached_property
    def _small(self) -> list[Tensor]:
        """Pictures of all poses, (M, C, side * side) for each side."""
        drawn = [draw(self._generator, part).clamp(0, 1).view(self._shape) for part in self.poses.split(512)]
        fine = torch.cat([F.adaptive_avg_pool2d(each, _SIDES[1]) for each in drawn])
        return [F.adaptive_avg_pool2d(fine, side).flatten(2) for side in _SIDES]


def _small(pictures: Tensor, counted: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Means of the pixels that count, (B, C, side * side), and whether a place counts, (B, side * side)."""
    shares = F.adaptive_avg_pool2d(counted, side)
    means = F.adaptive_avg_pool2d(pictures * counted, side) / shares.clamp(min=1e-3)
    return means.flatten(2), (shares[:, 0] > _HALF).float().flatten(1)


def _cheapest(known: Tensor, seen: Tensor, counts: Tensor, count: int) -> Tensor:
    """Indices of the known small pictures (M, C, P) that are most similar to one (C, P) where it counts (P,)."""
    squared = (known - seen).square().sum(1)  # (M, P)
    costs = squared / (1 + squared / _FULL**2) @ counts
    return costs.topk(min(count, len(costs)), largest=False).indices
