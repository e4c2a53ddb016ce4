"""A mixin of the simulated environments of one infant and of many: MuJoCo's names, and actions for poses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.changes.change import BodyChange
from ..body.description import Body
from ..body.model import ArmModel
from ..body.servos import Servos
from ..errors import UserError
from ..given import shown
from .recorded_spec import RecordedSpec

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION.value


class Simulated(RecordedSpec):
    """A mixin for environments that have an `arm` and servos."""

    arm: ArmModel
    _servos: Servos

    @property
    def model(self) -> mujoco.MjModel:
        """MuJoCo's model of the body."""
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
        """The actions whose targets are these joints.

        Args:
            joints: targets, shape (..., J), rad.

        Returns:
            Actions of the same shape, in [-1, 1] for targets within the joint ranges.

        Raises:
            UserError: the joints have a wrong shape.
        """
        return self._servos.action_for(joints)


def as_arm(
    arm: ArmModel | Mapping[str, Any] | None,
    age_months: float,
    eyes: str | None = None,
    gaze: str | None = None,
    change: BodyChange | Mapping[str, Any] | None = None,
) -> ArmModel:
    """The body of an environment: the given one, the described one, or the infant of this age.

    Args:
        arm: a body, or its description (`Body.as_dict`); None: the infant.
        age_months: age of the infant.
        eyes: which eyes see, one of `EYES`; None: those of the body.
        gaze: whether the head turns, one of `GAZES`; None: as the body's.
        change: how the body differs from the built-in one of its age; None: as the given one does.

    Raises:
        UserError: the age is out of range, `arm` is neither a body nor a description of one, or it does not have these eyes
            or this gaze, or cannot be changed so.
    """
    given = ("eyes", eyes), ("gaze", gaze), ("change", None if change is None else BodyChange.of(change))
    changes: dict[str, Any] = {name: value for name, value in given if value is not None}
    if arm is None:
        return ArmModel.infant(age_months, **changes)
    if isinstance(arm, Mapping):
        return ArmModel.of(replace(Body.from_dict(arm), **changes))
    if isinstance(arm, ArmModel):
        body = replace(arm.body, **changes)
        return arm if body == arm.body else ArmModel.of(body)
    raise UserError(f"got arm={shown(arm)}, expected an ArmModel, its body.as_dict(), or None for the infant")


def carried(arm: ArmModel, data: mujoco.MjData, other: ArmModel) -> mujoco.MjData:
    """A simulation of another body that goes on where that of one of its kind is, with locked joints at their angles."""
    state = np.empty(mujoco.mj_stateSize(arm.model, _STATE))
    mujoco.mj_getState(arm.model, data, state, _STATE)
    new = other.new_data()
    mujoco.mj_setState(other.model, new, state, _STATE)
    lock(other, new.qpos, new.qvel)
    mujoco.mj_forward(other.model, new)
    return new


def lock(arm: ArmModel, qpos: NDArray[np.float64], qvel: NDArray[np.float64]) -> None:
    """Puts the locked joints of a body to their angles, at rest; changes positions (nq,) and velocities (nv,)."""
    for name, angle in arm.body.change.locked.items():
        place = arm.joint_names.index(name)
        qpos[arm.qpos_ids[place]], qvel[arm.dof_ids[place]] = angle, 0.0
