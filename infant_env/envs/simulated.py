"""A mixin of the simulated environments of one infant and of many: MuJoCo's names, and actions for poses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.checks import check_choice
from ..body.description import Body
from ..body.model import ArmModel
from ..body.servos import Servos
from ..errors import UserError
from ..given import shown
from ..senses.skin.touch import Touch
from .recorded_spec import RecordedSpec


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


def hand_infos(arm: ArmModel, places: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """New arrays with the hands' positions (..., H, 3), m, by their names in infos: (..., 3) each."""
    names = ("hand_position", *(f"{side}_hand_position" for side in list(arm.hands)[1:]))
    return {name: places[..., k, :].copy() for k, name in enumerate(names)}


def hands_of(info: Mapping[str, Any]) -> NDArray[np.float64]:
    """The positions of all hands in an info of one infant, the inverse of `hand_infos`, shape (H, 3), m."""
    names = ("hand_position", "left_hand_position")
    return np.stack([info[name] for name in names if name in info])


def as_arm(
    arm: ArmModel | Mapping[str, Any] | None,
    age_months: float,
    eyes: str | None = None,
    gaze: str | None = None,
    arms: str | None = None,
    wrist: bool | None = None,
) -> ArmModel:
    """The body of an environment: the given one, the described one, or the infant of this age.

    Args:
        arm: a body, or its description (`Body.as_dict`); None: the infant.
        age_months: age of the infant.
        eyes: which eyes see, one of `EYES`; None: those of the body. A body whose arm changes sees with the eye on the arm's
            side then, unless both eyes see.
        gaze: whether the head turns, one of `GAZES`; None: as the body's.
        arms: which arms move, one of `ARMS`; None: as the body's.
        wrist: whether the wrists move; None: as the body's.

    Raises:
        UserError: the age is out of range, `arm` is neither a body nor a description of one, or it does not have these eyes,
            this gaze, these arms or this wrist.
    """
    given = {"eyes": eyes, "gaze": gaze, "arms": arms, "wrist": wrist}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if arm is None:
        return ArmModel.infant(age_months, **changes)
    if isinstance(arm, Mapping):
        return ArmModel.of(_changed(Body.from_dict(arm), changes))
    if isinstance(arm, ArmModel):
        body = _changed(arm.body, changes)
        return arm if body == arm.body else ArmModel.of(body)
    raise UserError(f"got arm={shown(arm)}, expected an ArmModel, its body.as_dict(), or None for the infant")


def _changed(body: Body, changes: dict[str, Any]) -> Body:
    other_arm = changes.get("arms", body.arms) != body.arms and body.eyes != "both"
    return replace(body, **({"eyes": None} if other_arm else {}) | changes)


def as_touch(arm: ArmModel, touch: bool) -> Touch | None:
    """The sense of touch of a body; None if touch is not felt.

    Raises:
        UserError: `touch` is not a bool.
    """
    check_choice("touch", touch, [False, True])
    return Touch(arm) if touch else None
