"""Changes a built-in body that is not compiled yet."""

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from ...given import shown
from .change import SEGMENTS, SIDES, BodyChange

_ROD_RADIUS, _ROD_COLOR = 0.006, (0.72, 0.50, 0.28, 1.0)

# A locked joint is held by a stiff spring with much inertia. MuJoCo's soft equality constraint would give way by a degree
# under the joint's own servo; 20 N m turn this spring by .001 degrees. It also leaves the sizes of the model as they are,
# so that infants with and without it are simulated together.
_LOCK_INERTIA, _LOCK_STIFFNESS = 1e4, 1e6  # kg m^2, N m/rad
_LOCK_DAMPING = 2 * (_LOCK_INERTIA * _LOCK_STIFFNESS) ** 0.5  # critical, N m s/rad
_LEAST_TORQUE = 1e-6  # N m; MuJoCo has no limit of 0


def apply(spec: mujoco.MjSpec, change: BodyChange, joints: Sequence[str]) -> None:
    """Changes lengths, adds rods, and locks and weakens joints.

    Args:
        spec: the body; it is changed.
        change: the change.
        joints: names of the joints of the arms that move.

    Raises:
        UserError: a joint or an arm is unknown, or an angle is out of its joint's range.
    """
    if any(getattr(change, segment) != 1 for segment in SEGMENTS):
        for side in sides(spec, change, joints):
            for segment in SEGMENTS:
                _stretch(spec.body(f"{side}_{segment}"), getattr(change, segment))
    if change.rod is not None:
        for side in sides(spec, change, joints):
            _add_rod(spec.body(f"{side}_hand"), side, *change.rod)
    for option in ("locked", "weak"):
        unknown = [name for name in getattr(change, option) if name not in joints]
        if unknown:
            raise UserError(f"got {option} joints {shown(unknown)}, expected names among {list(joints)}")
    for name, angle in change.locked.items():
        _lock(spec.joint(name), angle)
    for name, share in change.weak.items():
        torque = max(share * spec.joint(name).actfrcrange[1], _LEAST_TORQUE)
        spec.joint(name).actfrcrange = [-torque, torque]


def sides(spec: mujoco.MjSpec, change: BodyChange, joints: Sequence[str]) -> list[str]:
    """The sides of the arms that change.

    Raises:
        UserError: this arm does not move, or the body has none of the infant's arms.
    """
    parts = {body.name for body in spec.bodies}
    moving = [
        side
        for side in SIDES
        if any(name.startswith(f"{side}_") for name in joints) and {f"{side}_{part}" for part in SEGMENTS} <= parts
    ]
    if change.side is None and moving:
        return moving
    if change.side not in moving:
        raise UserError(f"got a change of side={change.side!r}, expected an arm that moves, here {moving}")
    return [change.side]


def _add_rod(hand: mujoco.MjsBody, side: str, length: float, mass: float) -> None:
    """Adds a solid rod along the fingers, and a site at its tip; it begins where `ArmModel.hand_site` will be."""
    palm = np.mean([_center(geom) for geom in hand.geoms], axis=0)
    end = palm - [0, 0, length]
    kind = mujoco.mjtGeom.mjGEOM_CAPSULE
    thickness = [_ROD_RADIUS, 0, 0]
    hand.add_geom(name=rod(side), type=kind, fromto=[*palm, *end], size=thickness, rgba=_ROD_COLOR, mass=mass)
    hand.add_site(name=rod_tip(side), pos=end, size=[0.004] * 3, group=4)


def _center(geom: mujoco.MjsGeom) -> NDArray[np.float64]:
    return np.asarray(geom.fromto.reshape(2, 3).mean(axis=0) if np.isfinite(geom.fromto).all() else geom.pos)


def rods(model: mujoco.MjModel) -> NDArray[np.bool_]:
    """Mask of the geoms that are rods, shape (ngeom,)."""
    return np.array([model.geom(number).name in map(rod, SIDES) for number in range(model.ngeom)], bool)


def rod(side: str) -> str:
    """Name of the geom of a hand's rod."""
    return f"{side}_rod"


def rod_tip(side: str) -> str:
    """Name of the site at the tip of a hand's rod."""
    return f"{side}_rod_tip"


def _stretch(body: mujoco.MjsBody, factor: float) -> None:
    """Stretches a segment along its z axis, on which the next segment lies."""
    for shape in [*body.geoms, *body.sites]:
        if np.isfinite(shape.fromto).all():
            shape.fromto = shape.fromto * [1, 1, factor, 1, 1, factor]
        else:
            shape.pos = shape.pos * [1, 1, factor]
            shape.size = shape.size * [1, 1, factor]
    for geom in body.geoms:
        geom.mass *= factor
    for child in body.bodies:
        child.pos = child.pos * [1, 1, factor]


def _lock(joint: mujoco.MjsJoint, angle: float) -> None:
    low, high = joint.range
    if not low <= angle <= high:
        raise UserError(
            f"got the joint {joint.name!r} locked at {angle:g} rad, expected an angle within its range, {low:.3g} to {high:.3g}"
        )
    joint.armature, joint.springref = _LOCK_INERTIA, angle
    joint.stiffness = np.array([_LOCK_STIFFNESS, *np.zeros(np.size(joint.stiffness) - 1)])
    joint.damping = np.array([_LOCK_DAMPING, *np.zeros(np.size(joint.damping) - 1)])
