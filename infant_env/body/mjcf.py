"""Checks the named parts of a body's MJCF, and adds a hand site, a fovea and missing servos."""

import zipfile
from collections.abc import Collection, Sequence
from os import PathLike

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .raw.mjcf_files import MjcfFiles

_SERVO_FREQUENCY = 30.0
"""Natural frequency, rad/s, of the servos that `ArmModel.from_mjcf` adds; with critical damping they arrive in .2 s."""

SITE = "hand_position"
"""Name of the site that marks a hand's position."""

_FOVEA_DEGREES = 30.0
"""How wide and high the fovea's pictures are."""

_DRIVEN = {
    mujoco.mjtTrn.mjTRN_JOINT.value: mujoco.mjtObj.mjOBJ_JOINT,
    mujoco.mjtTrn.mjTRN_JOINTINPARENT.value: mujoco.mjtObj.mjOBJ_JOINT,
    mujoco.mjtTrn.mjTRN_TENDON.value: mujoco.mjtObj.mjOBJ_TENDON,
    mujoco.mjtTrn.mjTRN_BODY.value: mujoco.mjtObj.mjOBJ_BODY,
}
"""What the kinds of actuators drive; the others drive sites."""


def load(path: str | PathLike[str], files: MjcfFiles | None = None) -> tuple[mujoco.MjSpec, mujoco.MjModel]:
    """Reads and compiles an MJCF file, or a zip that `MjcfFiles.write` has written.

    Args:
        path: the file.
        files: its content, if it was read already.

    Raises:
        UserError: the file cannot be read.
    """
    if files is None and zipfile.is_zipfile(path):
        files = MjcfFiles.read(path)
    try:
        spec = mujoco.MjSpec.from_file(str(path)) if files is None else files.spec()
        return spec, spec.compile()
    except ValueError as error:
        raise UserError(f"{path} cannot be read as MJCF: {' '.join(str(error).split())}") from error


def bodies_below(model: mujoco.MjModel, bodies: Sequence[int]) -> NDArray[np.bool_]:
    """Mask of these bodies and of all their descendants, given their numbers, shape (nbody,)."""
    inside: NDArray[np.bool_] = np.zeros(model.nbody, bool)
    inside[list(bodies)] = True
    for body in range(1, model.nbody):  # parents come before their children
        inside[body] |= inside[model.body_parentid[body]]
    return inside


