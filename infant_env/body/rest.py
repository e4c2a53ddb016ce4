"""The joints that are not the arm's: their rest pose, and how they are locked."""

from collections.abc import Collection, Mapping
from itertools import compress
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..given import shown
from .mjcf import actuators_of, check_names, is_servo

_SCALAR = (mujoco.mjtJoint.mjJNT_HINGE.value, mujoco.mjtJoint.mjJNT_SLIDE.value)
_BY_JOINT = (mujoco.mjtTrn.mjTRN_JOINT.value, mujoco.mjtTrn.mjTRN_JOINTINPARENT.value)
_MOST_TURN = 4 * np.pi  # rad, either way, of a joint without a range


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
    """Narrows the ranges of joints; a joint without a range gets one.

    Raises:
        UserError: a range does not rise, or does not lie within the joint's range in the MJCF.
    """
    for name, (low, high) in ranges.items():
        joint = model.joint(name)
        least, most = joint.range if model.jnt_limited[joint.id] else (-_MOST_TURN, _MOST_TURN)
        if not least - 1e-6 <= low < high <= most + 1e-6:
            raise UserError(
                f"got joint_ranges {name}={shown((low, high))}, expected two rising numbers within the joint's range in the "
                f"MJCF, {least:g} to {most:g} rad"
            )
        scale = np.rad2deg(1) if spec.joint(name).compiler.degree else 1.0
        spec.joint(name).range = [max(low, least) * scale, min(high, most) * scale]
        spec.joint(name).limited = mujoco.mjtLimited.mjLIMITED_TRUE


def take_actuators(spec: mujoco.MjSpec, model: mujoco.MjModel, joints: Collection[str]) -> NDArray[np.bool_]:
    """Takes the actuators of these joints out of the body, with their sensors, and the keyframes.

    Returns:
        Mask of the actuators that stay, shape (nu,).
    """
    numbers = [model.joint(name).id for name in joints]
    taken = np.isin(model.actuator_trntype, _BY_JOINT) & np.isin(model.actuator_trnid[:, 0], numbers)
    used = {mujoco.mjtObj.mjOBJ_ACTUATOR: taken}
    sensors = [_refers(used, model.sensor_objtype, model.sensor_objid, i) for i in range(model.nsensor)]
    for element in [*compress(spec.sensors, sensors), *compress(spec.actuators, taken), *spec.keys]:
        spec.delete(element)
    return ~taken


def lock_others(
    spec: mujoco.MjSpec, model: mujoco.MjModel, qpos: NDArray[np.float64], kept: Collection[str]
) -> NDArray[np.bool_]:
    """Takes all joints out of the body except the kept ones.

    What refers to such a joint is taken out too: its actuators, sensors, tendons and equality constraints. So are the
    keyframes. Two bodies that did not collide because one was the other's parent still do not collide.

    Args:
        spec: the body; it is changed.
        model: the body as it was compiled.
        qpos: positions of all joints, shape (nq,), rad or m.
        kept: names of the joints that stay.

    Returns:
        Mask of the actuators that stay, shape (nu,).
    """
    locked = np.array([model.joint(j).name not in kept for j in range(model.njnt)], bool)
    _exclude_parents(spec, model, locked)
    for body in np.unique(model.jnt_bodyid[locked]):
        _put(spec, model, int(body), qpos, locked)
    actuators = _delete_users(spec, model, locked)
    for element in [*compress(spec.joints, locked), *spec.keys]:
        spec.delete(element)
    return ~actuators


def _put(
    spec: mujoco.MjSpec, model: mujoco.MjModel, body: int, qpos: NDArray[np.float64], locked: NDArray[np.bool_]
) -> None:
    """Gives a body the pose that its locked joints gave it, and turns its other joints as if these came first.

    J1(q1) K2 = K2 (K2^-1 J1(q1) K2) for a joint J1 and a locked joint K2 after it.
    """
    first, after = model.body_jntadr[body], np.eye(4)
    for joint in range(first + model.body_jntnum[body] - 1, first - 1, -1):
        if locked[joint]:
            after = _transform(model, joint, qpos) @ after
            continue
        back, turned = np.linalg.inv(after), spec.joints[joint]
        turned.set_frame(spec.bodies[body].add_frame())  # its position and axis count from the body itself
        turned.axis = back[:3, :3] @ model.jnt_axis[joint]
        turned.pos = back[:3, :3] @ model.jnt_pos[joint] + back[:3, 3]
    moved, part = _matrix(model.body_pos[body], model.body_quat[body]) @ after, spec.bodies[body]
    part.set_frame(part.parent.add_frame())
    part.pos, part.quat = moved[:3, 3], _quaternion(moved[:3, :3])
    part.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT


