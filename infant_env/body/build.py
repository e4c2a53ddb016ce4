"""Builds bodies: compiles them, and finds the arm's joints, servos, geoms and cameras in them."""

from collections.abc import Sequence
from typing import Any, TypeVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .built_in.table import BODIES, BuiltIn
from .changes.apply import apply, rods
from .description import Body
from .mjcf import SITE, actuators_of, add_fovea, add_hand_site, add_missing_servos, bodies_below, check_names, load
from .places import Hand
from .raw.mjcf_files import MjcfFiles
from .rest import Rest, lock_others, narrow, rest_of, take_actuators
from .tree import check_tree

_Number = TypeVar("_Number", bound=np.generic)


def built_in(body: Body) -> dict[str, Any]:
    """The fields of the `ArmModel` of a built-in body.

    Raises:
        UserError: its name is unknown, its age is out of range, it has no left eye, no gaze, or not these arms, or it cannot be
            changed so.
    """
    if body.name not in BODIES:
        raise UserError(f"got the body {body.name!r}, expected one of {list(BODIES)}, or an MJCF file")
    entry = _with_arms(body, BODIES[body.name])
    spec = entry.build(body.age_months)
    apply(spec, body.change, entry.joints)
    left, gaze = _left_eye(spec, body, entry), _gaze(spec, body, entry)
    model = spec.compile()
    arm, rest = _numbers(model, entry.arm_bodies), rest_of(model, None, {}, ())
    sides = ("right", "left") if body.arms == "both" else (body.arms,)
    parts = entry.hand_bodies, entry.left_hand_bodies
    hands = {side: _numbers(model, names) for side, names in zip(sides, parts, strict=False)}
    cameras = left if left and body.eyes == "left" else entry.eye_camera, entry.outside_camera
    found = _finished(spec, model, body, entry.joints, cameras, arm, hands, rest)
    return found | {"left_eye_camera": left if body.eyes == "both" else None, "gaze_joints": gaze}


def _with_arms(body: Body, entry: BuiltIn) -> BuiltIn:
    """The built-in body with the arms that the description names."""
    if entry.with_arms is not None:
        return entry.with_arms(body.arms, body.wrist)
    if body.arms != "right" or body.wrist:
        given = f"wrist={body.wrist}" if body.arms == "right" else f"arms={body.arms!r}"
        raise UserError(
            f"got {given} of the body {body.name!r}, expected none: this body has one arm, which always moves"
        )
    return entry


def _gaze(spec: mujoco.MjSpec, body: Body, entry: BuiltIn) -> tuple[str, ...]:
    """The names of the joints that turn the gaze, which are added if the body uses them."""
    if body.gaze == "held":
        return ()
    if entry.add_gaze is None:
        raise UserError(f'got gaze={body.gaze!r} of the body {body.name!r}, expected "held": its eye is fixed')
    return entry.add_gaze(spec, body.gaze)


def _left_eye(spec: mujoco.MjSpec, body: Body, entry: BuiltIn) -> str | None:
    """The name of the left eye's camera, which is added if the body uses it."""
    if body.eyes == "right":
        return None
    if entry.add_left_eye is None:
        raise UserError(f'got eyes={body.eyes!r} of the body {body.name!r}, expected "right": this body has one eye')
    return entry.add_left_eye(spec, body.age_months)


def another(body: Body, tested: bool, files: MjcfFiles | None = None) -> dict[str, Any]:
    """The fields of the `ArmModel` of an MJCF file's body.

    Args:
        body: the description.
        tested: whether the checks against the tree of bodies are left out.
        files: the content of the MJCF file, if it was read already.

    Raises:
        UserError: see `ArmModel.from_mjcf`.
    """
    assert body.mjcf is not None
    spec, model = load(body.mjcf, files)
    _check_names(model, body)
    moved = [int(model.joint(name).bodyid[0]) for name in body.joints]
    arm = _numbers(model, body.arm_bodies) or moved[:1]
    hand = _numbers(model, body.hand_bodies) or (arm[-1:] if body.arm_bodies else moved[-1:])
    if not tested:
        check_tree(model, body, arm, hand)
    rest = rest_of(model, body.keyframe, body.rest_pose, body.joints)
    if body.new_servos:
        kept = take_actuators(spec, model, body.joints)
        model, rest = spec.compile(), Rest(rest.qpos, rest.ctrl[kept])
    narrow(spec, model, body.joint_ranges)
    add_missing_servos(spec, model, body.joints, bodies_below(model, arm), body.joint_ranges)
    return _finished(
        spec, model, body, body.joints, (body.eye_camera, body.outside_camera or -1), arm, {"hand": hand}, rest
    )


