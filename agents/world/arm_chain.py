"""`ArmChain`: where the joints' axes are and where the hand is, learned from the hand's places alone: a body schema."""

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..tools import least_squares

_ENOUGH = 500  # poses that say all of a chain
_STARTS = 30
_EXACT = 1e-3  # m; a chain whose hand is farther off was fitted from a bad start
_UNIT = 1e-3  # m, of a residual


class ArmChain:
    """An arm as a chain of hinges: axes and points on them in a resting pose, all joints at 0.

    Joint k turns all that hangs on it about a line through `points[k]` along `axes[k]`; the hand is turned by the last joint
    first (product of exponentials: Brockett, 1984). Six numbers for each joint and three for the hand tell the hand's
    place in every pose.

    ```python
    chain = ArmChain.fit(joints, hands)  # 500 poses are plenty
    chain.hand(joints)  # (B, J) rad -> (B, 3) m
    ```

    Args:
        axes: shape (J, 3), of any length.
        points: shape (J, 3), m.
        tip: the hand in the resting pose, shape (3,), m.
    """

    def __init__(self, axes: Tensor, points: Tensor, tip: Tensor) -> None:
        self.axes, self.points, self.tip = axes / axes.norm(dim=1, keepdim=True), points, tip

    def hand(self, joints: Tensor) -> Tensor:
        """Where the hand is, joints (..., J) in rad -> (..., 3), m."""
        place = self.tip.expand(*joints.shape[:-1], 3)
        for axis, point, angle in reversed(list(zip(self.axes, self.points, joints.unbind(-1), strict=True))):
            place = point + _turned(place - point, axis, angle[..., None])
        return place

    @classmethod
    def fit(cls, joints: Tensor, hands: Tensor, seed: int = 0) -> "ArmChain":
        """The chain that explains where the hand was.

        Starts from axes drawn at random, again until one fits to a millimeter.

        Args:
            joints: shape (N, J), rad.
            hands: where the hand was, shape (N, 3), m.
            seed: of the axes at which the search starts.

        Raises:
            UserError: there are too few poses, or no chain of hinges explains them.
        """
        count = joints.shape[1]
        if 3 * len(joints) < 2 * (6 * count + 3):
            raise UserError(
                f"got {len(joints)} poses, expected {4 * count + 2} or more to learn an arm of {count} joints"
            )
        joints, hands = joints[:_ENOUGH].double().cpu(), hands[:_ENOUGH].double().cpu()
        random = torch.Generator().manual_seed(seed)
        found: list[tuple[float, Tensor]] = []
        for _ in range(_STARTS):
            start = _start(hands, count, random)
            rows, _ = least_squares.fit(
                lambda p: ((_chain(p).hand(joints) - hands) / _UNIT).flatten(), start, 100, 1e-6
            )
            found.append((float((_chain(rows).hand(joints) - hands).norm(dim=1).mean()), rows))
            if found[-1][0] < _EXACT:
                return _chain(rows)
        raise UserError(
            f"got hands that no chain of {count} hinges explains better than {1e3 * min(found)[0]:.0f} mm, expected those of "
            "an arm whose joints turn one after the other"
        )

    def double(self) -> "ArmChain":
        """The same in float64."""
        return ArmChain(self.axes.double(), self.points.double(), self.tip.double())

    def to(self, device: torch.device | str) -> "ArmChain":
        """The same in float32 on a device."""
        return ArmChain(*(values.to(device, torch.float32) for values in (self.axes, self.points, self.tip)))


def _start(hands: Tensor, count: int, random: torch.Generator) -> Tensor:
    """A chain at random where the hand usually is, as rows of numbers, (6 J + 3,)."""
    drawn = torch.randn(2 * count + 1, 3, generator=random, dtype=torch.float64)
    drawn[count:] = hands.mean(0) + 0.1 * drawn[count:]
    return drawn.flatten()


def _chain(parameters: Tensor) -> ArmChain:
    rows = parameters.view(-1, 3)
    count = len(rows) // 2
    return ArmChain(rows[:count], rows[count : 2 * count], rows[-1])


def _turned(vectors: Tensor, axis: Tensor, angle: Tensor) -> Tensor:
    """Vectors (..., 3) turned about an axis by angles (..., 1) (Rodrigues)."""
    along = (vectors @ axis)[..., None] * axis
    return along + angle.cos() * (vectors - along) + angle.sin() * torch.linalg.cross(axis.expand_as(vectors), vectors)
