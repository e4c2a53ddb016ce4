"""What the eye sees in the poses of goals."""

import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from ..senses.camera import HAND_IN_VIEW, EyeCamera


class GoalSight:
    """Renders what the eye sees in the poses of goals.

    Args:
        arm: the body.
        eye: its eye.
        hand: number of the hand that reaches, in the order of `ArmModel.hands`.
    """

    def __init__(self, arm: ArmModel, eye: EyeCamera, hand: int = 0) -> None:
        self._arm, self._eye, self._data, self._hand = arm, eye, arm.new_data(), hand

    def picture(self, joints: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Pose (J,), rad -> RGB frame (H, W, 3), uint8."""
        self._arm.place(self._data, joints)
        return self._eye.render(self._data)

    def shows_hand(self, joints: NDArray[np.float64]) -> bool:
        """Whether the picture of a pose (J,), rad, shows the hand."""
        self._arm.place(self._data, joints)
        return self._eye.in_view(self._data)[1 + self._hand] >= HAND_IN_VIEW
