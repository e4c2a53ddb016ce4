"""The pose of the joints that are not the arm's, from a keyframe and from what the user gives."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..given import shown
from .mjcf import actuators_of, check_names, is_servo

_SCALAR = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)


class Rest(NamedTuple):
    """A whole body at rest."""

    qpos: NDArray[np.float64]
    """Positions of all joints, shape (nq,), rad or m."""
    ctrl: NDArray[np.float64]
    """Controls of all actuators, shape (nu,)."""


def rest_of(
    model: mujoco.MjModel, keyframe: str | None, rest_pose: Mapping[str, float], arm_joints: Collection[str]
) -> Rest:
    """The body's rest: its reference pose, or a keyframe, and over it the joints that the user gives.

    A position servo of a given joint gets the joint's position as its target.

    Raises:
        UserError: the keyframe or a joint is unknown, or a position is not one of a hinge or slide within its range.
    """
    rest = Rest(model.qpos0.copy(), np.zeros(model.nu))
    if keyframe is not None:
        check_names("keyframe", [keyframe], [model.key(i).name for i in range(model.nkey)])
        rest = Rest(model.key(keyframe).qpos.copy(), model.key(keyframe).ctrl.copy())
    if rest_pose:
        check_names("joint", list(rest_pose), [model.joint(i).name for i in range(model.njnt)])
    for name, position in rest_pose.items():
        _check(model, name, position, arm_joints)
        joint = model.joint(name)
        rest.qpos[joint.qposadr[0]] = position
        for actuator in actuators_of(model, joint.id):
            if is_servo(model, actuator):
                rest.ctrl[actuator] = position * model.actuator_gear[actuator, 0]
    return rest


def _check(model: mujoco.MjModel, name: str, position: float, arm_joints: Collection[str]) -> None:
    joint, got = model.joint(name), f"got rest_pose {name}={shown(position)}"
    if name in arm_joints:
        raise UserError(f"{got}, but {name!r} is a joint of the arm, whose poses are drawn; leave it out of rest_pose")
    if joint.type[0] not in _SCALAR:
        raise UserError(f"{got}, but {name!r} is no hinge or slide; pose it by a keyframe in the MJCF")
    low, high = joint.range if model.jnt_limited[joint.id] else (-np.inf, np.inf)
    if not (low <= position <= high and np.isfinite(position)):
        raise UserError(f"{got}, expected a number within the joint's range, {low:g} to {high:g}")


def narrow(spec: mujoco.MjSpec, model: mujoco.MjModel, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Narrows the ranges of joints.

    Raises:
        UserError: a range does not rise, or does not lie within the joint's range in the MJCF.
    """
    for name, (low, high) in ranges.items():
        least, most = model.joint(name).range
        if not least - 1e-6 <= low < high <= most + 1e-6:
            raise UserError(
                f"got joint_ranges {name}={shown((low, high))}, expected two rising numbers within the joint's range in the "
                f"MJCF, {least:g} to {most:g} rad"
            )
        scale = np.rad2deg(1) if spec.joint(name).compiler.degree else 1.0
        spec.joint(name).range = [max(low, least) * scale, min(high, most) * scale]
