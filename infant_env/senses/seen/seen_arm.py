"""Puts another arm into a scene before it is drawn, in the place of the infant's own."""

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ...body.model import ArmModel
from ...errors import UserError
from ...given import shown
from .seen import Seen

_GEOM = mujoco.mjtObj.mjOBJ_GEOM
_MIRRORED = {
    kind.value
    for kind in (
        mujoco.mjtGeom.mjGEOM_SPHERE,
        mujoco.mjtGeom.mjGEOM_CAPSULE,
        mujoco.mjtGeom.mjGEOM_ELLIPSOID,
        mujoco.mjtGeom.mjGEOM_CYLINDER,
        mujoco.mjtGeom.mjGEOM_BOX,
    )
}
"""Shapes that are their own mirror images."""
_COPIED = (
    "type", "dataid", "matid", "texcoord", "emission", "specular", "shininess", "reflectance",
)  # fmt: skip
_ARRAYS = "size", "rgba"
_AWAY = np.array([0.0, 0.0, -1e6])  # where no camera sees it, m
_OPTION = mujoco.MjvOption()

Floats = NDArray[np.float64]


class SeenArm:
    """What is seen in the place of an arm.

    Args:
        arm: the infant's body.
        seen: how it sees its arm.

    Raises:
        UserError: a joint is unknown, the other body has other joints or meshes, or an arm with meshes is to be mirrored.
    """

    def __init__(self, arm: ArmModel, seen: Seen) -> None:
        self.seen, self._arm = seen, arm
        self._other = arm if seen.body is None else ArmModel.of(arm.body.changed(seen.body))
        self._joints, self._offsets = (_by_place(arm, name, getattr(seen, name)) for name in ("joints", "offsets"))
        _check_shapes(self._other, seen, self._other is arm)
        self._posed = bool(self._other is not arm or self._joints or self._offsets)
        self._data = self._other.new_data()
        self._scene = None if self._other is arm else mujoco.MjvScene(self._other.model, self._other.model.ngeom + 100)
        self._shoulder, self._own_shoulder = _root(self._other), _root(arm)

    def __reduce__(self) -> tuple[Any, ...]:
        return SeenArm, (self._arm, self.seen)

    def on(self, arm: ArmModel) -> "SeenArm":
        """The same for another body of the infant."""
        return SeenArm(arm, self.seen)

    def show(self, scene: mujoco.MjvScene, data: mujoco.MjData, late: mujoco.MjData, camera: mujoco.MjvCamera) -> None:
        """Puts the seen arm into a scene.

        Args:
            scene: the scene of the infant's own body; it is changed.
            data: the simulation that the scene shows, with positions.
            late: the simulation in the moment in which the arm is seen, with positions.
            camera: the eye's camera.
        """
        own = _geoms_of(scene, self._arm)
        then = self._pose(late) if self._posed else late
        if self._scene is None:
            others = own
        else:
            mujoco.mjv_updateScene(
                self._other.model, then, _OPTION, None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, self._scene
            )
            others = _geoms_of(self._scene, self._other)
        ids = np.array([geom.objid for geom in others], int)
        places, turns = then.geom_xpos[ids], then.geom_xmat[ids].reshape(-1, 3, 3)
        places, turns = self._moved(places, turns, ids, then, late, data, camera.fixedcamid)
        if self._scene is not None:
            own = self._exchanged(scene, own, others)
        for geom, place, turn in zip(own, places, turns, strict=True):
            geom.pos[:], geom.mat[:] = place, turn
            if self.seen.color is not None:
                geom.rgba[:3] = self.seen.color

    def _pose(self, late: mujoco.MjData) -> mujoco.MjData:
        """The other body in the pose in which it is seen."""
        then, angles = self._data, self._arm.qpos_ids
        then.qpos[:] = late.qpos
        for place, angle in self._joints.items():
            then.qpos[angles[place]] = angle
        for place, angle in self._offsets.items():
            then.qpos[angles[place]] += angle
        mujoco.mj_kinematics(self._other.model, then)
        mujoco.mj_camlight(self._other.model, then)
        return then

    def _moved(
        self,
        places: Floats,
        turns: Floats,
        ids: NDArray[np.int64],
        then: mujoco.MjData,
        late: mujoco.MjData,
        data: mujoco.MjData,
        camera: int,
    ) -> tuple[Floats, Floats]:
        """Displaced places (n, 3) and orientations (n, 3, 3) of geoms; no displacement leaves all bits as they are."""
        seen = self.seen
        shoulders = then.xpos[self._shoulder[ids]]
        if self._other is not self._arm:
            own = np.unique(self._own_shoulder[self._own_shoulder > 0])
            own = late.xpos[own[np.unique(self._shoulder[ids], return_inverse=True)[1]]]
            places, shoulders = places + (own - shoulders), own
        if seen.turn and seen.about == "shoulder":
            places, turns = turned(places, turns, shoulders, seen.turn)
        if any(seen.shift):
            places = places + np.array(seen.shift)
        if seen.turn and seen.about == "eye":
            places, turns = turned(places, turns, data.cam_xpos[camera], seen.turn)
        if seen.mirror:
            places, turns = mirrored(places, turns, data.cam_xpos[camera], data.cam_xmat[camera].reshape(3, 3)[:, 0])
        return places, turns

    def _exchanged(self, scene: mujoco.MjvScene, own: list[Any], others: list[Any]) -> list[Any]:
        """Gives the scene the other arm's shapes, and returns them, (n,); the own ones that are left over are not drawn."""
        while len(own) < len(others):
            added = scene.geoms[scene.ngeom]
            mujoco.mjv_initGeom(
                added, mujoco.mjtGeom.mjGEOM_SPHERE, np.ones(3), np.zeros(3), np.eye(3).ravel(), np.ones(4)
            )
            added.segid, added.objtype, added.category = scene.ngeom, _GEOM.value, own[0].category
            scene.ngeom += 1
            own.append(added)
        for geom in own[len(others) :]:
            geom.pos[:] = _AWAY
        rest = int(np.flatnonzero(self._arm.arm_geoms)[0])
        hands = {side: int(np.flatnonzero(hand.geoms)[0]) for side, hand in self._arm.hands.items()}
        for geom, other in zip(own, others, strict=False):
            for name in _COPIED:
                setattr(geom, name, getattr(other, name))
            for name in _ARRAYS:
                getattr(geom, name)[:] = getattr(other, name)
            side = next((side for side, hand in self._other.hands.items() if hand.geoms[other.objid]), None)
            geom.objid = rest if side is None else hands[side]
        return own[: len(others)]


