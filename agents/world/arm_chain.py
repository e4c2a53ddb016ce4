"""`ArmChain`: the joints' axes, learned from poses and hand positions; a body schema."""

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..tools import least_squares

_MOST_POSES = 500  # more poses do not improve the fit
_STARTS = 30
_EXACT = 1e-3  # m; a fit with a larger mean error of the hand is repeated from another start
_UNIT = 1e-3  # m, unit of the residuals


class ArmChain:
    """An arm as a chain of hinges: their axes, and points on them, in the pose with all joints at 0.

    Joint k turns the rest of the arm about a line through `points[k]` along `axes[k]`; the last joint turns the hand first
    (product of exponentials: Brockett, 1984). Six numbers per joint and three for the hand define the hand's position in
    every pose.

    ```python
    chain = ArmChain.fit(joints, hands)  # 500 poses are enough
    chain.hand(joints)  # (B, J) rad -> (B, 3) m
    ```

    Args:
        axes: directions of the axes, of any length, shape (J, 3).
        points: points on the axes, shape (J, 3), m.
        tip: the hand's position with all joints at 0, shape (3,), m.
    """

    def __init__(self, axes: Tensor, points: Tensor, tip: Tensor) -> None:
        self.axes, self.points, self.tip = axes / axes.norm(dim=1, keepdim=True), points, tip

    def hand(self, joints: Tensor) -> Tensor:
        """Hand positions: joints (..., J) in rad -> (..., 3), m."""
        place = self.tip.expand(*joints.shape[:-1], 3)
        for axis, point, angle in reversed(list(zip(self.axes, self.points, joints.unbind(-1), strict=True))):
            place = point + _turned(place - point, axis, angle[..., None])
        return place

    @classmethod
    def fit(cls, joints: Tensor, hands: Tensor, seed: int = 0, within: float = _EXACT) -> "ArmChain":
        """Fits a chain to poses and hand positions.

        The search starts from random axes, and again until a chain fits to a millimeter.

        Args:
            joints: shape (N, J), rad.
            hands: hand positions, shape (N, 3), m.
            seed: seed of the random axes.
            within: largest mean error of the hand that counts as an explanation, m.

        Raises:
            UserError: there are too few poses, or no chain of hinges fits them.
        """
        count = joints.shape[1]
        if 3 * len(joints) < 2 * (6 * count + 3):
            raise UserError(
                f"got {len(joints)} poses, expected {4 * count + 2} or more to learn an arm of {count} joints"
            )
        joints, hands = joints[:_MOST_POSES].double().cpu(), hands[:_MOST_POSES].double().cpu()
        random = torch.Generator().manual_seed(seed)
        found: list[tuple[float, Tensor]] = []  # of all starts
        for _ in range(_STARTS):
            start = _random_parameters(hands, count, random)
            rows, _ = least_squares.fit(
                lambda p: ((_chain(p).hand(joints) - hands) / _UNIT).flatten(), start, 100, 1e-6
            )
            found.append((float((_chain(rows).hand(joints) - hands).norm(dim=1).mean()), rows))
            if found[-1][0] < _EXACT:
                return _chain(rows)
        error, rows = min(found, key=lambda fit: fit[0])
        if error < within:
            return _chain(rows)
        raise UserError(
            f"got hands that no chain of {count} hinges explains better than {1e3 * error:.0f} mm, expected those of "
            "an arm whose joints turn one after the other"
        )

    def double(self) -> "ArmChain":
        """The same chain in float64."""
        return ArmChain(self.axes.double(), self.points.double(), self.tip.double())

    def to(self, device: torch.device | str) -> "ArmChain":
        """The same chain in float32 on a device."""
        return ArmChain(*(values.to(device, torch.float32) for values in (self.axes, self.points, self.tip)))


def _random_parameters(hands: Tensor, count: int, random: torch.Generator) -> Tensor:
    """Parameters of a random chain near the hand's mean position, (6 J + 3,)."""
    drawn = torch.randn(2 * count + 1, 3, generator=random, dtype=torch.float64)
    drawn[count:] = hands.mean(0) + 0.1 * drawn[count:]
    return drawn.flatten()


def _chain(parameters: Tensor) -> ArmChain:
    rows = parameters.view(-1, 3)
    count = len(rows) // 2
    return ArmChain(rows[:count], rows[count : 2 * count], rows[-1])


def _turned(vectors: Tensor, axis: Tensor, angle: Tensor) -> Tensor:
    """Rotates vectors (..., 3) about an axis by angles (..., 1) (Rodrigues)."""
    along = (vectors @ axis)[..., None] * axis
    return along + angle.cos() * (vectors - along) + angle.sin() * torch.linalg.cross(axis.expand_as(vectors), vectors)
