"""Poses that were tried for goal pictures, and the choice of distinct ones."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tried:
    """Poses that were tried for B goals, C each.

    Attributes:
        joints: normalized, shape (B, C, J).
        errors: errors of their imagined pictures, see `Goals.errors`, shape (B, C).
        costs: the errors' logarithms and the expectation of the poses, see `cost`, shape (B, C).
        repeated: whether a pose only repeats an earlier one, because there are no more, shape (B, C).
    """

    joints: Tensor
    errors: Tensor
    costs: Tensor
    repeated: Tensor

    def __len__(self) -> int:
        return len(self.joints)

    def best(self, count: int, apart: float) -> "Tried":
        """The `count` best poses for each goal that differ from all better ones; the last one is repeated if there are too few.

        Args:
            count: number of poses.
            apart: poses differ if a normalized joint differs by more than this.
        """
        order = self.costs.sort(dim=1, stable=True).indices  # (B, C)
        ranked = self.joints.gather(1, order[..., None].expand(self.joints.shape))
        similar = (ranked[:, :, None] - ranked[:, None]).abs().amax(3) <= apart  # (B, C, C)
        kept = torch.zeros_like(order, dtype=torch.bool)
        for rank in range(order.shape[1]):
            kept[:, rank] = ~(similar[:, rank] & kept).any(1)
        place = kept.cumsum(1) - 1  # rank of each kept pose among the kept ones
        wanted = torch.arange(count, device=order.device).clamp(max=place[:, -1:])  # (B, count)
        at = (kept[:, None] & (place[:, None] == wanted[..., None])).float().argmax(2)  # (B, count)
        picked = order.gather(1, at)
        repeated = torch.zeros_like(picked, dtype=torch.bool)
        repeated[:, 1:] = picked[:, 1:] == picked[:, :-1]
        joints = ranked.gather(1, at[..., None].expand(-1, -1, ranked.shape[2]))
        return Tried(joints, self.errors.gather(1, picked), self.costs.gather(1, picked), repeated)

    def of(self, rows: Tensor) -> "Tried":
        """The poses for some of the goals, given by their numbers."""
        return Tried(*(values[rows] for values in vars(self).values()))

    def beside(self, others: "Tried") -> "Tried":
        """These poses and others for the same goals."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Tried(*(torch.cat(pair, 1) for pair in pairs))

    def replaced(self, rows: Tensor, others: "Tried") -> "Tried":
        """The same, with other poses, as many, for some of the goals."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Tried(*(mine.index_copy(0, rows, theirs) for mine, theirs in pairs))