def turned(places: Floats, turns: Floats, center: Floats, degrees: float) -> tuple[Floats, Floats]:
    """Geoms turned to the left about a vertical axis through a point (3,), or points (n, 3)."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return center + (places - center) @ turn.T, turn @ turns


def mirrored(places: Floats, turns: Floats, center: Floats, axis: Floats) -> tuple[Floats, Floats]:
    """Geoms mirrored at the plane through a point (3,), at a right angle to an axis (3,).

    A mirrored rotation is none. The shapes are their own mirror images, so exchanging one of their directions mends that.
    """
    mirror = np.eye(3) - 2 * np.outer(axis, axis)
    return center + (places - center) @ mirror, mirror @ turns * [-1, 1, 1]


def _geoms_of(scene: mujoco.MjvScene, arm: ArmModel) -> list[Any]:
    """The arm's geoms in a scene."""
    return [geom for geom in scene.geoms[: scene.ngeom] if geom.objtype == _GEOM.value and arm.arm_geoms[geom.objid]]


def _root(arm: ArmModel) -> NDArray[np.int64]:
    """The first body of the arm to which each geom belongs, shape (ngeom,); 0 for the geoms that are not the arm's."""
    model = arm.model
    bodies: NDArray[np.int64] = np.zeros(model.nbody, np.int64)
    mine = set(model.geom_bodyid[arm.arm_geoms].tolist())
    for body in range(1, model.nbody):
        parent = bodies[model.body_parentid[body]]
        bodies[body] = parent or (body if body in mine else 0)
    return np.where(arm.arm_geoms, bodies[model.geom_bodyid], 0)


def _by_place(arm: ArmModel, option: str, angles: Any) -> dict[int, float]:
    unknown = [name for name in angles if name not in arm.joint_names]
    if unknown:
        raise UserError(
            f"got a seen arm with the {option} {shown(unknown)}, expected names among {list(arm.joint_names)}"
        )
    return {arm.joint_names.index(name): angle for name, angle in angles.items()}


def _check_shapes(other: ArmModel, seen: Seen, is_own: bool) -> None:
    """Raises a UserError if the arm's shapes cannot be shown so."""
    for number in np.flatnonzero(other.arm_geoms) if seen.mirror or not is_own else ():
        if other.model.geom_type[number] not in _MIRRORED:
            what = "mirror=True" if seen.mirror else "another body"
            raise UserError(
                f"got a seen arm with {what}, but the arm's geom {other.model.geom(int(number)).name!r} is a mesh or has another "
                "shape that cannot be shown so, expected spheres, capsules, ellipsoids, cylinders and boxes"
            )
