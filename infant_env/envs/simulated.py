"""A mixin of the simulated environments of one infant and of many: MuJoCo's names, and actions for poses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.changes.change import BodyChange
from ..body.checks import check_choice, check_counts
from ..body.description import Body
from ..body.model import ArmModel
from ..body.servos import Servos
from ..errors import UserError
from ..given import shown
from ..senses.skin.touch import Touch
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

    def action_for(self, joints: NDArray[Any], gaze: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """The actions whose targets are these joints.

        Args:
            joints: targets, shape (..., J), rad.
            gaze: targets of a gaze that turns, shape (..., G), rad; by default straight ahead.

        Returns:
            Actions, shape (..., J + G), in [-1, 1] for targets within their ranges.

        Raises:
            UserError: the joints or the gaze have a wrong shape.
        """
        return self._servos.action_for(joints, gaze)


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
    fovea: bool | None = None,
    arms: str | None = None,
    wrist: bool | None = None,
    change: BodyChange | Mapping[str, Any] | None = None,
) -> ArmModel:
    """The body of an environment: the given one, the described one, or the infant of this age.

    Args:
        arm: a body, or its description (`Body.as_dict`); None: the infant.
        age_months: age of the infant.
        eyes: which eyes see, one of `EYES`; None: those of the body. A body whose arm changes sees with the eye on the arm's
            side then, unless both eyes see.
        gaze: what turns the gaze, one of `GAZES`; None: as the body's.
        fovea: whether the body has a fovea; None: as the body's.
        arms: which arms move, one of `ARMS`; None: as the body's.
        wrist: whether the wrists move; None: as the body's.
        change: how the body differs from the built-in one of its age; None: as the given one does.

    Raises:
        UserError: the age is out of range, `arm` is neither a body nor a description of one, or it does not have these eyes,
            this gaze, these arms or this wrist, or cannot be changed so.
    """
    how = None if change is None else BodyChange.of(change)
    given = {"eyes": eyes, "gaze": gaze, "fovea": fovea, "arms": arms, "wrist": wrist, "change": how}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if arm is None:
        return ArmModel.infant(age_months, **changes)
    if isinstance(arm, Mapping):
        return ArmModel.of(_changed(Body.from_dict(arm), changes))
    if isinstance(arm, ArmModel):
        body = _changed(arm.body, changes)
        return arm if body == arm.body else ArmModel.of(body)
    raise UserError(f"got arm={shown(arm)}, expected an ArmModel, its body.as_dict(), or None for the infant")


def check_fovea(fovea: bool | None, eye_size: Any) -> None:
    """Raises a UserError if the fovea is asked for without an eye."""
    if fovea and eye_size is None:
        raise UserError("got fovea=True without eye_size, expected both; add an eye, such as eye_size=(300, 500)")


def each_of(name: str, given: Any, infants: int) -> list[Any]:
    """An argument for each infant: a list, a tuple or an array holds one value for each, anything else is for all.

    Raises:
        UserError: the number of values is wrong.
    """
    values = given.tolist() if isinstance(given, np.ndarray) and given.ndim else given
    if not isinstance(values, list | tuple):
        return [values] * infants
    if len(values) != infants:
        raise UserError(f"got {len(values)} values of {name}, expected one, or one for each of the {infants} infants")
    return list(values)


def arms_of(
    infants: int,
    arm: Any,
    age_months: Any,
    eyes: str | None,
    gaze: str | None,
    fovea: bool | None,
    arms: str | None,
    wrist: bool | None,
    change: Any,
) -> list[ArmModel]:
    """The body of each infant; equal ones are one object. `as_arm` explains the arguments, `each_of` how there can be several.

    Raises:
        UserError: see `as_arm`; the number of values is wrong, or the bodies do not have the same joints and eyes.
    """
    check_counts(num_envs=infants)
    given = [each_of(*each, infants) for each in (("arm", arm), ("age_months", age_months), ("change", change))]
    made: list[tuple[Any, ArmModel]] = []
    all_arms = []
    for one, age, how in zip(*given, strict=True):
        key = one, age, how
        found = next((body for known, body in made if _are_same(known, key)), None)
        if found is None:
            found = as_arm(one, age, eyes, gaze, fovea, arms, wrist, how)
            made.append((key, found))
        all_arms.append(found)
    return one_kind(all_arms)


def changed_arms(arms: Sequence[ArmModel], bodies: Mapping[int, Body], known: Sequence[ArmModel]) -> list[ArmModel]:
    """The infants' bodies after some of them changed; a body that is described alike is taken from the known ones."""
    found, made = list(arms), list(dict.fromkeys([*known, *arms]))
    for infant, body in bodies.items():
        equal = next((arm for arm in made if arm.body == body), None)
        if equal is None:
            equal = ArmModel.of(body)
            made.append(equal)
        found[infant] = equal
    return one_kind(found)


def one_kind(arms: list[ArmModel]) -> list[ArmModel]:
    """The bodies themselves.

    Raises:
        UserError: they do not have the same joints and eyes.
    """
    first = arms[0]
    for infant, arm in enumerate(arms):
        if _kind(arm) != _kind(first):
            raise UserError(
                f"got infant {infant} with the joints {list(arm.joint_names)} and the eyes {list(arm.eyes)}, expected those of "
                f"infant 0, {list(first.joint_names)} and {list(first.eyes)}; make an environment for each kind of body"
            )
    return arms


def _kind(arm: ArmModel) -> tuple[Any, ...]:
    places = arm.qpos_ids.tolist(), arm.dof_ids.tolist(), arm.actuator_ids.tolist()
    return arm.joint_names, list(arm.eyes), arm.gaze_joints, places, mujoco.mj_stateSize(arm.model, _STATE)


def _are_same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(
        a is b or (type(a) is type(b) and not isinstance(a, ArmModel) and a == b)
        for a, b in zip(one, other, strict=True)
    )


def carried(arm: ArmModel, data: mujoco.MjData, other: ArmModel) -> mujoco.MjData:
    """A simulation of another body that goes on where that of one of its kind is, with locked joints at their angles."""
    state = np.empty(mujoco.mj_stateSize(arm.model, _STATE))
    mujoco.mj_getState(arm.model, data, state, _STATE)
    new = other.new_data()
    mujoco.mj_setState(other.model, new, state, _STATE)
    lock(other, new.qpos, new.qvel)
    mujoco.mj_fwdPosition(other.model, new)
    return new


def lock(arm: ArmModel, qpos: NDArray[np.float64], qvel: NDArray[np.float64]) -> None:
    """Puts the locked joints of a body to their angles, at rest; changes positions (nq,) and velocities (nv,)."""
    for name, angle in arm.body.change.locked.items():
        place = arm.joint_names.index(name)
        qpos[arm.qpos_ids[place]], qvel[arm.dof_ids[place]] = angle, 0.0


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


def touch_of(arm: ArmModel, former: Touch | None) -> Touch | None:
    """The sense of touch of a body that takes the place of another one; None if touch is not felt.

    Raises:
        UserError: the bodies do not have the same patches.
    """
    if former is None:
        return None
    touch = Touch(arm)
    if touch.names != former.names:
        raise UserError(
            f"got a body with {len(touch.names)} patches of skin, expected the same {len(former.names)} as before; leave out "
            "touch, or make an environment for each kind of body"
        )
    return touch