def _transform(model: mujoco.MjModel, joint: int, qpos: NDArray[np.float64]) -> NDArray[np.float64]:
    """The motion of its body by a joint, in the body's frame, shape (4, 4)."""
    at, axis, anchor = model.jnt_qposadr[joint], model.jnt_axis[joint], model.jnt_pos[joint]
    kind, quaternion = model.jnt_type[joint], np.array([1.0, 0.0, 0.0, 0.0])
    if kind == mujoco.mjtJoint.mjJNT_FREE.value:
        body = model.jnt_bodyid[joint]
        placed = _matrix(model.body_pos[body], model.body_quat[body])
        return np.asarray(np.linalg.inv(placed) @ _matrix(qpos[at : at + 3], qpos[at + 3 : at + 7]))
    if kind == mujoco.mjtJoint.mjJNT_SLIDE.value:
        return _matrix(axis * (qpos[at] - model.qpos0[at]), quaternion)
    if kind == mujoco.mjtJoint.mjJNT_BALL.value:
        quaternion = qpos[at : at + 4]
    else:
        mujoco.mju_axisAngle2Quat(quaternion, axis, qpos[at] - model.qpos0[at])
    turned = _matrix(np.zeros(3), quaternion)
    turned[:3, 3] = anchor - turned[:3, :3] @ anchor
    return turned


def _matrix(position: NDArray[np.float64], quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Position (3,) and quaternion (4,) as a homogeneous matrix, shape (4, 4)."""
    rotation, unit, matrix = np.empty(9), np.array(quaternion, float), np.eye(4)
    mujoco.mju_normalize4(unit)
    mujoco.mju_quat2Mat(rotation, unit)
    matrix[:3, :3], matrix[:3, 3] = rotation.reshape(3, 3), position
    return matrix


def _quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, rotation.ravel())
    return quaternion


def _delete_users(spec: mujoco.MjSpec, model: mujoco.MjModel, joints: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Deletes what refers to these joints, and returns the mask of the deleted actuators, shape (nu,)."""
    tendons, actuators = np.zeros(model.ntendon, bool), np.zeros(model.nu, bool)
    for t in range(model.ntendon):
        wraps = slice(model.tendon_adr[t], model.tendon_adr[t] + model.tendon_num[t])
        by_joint = model.wrap_type[wraps] == mujoco.mjtWrap.mjWRAP_JOINT
        tendons[t] = joints[model.wrap_objid[wraps][by_joint]].any()
    for a, (kind, target) in enumerate(zip(model.actuator_trntype, model.actuator_trnid[:, 0], strict=True)):
        actuators[a] = (kind in _BY_JOINT and joints[target]) or (
            kind == mujoco.mjtTrn.mjTRN_TENDON.value and tendons[target]
        )
    used = {mujoco.mjtObj.mjOBJ_JOINT: joints, mujoco.mjtObj.mjOBJ_TENDON: tendons}
    used[mujoco.mjtObj.mjOBJ_ACTUATOR] = actuators
    of_joints = {mujoco.mjtEq.mjEQ_JOINT: joints, mujoco.mjtEq.mjEQ_TENDON: tendons}
    sensors = [_refers(used, model.sensor_objtype, model.sensor_objid, i) for i in range(model.nsensor)]
    equalities = [
        any(_refers(of_joints, model.eq_type, ids, i) for ids in (model.eq_obj1id, model.eq_obj2id))
        for i in range(model.neq)
    ]
    elements = [*compress(spec.sensors, sensors), *compress(spec.equalities, equalities)]
    elements += [*compress(spec.actuators, actuators), *compress(spec.tendons, tendons)]
    for element in elements:
        spec.delete(element)
    return actuators


def _refers(marked: dict[Any, NDArray[np.bool_]], kinds: Any, targets: Any, number: int) -> bool:
    """Whether the target of an element, given its number, is marked."""
    of_kind = [mask for kind, mask in marked.items() if kinds[number] == kind.value]
    return bool(of_kind and targets[number] >= 0 and of_kind[0][targets[number]])


def _exclude_parents(spec: mujoco.MjSpec, model: mujoco.MjModel, locked: NDArray[np.bool_]) -> None:
    """Excludes contacts between a moving part and the part that carries it, if that one no longer moves.

    MuJoCo excludes these contacts by itself, except where the carrying part is fixed to the world.
    """
    moves = np.zeros(model.nbody, bool)
    moves[model.jnt_bodyid[~locked]] = True
    still: NDArray[np.bool_] = np.ones(model.nbody, bool)
    for part in range(1, model.nbody):
        still[part] &= still[model.body_parentid[part]] & ~moves[part]
    solid = np.isin(np.arange(model.nbody), model.geom_bodyid[(model.geom_contype | model.geom_conaffinity) > 0])
    weld = model.body_weldid
    for body in np.flatnonzero(~still & solid):
        carrier = weld[model.body_parentid[weld[body]]]
        if carrier and still[carrier]:
            for other in np.flatnonzero((weld == carrier) & solid):
                _exclude(spec, int(body), int(other))


def _exclude(spec: mujoco.MjSpec, *bodies: int) -> None:
    parts = [spec.bodies[body] for body in bodies]
    for number, part in zip(bodies, parts, strict=True):
        part.name = part.name or f"body_{number}"
    spec.add_exclude(bodyname1=parts[0].name, bodyname2=parts[1].name)
