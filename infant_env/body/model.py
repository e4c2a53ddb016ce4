"""`ArmModel`: a compiled body with an arm, either the infant or a user's MJCF file."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any, TypeVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .built_in.table import BODIES
from .contacts import counting_pairs
from .description import Body
from .mjcf import actuators_of, add_hand_site, add_missing_servos, check_names, geoms_below

_Number = TypeVar("_Number", bound=np.generic)

PENETRATION_LIMIT = 0.005
"""Depth in metres up to which a contact counts as touch; a pose with a deeper contact is not valid."""

_MOST_DRAWS = 10_000
"""A search for a valid pose draws at most this many; four in five of the infant's poses are valid."""

_POSES = 60
"""Number of random poses that tell which geoms always touch."""


@dataclass(frozen=True, eq=False)
class ArmModel:
    """A body with an arm: the compiled model, and where in it the arm's joints, servos, geoms and cameras are."""

    model: mujoco.MjModel
    joint_names: tuple[str, ...]
    """The arm's J joints, in the order of every joint vector."""
    joint_ranges: NDArray[np.float64]
    """Lower and upper ends, shape (J, 2), rad."""
    qpos_ids: NDArray[np.int64]
    """Where the joints' angles lie in `data.qpos`, shape (J,)."""
    dof_ids: NDArray[np.int64]
    """Where the joints' velocities lie in `data.qvel`, shape (J,)."""
    actuator_ids: NDArray[np.int64]
    """Where the servos' targets lie in `data.ctrl`, shape (J,)."""
    eye_camera: str
    """Name of the eye's camera."""
    outside_camera: str | int
    """Name of the camera that shows the body from outside; -1: MuJoCo's free camera."""
    arm_geoms: NDArray[np.bool_]
    """Mask of the arm's geoms, shape (ngeom,)."""
    hand_geoms: NDArray[np.bool_]
    """Mask of the hand's geoms, a part of the arm's, shape (ngeom,)."""
    hand_site: str
    """Name of the site that marks the hand's position."""
    fingerprint: str
    """SHA-256 of the body's MJCF text, hexadecimal; a data set records it."""
    body: Body
    """The body's description: `ArmModel.of(arm.body)` makes it again."""

    @classmethod
    def of(cls, body: Body | Mapping[str, Any]) -> "ArmModel":
        """Makes a body from its description, or from the dictionary that `Body.as_dict` returned.

        Raises:
            UserError: see `Body`, `infant` and `from_mjcf`.
        """
        body = body if isinstance(body, Body) else Body.from_dict(body)
        if body.mjcf is None:
            return _built_in(body)
        names = body.joints, body.eye_camera, body.arm_bodies, body.hand_bodies or None
        return cls.from_mjcf(body.mjcf, *names, outside_camera=body.outside_camera)

    @classmethod
    def infant(cls, age_months: float = 12.0) -> "ArmModel":
        """The simulated infant.

        Args:
            age_months: 1 to 24; sets sizes, masses and strength.

        Raises:
            UserError: the age is not between 1 and 24 months.
        """
        return _built_in(Body(age_months))

    @classmethod
    def from_mjcf(
        cls,
        path: str | PathLike[str],
        joints: Sequence[str],
        eye_camera: str,
        arm_bodies: Sequence[str],
        hand_bodies: Sequence[str] | None = None,
        outside_camera: str | None = None,
    ) -> "ArmModel":
        """Any other body, read from an MJCF file.

        Three things are changed. Joints without an actuator get a critically damped position servo, and then the arm's
        weight is compensated. The hand gets a site at the center of its geoms. The dense Jacobian is set, because MuJoCo
        4.0.0 computes wrong accelerations with the sparse one.

        Args:
            path: the MJCF file.
            joints: names of the arm's hinges, from the trunk outwards; they must have ranges.
            eye_camera: name of the eye's camera.
            arm_bodies: names of the arm's bodies; their descendants belong to the arm too.
            hand_bodies: names of the hand's bodies, with their descendants; by default the last of `arm_bodies`.
            outside_camera: name of the camera that shows the body from outside; by default MuJoCo's free camera.

        Raises:
            UserError: the file cannot be read, a name is unknown, a joint is not a hinge or has no range, an actuator is
                not a position servo, or the hand is not part of the arm.
        """
        try:
            spec = mujoco.MjSpec.from_file(str(path))
            spec.compile()
        except ValueError as error:
            raise UserError(f"{path} cannot be read as MJCF: {' '.join(str(error).split())}") from error
        arm_bodies, hand_bodies = list(arm_bodies), list(hand_bodies or arm_bodies[-1:])
        check_names("joint", joints, [j.name for j in spec.joints])
        cameras = [eye_camera] if outside_camera is None else [eye_camera, outside_camera]
        check_names("camera", cameras, [c.name for c in spec.cameras])
        check_names("body", [*arm_bodies, *hand_bodies], [b.name for b in spec.bodies])
        add_missing_servos(spec, joints, arm_bodies)
        body = Body(
            mjcf=str(path),
            joints=tuple(joints),
            eye_camera=eye_camera,
            arm_bodies=tuple(arm_bodies),
            hand_bodies=tuple(hand_bodies),
            outside_camera=outside_camera,
        )
        return _read(spec, body, tuple(joints), eye_camera, outside_camera or -1, arm_bodies, hand_bodies)

    def pose(self, data: mujoco.MjData, joints: NDArray[np.floating]) -> None:
        """Resets the simulation and puts the arm at rest into a pose that its servos hold.

        Args:
            data: reset and changed in place.
            joints: angles, shape (J,), rad.
        """
        self._rest(data, joints)
        mujoco.mj_forward(self.model, data)

    def place(self, data: mujoco.MjData, joints: NDArray[np.floating]) -> None:
        """Like `pose`, but faster: it computes only positions and contacts."""
        self._rest(data, joints)
        mujoco.mj_fwdPosition(self.model, data)

    def _rest(self, data: mujoco.MjData, joints: NDArray[np.floating]) -> None:
        mujoco.mj_resetData(self.model, data)
        data.qpos[self.qpos_ids] = joints
        data.ctrl[self.actuator_ids] = joints

    def any_pose(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Draws a pose uniformly over the joint ranges, shape (J,), rad; it need not be valid."""
        return self.denormalize(random.random(len(self.joint_names)))

    def valid_pose(self, data: mujoco.MjData, random: np.random.Generator) -> NDArray[np.float64]:
        """Draws poses uniformly over the joint ranges until one is valid.

        Args:
            data: a simulation whose arm is moved, see `is_valid`.
            random: random numbers.

        Returns:
            Angles, shape (J,), rad.

        Raises:
            UserError: 10,000 poses in a row were not valid.
        """
        for _ in range(_MOST_DRAWS):
            joints = self.any_pose(random)
            if self.is_valid(data, joints):
                return joints
        raise UserError(
            f"got {_MOST_DRAWS} poses in a row in which the arm is more than {1e3 * PENETRATION_LIMIT:g} mm deep in another "
            "geom, expected at least one valid pose; remove the obstacle from the MJCF, or narrow the joints' ranges"
        )

    def is_valid(self, data: mujoco.MjData, joints: NDArray[np.floating]) -> bool:
        """Whether the arm penetrates the body by no more than 5 mm in a pose.

        Args:
            data: a simulation; its arm is moved, and only positions and contacts are computed.
            joints: angles, shape (J,), rad.
        """
        data.qpos[self.qpos_ids] = joints
        mujoco.mj_kinematics(self.model, data)
        mujoco.mj_collision(self.model, data)
        return self.penetration(data) <= PENETRATION_LIMIT

    def hand_position(self, data: mujoco.MjData) -> NDArray[np.float64]:
        """The hand's position in the world, shape (3,), m."""
        return np.array(data.site(self.hand_site).xpos)

    def penetration(self, data: mujoco.MjData) -> float:
        """Depth of the arm's deepest contact, m; 0 without contact.

        Contacts within the hand, and those that the body's shapes cause in every pose, do not count.
        """
        if not data.ncon:
            return 0.0
        first, second = data.contact.geom.T  # (ncon,) each
        return float(-data.contact.dist[self._counts[first, second]].min(initial=0.0))

    @cached_property
    def _counts(self) -> NDArray[np.bool_]:
        """The pairs of geoms whose contacts count, see `counting_pairs`."""
        poses = self._random_poses(np.random.default_rng(0))
        return _read_only(counting_pairs(self.model, self.arm_geoms, self.hand_geoms, poses, PENETRATION_LIMIT))

    def _random_poses(self, random: np.random.Generator) -> Iterator[mujoco.MjData]:
        data = mujoco.MjData(self.model)
        for _ in range(_POSES):
            self.place(data, self.any_pose(random))
            yield data

    def normalize(self, joints: NDArray[np.floating]) -> NDArray[np.float64]:
        """Angles in rad -> [0, 1] over the joint range, shape (..., J)."""
        low, high = self.joint_ranges.T
        return np.asarray((joints - low) / (high - low))

    def denormalize(self, normalized: NDArray[np.floating]) -> NDArray[np.float64]:
        """[0, 1] over the joint range -> angles in rad, shape (..., J)."""
        low, high = self.joint_ranges.T
        return np.asarray(low + normalized * (high - low))


def _built_in(body: Body) -> ArmModel:
    """Makes a built-in body.

    Raises:
        UserError: its name is unknown, or its age is out of range.
    """
    if body.name not in BODIES:
        raise UserError(f"got the body {body.name!r}, expected one of {list(BODIES)}, or an MJCF file")
    entry = BODIES[body.name]
    spec = entry.build(body.age_months)
    return _read(spec, body, entry.joints, entry.eye_camera, entry.outside_camera, entry.arm_bodies, entry.hand_bodies)


def _read(
    spec: mujoco.MjSpec,
    body: Body,
    joints: tuple[str, ...],
    eye_camera: str,
    outside_camera: str | int,
    arm_bodies: Sequence[str],
    hand_bodies: Sequence[str],
) -> ArmModel:
    """Compiles the body and looks up its joints, servos and geoms by name."""
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    model = spec.compile()
    arm, hand = geoms_below(model, arm_bodies), geoms_below(model, hand_bodies)
    if not hand.any() or not arm[hand].all():
        raise UserError(
            f"got the hand {list(hand_bodies)} and the arm {list(arm_bodies)}, expected a hand that has geoms and "
            "belongs to the arm; add an ancestor of the hand to arm_bodies"
        )
    site = add_hand_site(spec, model, hand, hand_bodies[0])
    model = spec.compile()
    hinges = [model.joint(name) for name in joints]
    return ArmModel(
        model=model,
        joint_names=joints,
        joint_ranges=_read_only(np.array([j.range for j in hinges])),  # (J, 2)
        qpos_ids=_read_only(np.array([j.qposadr[0] for j in hinges])),
        dof_ids=_read_only(np.array([j.dofadr[0] for j in hinges])),
        actuator_ids=_read_only(np.array([actuators_of(model, j.id)[0] for j in hinges])),
        eye_camera=eye_camera,
        outside_camera=outside_camera,
        arm_geoms=_read_only(arm),
        hand_geoms=_read_only(hand),
        hand_site=site,
        fingerprint=hashlib.sha256(spec.to_xml().encode()).hexdigest(),
        body=body,
    )


def _read_only(array: NDArray[_Number]) -> NDArray[_Number]:
    """Makes the array read-only and returns it."""
    array.flags.writeable = False
    return array
