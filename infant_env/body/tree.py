"""Checks of another body's named parts against its tree of bodies; each error is one line."""

from collections import Counter
from collections.abc import Sequence

import mujoco
import numpy as np

from ..errors import UserError
from .description import Body
from .mjcf import bodies_below

_FOLLOWS_CENTER = (mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM.value, mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODYCOM.value)


def check_tree(model: mujoco.MjModel, body: Body, arm_bodies: Sequence[int], hand_bodies: Sequence[int]) -> None:
    """Checks that the joints, the arm, the hand and the eye of a body fit together.

    Args:
        model: the body as it was compiled.
        body: its description.
        arm_bodies: numbers of the arm's bodies.
        hand_bodies: numbers of the hand's bodies.

    Raises:
        UserError: a name is given twice, the joints are not in order, a joint does not move the hand, the arm lacks what its
            joints move or is the whole world, a free joint carries the arm or the eye, or the arm moves the eye.
    """
    _check_once(body)
    if 0 in arm_bodies:
        raise UserError(f"got arm_bodies with the world, expected the arm's own bodies; {_default(body)}")
    _check_order(model, body, hand_bodies[0])
    _check_arm(model, body, arm_bodies)
    if not body.hold_others:
        _check_base(model, body)
    _check_eye(model, body)


def _check_once(body: Body) -> None:
    for kind, names in (("joints", body.joints), ("arm_bodies", body.arm_bodies), ("hand_bodies", body.hand_bodies)):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise UserError(f"got {kind} with {twice} more than once, expected each name once; leave out the others")


def _check_order(model: mujoco.MjModel, body: Body, hand: int) -> None:
    order = sorted(body.joints, key=lambda name: model.joint(name).id)  # a parent's joints come before its children's
    if list(body.joints) != order:
        raise UserError(f"got the joints {list(body.joints)}, expected them from the trunk outwards; write {order}")
    path = _up(model, hand)
    for name in body.joints:
        if model.joint(name).bodyid[0] not in path:
            last = _name(model, int(model.joint(order[-1]).bodyid[0]))
            raise UserError(
                f"got the joint {name!r}, which does not move the hand {_name(model, hand)}, expected joints between the trunk "
                f"and the hand; leave it out, or name a hand that all joints move, such as hand_bodies=[{last}]"
            )


def _check_arm(model: mujoco.MjModel, body: Body, arm_bodies: Sequence[int]) -> None:
    arm, first = bodies_below(model, arm_bodies), int(model.joint(body.joints[0]).bodyid[0])
    if not arm[first]:
        raise UserError(
            f"got arm_bodies {list(body.arm_bodies)} without {_name(model, first)}, which the joint {body.joints[0]!r} moves, "
            f"expected all that the joints move; {_default(body)}"
        )


def _default(body: Body) -> str:
    return f"leave out arm_bodies, then the arm is all that the joint {body.joints[0]!r} moves"


def _check_base(model: mujoco.MjModel, body: Body) -> None:
    carried = {"arm": int(model.joint(body.joints[0]).bodyid[0]), "eye": int(model.camera(body.eye_camera).bodyid[0])}
    for what, part in carried.items():
        free = [b for b in _up(model, part) if _is_free(model, b)]
        if free:
            raise UserError(
                f"got a body whose {what} hangs on {_name(model, free[0])}, which a free joint lets fall, expected a fixed base; "
                "remove the free joint from the MJCF, or lock it by hold_others=True (--hold-others)"
            )


def _check_eye(model: mujoco.MjModel, body: Body) -> None:
    camera = model.camera(body.eye_camera)
    arm = bodies_below(model, [int(model.joint(body.joints[0]).bodyid[0])])
    if camera.mode[0] in _FOLLOWS_CENTER:  # the center of mass of all that carries the arm moves with it
        arm[_up(model, int(np.flatnonzero(arm)[0]))] = True
    target = int(camera.targetbodyid[0])
    if arm[camera.bodyid[0]] or (target >= 0 and arm[target]):
        raise UserError(
            f"got the eye {body.eye_camera!r}, which moves with the arm, expected a camera that the arm does not move; "
            f"choose another of {[c for c in _cameras(model) if c != body.eye_camera]}, or add one to the MJCF"
        )


def _up(model: mujoco.MjModel, body: int) -> list[int]:
    """A body and all that carry it, without the world."""
    path = []
    while body:
        path.append(body)
        body = int(model.body_parentid[body])
    return path


def _is_free(model: mujoco.MjModel, body: int) -> bool:
    joints = slice(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body])
    return bool(model.body_jntnum[body] and (model.jnt_type[joints] == mujoco.mjtJoint.mjJNT_FREE).any())


def _cameras(model: mujoco.MjModel) -> list[str]:
    return [model.camera(i).name for i in range(model.ncam)]


def _name(model: mujoco.MjModel, body: int) -> str:
    return repr(model.body(body).name) if model.body(body).name else f"the unnamed body number {body}"
