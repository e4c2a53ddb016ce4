"""What simulated environments share, of one infant or of many: MuJoCo's names, actions for poses, what they were made of."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.given import shown
from ..body.model import ArmModel
from ..body.servos import Servos
from ..errors import UserError
from .recorded_spec import RecordedSpec


class Simulated(RecordedSpec):
    """A mixin for environments that have an `arm` and servos."""

    arm: ArmModel
    _servos: Servos

    @property
    def model(self) -> mujoco.MjModel:
        """The body as MuJoCo knows it."""
        return self.arm.model

    @property
    def frame_skip(self) -> int:
        """Steps of the simulation in a control step."""
        return self._servos.substeps

    @property
    def dt(self) -> float:
        """Length of a control step, s."""
        return float(self.model.opt.timestep * self.frame_skip)

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The action that sends the arm to these joints, or the actions that send many arms there.

        Args:
            joints: targets, shape (..., J), rad.

        Returns:
            Actions of the same shape, in [-1, 1] for targets within the joint range.

        Raises:
            UserError: the joints are misshapen.
        """
        return self._servos.action_for(joints)


def as_arm(arm: ArmModel | Mapping[str, Any] | None, age_months: float) -> ArmModel:
    """The body that an environment was asked for.

    Raises:
        UserError: the age lies outside, or a description is not one.
    """
    if arm is None:
        return ArmModel.infant(age_months)
    if isinstance(arm, ArmModel):
        return arm
    if isinstance(arm, Mapping):
        return ArmModel.of(arm)
    raise UserError(f"got arm={shown(arm)}, expected an ArmModel, or None for the infant")
