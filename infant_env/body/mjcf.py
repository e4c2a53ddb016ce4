"""Checks the named parts of a body's MJCF, and adds a hand site and missing servos."""

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError

_SERVO_FREQUENCY = 30.0
"""Natural frequency, rad/s, of the servos that `ArmModel.from_mjcf` adds; with critical damping they arrive in .2 s."""


def geoms_below(model: mujoco.MjModel, bodies: Sequence[str]) -> NDArray[np.bool_]:
    """Mask of the geoms of these bodies and of all their descendants, shape (ngeom,)."""
    inside: NDArray[np.bool_] = np.zeros(model.nbody, bool)
    inside[[model.body(name).id for name in bodies]] = True
    for body in range(1, model.nbody):  # parents come before their children
        inside[body] |= inside[model.body_parentid[body]]
    return np.asarray(inside[model.geom_bodyid])


def add_hand_site(spec: mujoco.MjSpec, model: mujoco.MjModel, hand: NDArray[np.bool_], body: str) -> str:
    """Adds a site at the center of the hand's geoms and returns its name."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    frame = data.body(body)
    center = (data.geom_xpos[hand].mean(axis=0) - frame.xpos) @ frame.xmat.reshape(3, 3)  # (3,)
    name = "hand_position"
    while name in {s.name for s in spec.sites}:
        name += "_"
    spec.body(body).add_site(name=name, pos=center, size=[0.004] * 3, group=4)
    return name


def actuators_of(model: mujoco.MjModel, joint: int) -> NDArray[np.int64]:
    """Numbers of the actuators that drive a joint, given its number, shape (A,)."""
    drives = (model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT) & (model.actuator_trnid[:, 0] == joint)
    return np.flatnonzero(drives)


def add_missing_servos(spec: mujoco.MjSpec, joints: Sequence[str], arm_bodies: Sequence[str]) -> None:
    """Checks the joints and their actuators, and adds a servo to each joint without an actuator."""
    model = spec.compile()
    idle = [name for name in joints if not _is_driven(model, name)]
    for name in idle:
        inertia = model.dof_M0[model.joint(name).dofadr[0]]
        servo = spec.add_actuator(name=f"{name}_servo", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=inertia * _SERVO_FREQUENCY**2, dampratio=1.0)
    if idle:
        for name in arm_bodies:
            spec.body(name).gravcomp = 1.0


def _is_driven(model: mujoco.MjModel, name: str) -> bool:
    """Whether a position servo drives this joint; False if it has no actuator.

    Raises:
        UserError: the joint is not a hinge with a range, or another kind of actuator drives it.
    """
    joint = model.joint(name)
    if joint.type[0] != mujoco.mjtJoint.mjJNT_HINGE or not model.jnt_limited[joint.id]:
        raise UserError(
            f"got joint {name!r}, expected a hinge with a range, so that its angle can be normalized; "
            'write type="hinge" range="LOWER UPPER" limited="true" in the MJCF'
        )
    actuators = actuators_of(model, joint.id)
    if not len(actuators):
        return False
    gain, bias = model.actuator_gainprm[actuators[0]], model.actuator_biasprm[actuators[0]]
    is_servo = gain[0] > 0 and bias[0] == 0 and bias[1] == -gain[0] and model.actuator_gear[actuators[0], 0] == 1
    if len(actuators) > 1 or not is_servo:
        names = [model.actuator(i).name for i in actuators]
        raise UserError(
            f"joint {name!r} is driven by {names}, expected one position servo with gear 1, or no actuator; "
            "replace it by <position joint=...>, or remove it: then a servo is added"
        )
    return True


def check_names(kind: str, wanted: Sequence[str], available: Sequence[str]) -> None:
    """Raises a UserError that lists the available names, unless all wanted names are among them."""
    unknown = [name for name in wanted if name not in available]
    if unknown or not wanted:
        raise UserError(f"got the {kind} names {list(wanted)}, of which {unknown} are unknown; available: {available}")