def _check_names(model: mujoco.MjModel, body: Body) -> None:
    """Raises a UserError if the body has no parts of these names."""
    cameras = [body.eye_camera] if body.outside_camera is None else [body.eye_camera, body.outside_camera]
    check_names("joint", body.joints, [model.joint(i).name for i in range(model.njnt)])
    check_names("camera", cameras, [model.camera(i).name for i in range(model.ncam)])
    if body.arm_bodies or body.hand_bodies:
        check_names("body", body.arm_bodies + body.hand_bodies, [model.body(i).name for i in range(model.nbody)])
    if body.joint_ranges:
        check_names("joint", list(body.joint_ranges), body.joints)


def _numbers(model: mujoco.MjModel, bodies: Sequence[str]) -> list[int]:
    return [model.body(name).id for name in bodies]


def _finished(
    spec: mujoco.MjSpec,
    model: mujoco.MjModel,
    body: Body,
    joints: tuple[str, ...],
    cameras: tuple[str, str | int],
    arm_bodies: list[int],
    hands: dict[str, list[int]],
    rest: Rest,
) -> dict[str, Any]:
    """Adds the hands' sites, compiles the body again, and looks up its joints, servos and geoms."""
    arm = bodies_below(model, arm_bodies)[model.geom_bodyid]
    geoms = {side: bodies_below(model, bodies)[model.geom_bodyid] for side, bodies in hands.items()}
    if body.change.rod is not None:
        geoms = {side: hand & ~rods(model) for side, hand in geoms.items()}
    if not all(hand.any() and arm[hand].all() for hand in geoms.values()):
        named = [[model.body(b).name for b in bodies] for bodies in (hands.popitem()[1], arm_bodies)]
        raise UserError(
            f"got the hand {named[0]} and the arm {named[1]}, expected a hand that has geoms and belongs to the arm; "
            "choose another body with hand_bodies, or add an ancestor of the hand to arm_bodies"
        )
    first = next(iter(hands))
    sites = {
        side: add_hand_site(spec, model, rest.qpos, geoms[side], bodies[0], SITE if side == first else f"{side}_{SITE}")
        for side, bodies in hands.items()
    }
    ctrl = rest.ctrl[lock_others(spec, model, rest.qpos, joints)] if body.hold_others else rest.ctrl
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    fovea = add_fovea(spec, model, cameras[0]) if body.fovea else None
    try:
        model = spec.compile()
    except ValueError as error:
        raise UserError(
            f"{body.mjcf} cannot be completed by servos and a hand: {' '.join(str(error).split())}"
        ) from error
    qpos = model.qpos0.copy() if body.hold_others else rest.qpos
    ctrl = np.append(ctrl, np.zeros(model.nu - len(ctrl)))  # of the added servos
    hinges = [model.joint(name) for name in joints]
    return {
        "model": model,
        "joint_names": joints,
        "joint_ranges": _read_only(np.array([j.range for j in hinges])),  # (J, 2)
        "qpos_ids": _read_only(np.array([j.qposadr[0] for j in hinges])),
        "dof_ids": _read_only(np.array([j.dofadr[0] for j in hinges])),
        "actuator_ids": _read_only(np.array([actuators_of(model, j.id)[0] for j in hinges])),
        "eye_camera": cameras[0],
        "fovea_camera": fovea,
        "outside_camera": cameras[1],
        "arm_geoms": _read_only(arm),
        "hand_geoms": _read_only(geoms[first]),
        "hand_site": sites[first],
        "hands": {side: Hand.of(model, sites[side], geoms[side], joints) for side in hands},
        "rest": Rest(_read_only(qpos), _read_only(ctrl)),
        "body": body,
        "spec": spec,
    }


def _read_only(array: NDArray[_Number]) -> NDArray[_Number]:
    """Makes the array read-only and returns it."""
    array.flags.writeable = False
    return array
