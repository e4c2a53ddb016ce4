"""What the eye sees in the poses of goals."""

import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from ..senses.camera import HAND_IN_VIEW, EyeCamera
from ..senses.seen.seen_arm import SeenArm


class GoalSight:
    """Renders what the eye sees in the poses of goals.

    Args:
        arm: the body.
        eye: its eye.
        seen: what is seen in the place of the arm; None: the arm.
        hand: number of the hand that reaches, in the order of `ArmModel.hands`.
    """

    def __init__(self, arm: ArmModel, eye: EyeCamera, seen: SeenArm | None = None, hand: int = 0) -> None:
        self._arm, self._eye, self._seen, self._hand = arm, eye, seen, hand
        self._data = arm.new_data()

    def picture(self, joints: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Pose (J,), rad -> RGB frame (H, W, 3), uint8."""
        self._arm.place(self._data, joints)
        return self._eye.render(self._data, seen=self._seen)

    def shows_hand(self, joints: NDArray[np.float64]) -> bool:
        """Whether the picture of a pose (J,), rad, shows the hand."""
        self._arm.place(self._data, joints)
        return self._eye.in_view(self._data, self._seen)[1 + self._hand] >= HAND_IN_VIEW
