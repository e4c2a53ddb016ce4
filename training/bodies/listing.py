"""What an MJCF holds that can be named for `ArmModel.from_mjcf`, and a proposal of names."""

from dataclasses import dataclass

import mujoco
import numpy as np

from infant_env.body.mjcf import actuators_of, is_servo, label

_FINGERS = ("finger", "thumb", "grip", "jaw", "claw", "_ff_", "_mf_", "_rf_", "_lf_", "_th_")
_HINGE, _FREE = mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_FREE
_KINDS = {_HINGE: "hinge", mujoco.mjtJoint.mjJNT_SLIDE: "slide", mujoco.mjtJoint.mjJNT_BALL: "ball", _FREE: "free"}


@dataclass(frozen=True)
class Joint:
    """One joint of the MJCF."""

    name: str
    kind: str
    low: float
    """Lower end of the range, rad or m; -inf without a range."""
    high: float
    moves: str
    """Name of the body that it moves."""
    driven_by: tuple[str, ...]
    """Actuators that drive it, and what they are."""
    usable: bool
    """Whether `ArmModel.from_mjcf` takes it as a joint of the arm."""


@dataclass(frozen=True)
class Camera:
    """One camera of the MJCF."""

    name: str
    on: str
    """Name of the body that carries it."""
    toward: str | None
    """Name of the body toward which it turns, if it turns."""
    fovy: float
    """Vertical field of view, degrees."""


def joints_of(model: mujoco.MjModel) -> list[Joint]:
    """All joints, in the order of the MJCF."""
    return [_joint(model, number) for number in range(model.njnt)]


def _joint(model: mujoco.MjModel, number: int) -> Joint:
    joint, kind = model.joint(number), mujoco.mjtJoint(model.jnt_type[number])
    low, high = joint.range if model.jnt_limited[number] else (-np.inf, np.inf)
    actuators = actuators_of(model, number).tolist()
    own_servo = not actuators or (
        len(actuators) == 1 and is_servo(model, actuators[0]) and model.actuator_gear[actuators[0], 0] == 1
    )
    return Joint(
        name=joint.name,
        kind=_KINDS[kind],
        low=float(low),
        high=float(high),
        moves=model.body(int(model.jnt_bodyid[number])).name,
        driven_by=tuple(f"{_kind(model, each)} {label(model, each)}" for each in actuators),
        usable=bool(joint.name) and kind == _HINGE and bool(np.isfinite(low)) and own_servo,
    )


def _kind(model: mujoco.MjModel, actuator: int) -> str:
    if is_servo(model, actuator):
        return "position servo"
    no_bias = model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_NONE
    return "motor" if no_bias else "actuator"


def cameras_of(model: mujoco.MjModel) -> list[Camera]:
    """All cameras, in the order of the MJCF."""
    return [_camera(model, number) for number in range(model.ncam)]


def _camera(model: mujoco.MjModel, number: int) -> Camera:
    target = int(model.cam_targetbodyid[number])
    return Camera(
        name=model.camera(number).name,
        on=model.body(int(model.cam_bodyid[number])).name,
        toward=model.body(target).name if target >= 0 else None,
        fovy=float(model.cam_fovy[number]),
    )


def tree_of(model: mujoco.MjModel) -> list[str]:
    """One line for each body, indented below its parent: its name and its numbers of joints and geoms."""
    depth, lines = [0] * model.nbody, []
    for body in range(1, model.nbody):
        depth[body] = depth[model.body_parentid[body]] + 1
        joints = [model.joint(int(model.body_jntadr[body]) + k).name for k in range(model.body_jntnum[body])]
        moved = f", moved by {', '.join(map(repr, joints))}" if joints else ""
        indent, geoms = "  " * (depth[body] - 1), int(model.body_geomnum[body])
        lines.append(f"{indent}{model.body(body).name or '(no name)'}: {geoms} geom{'s' * (geoms != 1)}{moved}")
    return lines


def longest_arm(model: mujoco.MjModel, whatever_drives: bool = False) -> list[Joint]:
    """The most joints that can be an arm's, along one branch of the tree of bodies, from the trunk outwards.

    Joints of fingers are left out, as their names tell; so are the chain's joints up to the last one that cannot be used.

    Args:
        model: the body.
        whatever_drives: whether joints that motors drive count too.
    """
    joints = joints_of(model)
    best: list[Joint] = []
    for body in range(1, model.nbody):
        chain = [joints[number] for number in _joints_above(model, body)]
        usable: list[Joint] = []
        for joint in chain:
            fits = joint.usable or (whatever_drives and joint.kind == "hinge" and np.isfinite(joint.low))
            is_finger = any(word in joint.name.lower() for word in _FINGERS)
            usable = usable if is_finger else [*usable, joint] if fits else []
        if len(usable) > len(best):
            best = usable
    return best


def _joints_above(model: mujoco.MjModel, body: int) -> list[int]:
    """Numbers of the joints that move a body, from the trunk outwards."""
    numbers: list[int] = []
    while body:
        first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
        numbers = [*range(first, first + count), *numbers]
        body = int(model.body_parentid[body])
    return numbers