def add_hand_site(
    spec: mujoco.MjSpec,
    model: mujoco.MjModel,
    qpos: NDArray[np.float64],
    hand: NDArray[np.bool_],
    body: int,
    name: str = SITE,
) -> str:
    """Adds a site at the center that the hand's geoms have in a pose (nq,), to a body, and returns its name."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    frame = data.body(body)
    center = (data.geom_xpos[hand].mean(axis=0) - frame.xpos) @ frame.xmat.reshape(3, 3)  # (3,)
    while name in {s.name for s in spec.sites}:
        name += "_"
    spec.bodies[body].add_site(name=name, pos=center, size=[0.004] * 3, group=4)
    return name


def add_fovea(spec: mujoco.MjSpec, model: mujoco.MjModel, eye: str) -> str:
    """Adds a camera that shows the middle of what an eye sees, from its place, to its body, and returns the name.

    Args:
        spec: the body; it is changed.
        model: the body as it was compiled.
        eye: name of the eye's camera.

    Raises:
        UserError: the eye's camera follows a body instead of being fixed to one, or it is not a perspective camera.
    """
    camera = model.camera(eye)
    fixed = camera.mode[0] == mujoco.mjtCamLight.mjCAMLIGHT_FIXED
    if not fixed or model.cam_projection[camera.id] != mujoco.mjtProjection.mjPROJ_PERSPECTIVE:
        kind = "orthographic" if fixed else mujoco.mjtCamLight(camera.mode[0]).name.removeprefix("mjCAMLIGHT_").lower()
        raise UserError(
            f"got fovea=True with the eye {eye!r}, a camera of the kind {kind!r}, expected a perspective camera of the mode "
            '"fixed"; change it in the MJCF, or leave out the fovea'
        )
    name, known = f"{eye}_fovea", {each.name for each in spec.cameras}
    while name in known:
        name += "_"
    carrier = spec.bodies[int(camera.bodyid[0])]
    carrier.add_camera(name=name, pos=np.array(camera.pos), quat=np.array(camera.quat), fovy=_FOVEA_DEGREES)
    return name


def actuators_of(model: mujoco.MjModel, joint: int) -> NDArray[np.int64]:
    """Numbers of the actuators that drive a joint, given its number, shape (A,)."""
    kinds = (mujoco.mjtTrn.mjTRN_JOINT.value, mujoco.mjtTrn.mjTRN_JOINTINPARENT.value)  # equal for hinges and slides
    return np.flatnonzero(np.isin(model.actuator_trntype, kinds) & (model.actuator_trnid[:, 0] == joint))


def add_missing_servos(
    spec: mujoco.MjSpec, model: mujoco.MjModel, joints: Sequence[str], arm: NDArray[np.bool_], ranged: Collection[str]
) -> None:
    """Checks the joints and their actuators, and adds a servo to each joint without an actuator, in place of its spring.

    Then gravity no longer pulls at the arm.

    Args:
        spec: the body; it is changed.
        model: the body as it was compiled.
        joints: names of the arm's joints.
        arm: mask of the arm's bodies, shape (nbody,).
        ranged: names of joints that got a range after the body was compiled.
    """
    idle = [name for name in joints if not _is_driven(model, name, name in ranged)]
    for name in idle:
        inertia = model.dof_M0[model.joint(name).dofadr[0]]
        servo = spec.add_actuator(name=f"{name}_servo", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=inertia * _SERVO_FREQUENCY**2, dampratio=1.0)
        spec.joint(name).stiffness = np.zeros_like(spec.joint(name).stiffness)  # the servo replaces a spring
    if idle:
        for body in np.flatnonzero(arm):
            spec.bodies[body].gravcomp = 1.0


def is_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether an actuator, given its number, is a position servo."""
    gain, bias = model.actuator_gainprm[actuator], model.actuator_biasprm[actuator]
    return bool(gain[0] > 0 and bias[0] == 0 and bias[1] == -gain[0])


def label(model: mujoco.MjModel, actuator: int) -> str:
    """An actuator in messages: its name, or without one its number and what it drives."""
    if model.actuator(actuator).name:
        return repr(model.actuator(actuator).name)
    kind = _DRIVEN.get(int(model.actuator_trntype[actuator]), mujoco.mjtObj.mjOBJ_SITE)
    target = mujoco.mj_id2name(model, kind, model.actuator_trnid[actuator, 0])
    return f"number {actuator} (unnamed, on the {kind.name.removeprefix('mjOBJ_').lower()} {target!r})"


def _is_driven(model: mujoco.MjModel, name: str, ranged: bool) -> bool:
    """Whether a position servo drives this joint; False if it has no actuator.

    Raises:
        UserError: the joint is not a hinge with a range, or another kind of actuator drives it.
    """
    joint = model.joint(name)
    if joint.type[0] != mujoco.mjtJoint.mjJNT_HINGE or not (ranged or model.jnt_limited[joint.id]):
        raise UserError(
            f"got joint {name!r}, expected a hinge with a range, so that its angle can be normalized; "
            'give it one by joint_ranges (--joint-ranges), or write type="hinge" range="LOWER UPPER" limited="true" in the MJCF'
        )
    actuators = actuators_of(model, joint.id)
    if not len(actuators):
        return False
    first = int(actuators[0])
    if len(actuators) > 1 or not is_servo(model, first) or model.actuator_gear[first, 0] != 1:
        labels = " and ".join(label(model, i) for i in actuators)
        raise UserError(
            f"joint {name!r} is driven by the actuator {labels}, expected one position servo with gear 1, or no actuator; "
            "give new_servos=True (--new-servos): a servo takes its place; or write <position joint=...> in the MJCF"
        )
    return True


def check_names(kind: str, wanted: Sequence[str], available: Sequence[str]) -> None:
    """Raises a UserError that lists the available names, unless all wanted names are among them."""
    named = [name for name in available if name]
    unknown = [name for name in wanted if name not in named]
    if unknown or not wanted:
        raise UserError(f"got the {kind} names {list(wanted)}, of which {unknown} are unknown; available: {named}")
