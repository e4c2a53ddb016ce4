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
from .mjcf import actuators_of, add_hand_site, add_missing_servos, bodies_below, check_names, load
from .mjcf_files import MjcfFiles
from .rest import Rest, narrow, rest_of

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
    rest: Rest
    """Positions of all joints and controls of all actuators after a reset; the arm's are then set to a drawn pose."""
    body: Body
    """The body's description: `ArmModel.of(arm.body)` makes it again."""
    spec: mujoco.MjSpec | None
    """What `model` was compiled from; None in a pickled or deep-copied body."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the body's MJCF text, hexadecimal; a data set records it."""
        assert self.spec is not None
        return hashlib.sha256(self.spec.to_xml().encode()).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "fingerprint": self.fingerprint, "spec": None}

    @classmethod
    def of(cls, body: Body | Mapping[str, Any], files: MjcfFiles | None = None) -> "ArmModel":
        """Makes a body from its description, or from the dictionary that `Body.as_dict` returned.

        Args:
            body: the description.
            files: the content of its MJCF file, if it was read already; then the file itself is not read.

        Raises:
            UserError: see `Body`, `infant` and `from_mjcf`.
        """
        body = body if isinstance(body, Body) else Body.from_dict(body)
        return _built_in(body) if body.mjcf is None else _another(body, files)

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
        eye_camera: str = "eye",
        arm_bodies: Sequence[str] | None = None,
        hand_bodies: Sequence[str] | None = None,
        outside_camera: str | None = None,
        keyframe: str | None = None,
        rest_pose: Mapping[str, float] | None = None,
        joint_ranges: Mapping[str, tuple[float, float]] | None = None,
        hold_others: bool = False,
    ) -> "ArmModel":
        """Any other body, read from an MJCF file.

        Three things are changed. Joints without an actuator get a critically damped position servo, and then the arm's
        weight is compensated. The hand gets a site at the center of its geoms. The dense Jacobian is set, because MuJoCo
        4.0.0 computes wrong accelerations with the sparse one.

        A reset poses the joints that are not the arm's as `keyframe` and `rest_pose` say. Without them they are in the
        MJCF's reference pose with all controls 0, whichever keyframes the file has.

        Args:
            path: the MJCF file, or the `body.zip` of a data set.
            joints: names of the arm's hinges, from the trunk outwards; they must have ranges.
            eye_camera: name of the eye's camera.
            arm_bodies: names of the arm's bodies; their descendants belong to the arm too. By default the body that the
                first joint moves.
            hand_bodies: names of the hand's bodies, with their descendants; by default the last of `arm_bodies`, or without
                these the body that the last joint moves.
            outside_camera: name of the camera that shows the body from outside; by default MuJoCo's free camera.
            keyframe: name of a keyframe of the MJCF, for the joints that are not the arm's and for all actuators.
            rest_pose: positions of other hinges (rad) and slides (m) by name; they take precedence over the keyframe. A
                position servo of such a joint holds it there.
            joint_ranges: narrower ranges of the arm's joints by name, (lower, upper), rad.
            hold_others: whether all joints that are not the arm's are locked where a reset puts them, also free ones.

        Raises:
            UserError: the file cannot be read, a name is unknown, a joint is not a hinge or has no range, an actuator is
                not a position servo, the hand is not part of the arm, or an angle is out of range.
        """
        if not joints:
            check_names("joint", joints, [j.name for j in load(path)[0].joints])
        return _another(
            Body(
                mjcf=str(path),
                joints=tuple(joints),
                eye_camera=eye_camera,
                arm_bodies=tuple(arm_bodies or ()),
                hand_bodies=tuple(hand_bodies or ()),
                outside_camera=outside_camera,
                keyframe=keyframe,
                rest_pose=dict(rest_pose or {}),
                joint_ranges=dict(joint_ranges or {}),
                hold_others=hold_others,
            )
        )

    def new_data(self) -> mujoco.MjData:
        """A new simulation of the body, at rest."""
        data = mujoco.MjData(self.model)
        self.reset(data)
        return data

    def reset(self, data: mujoco.MjData) -> None:
        """Resets a simulation: all joints are at rest."""
        mujoco.mj_resetData(self.model, data)
        data.qpos[:], data.ctrl[:] = self.rest

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
        self.reset(data)
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
    model = spec.compile()
    arm, hand = (_numbers(model, names) for names in (entry.arm_bodies, entry.hand_bodies))
    rest = rest_of(model, None, {}, ())
    return _finished(spec, model, body, entry.joints, (entry.eye_camera, entry.outside_camera), arm, hand, rest)


def _another(body: Body, files: MjcfFiles | None = None) -> ArmModel:
    """Makes the body of an MJCF file; see `ArmModel.from_mjcf`."""
    assert body.mjcf is not None
    spec, model = load(body.mjcf, files)
    check_names("joint", body.joints, [j.name for j in spec.joints])
    cameras = [body.eye_camera] if body.outside_camera is None else [body.eye_camera, body.outside_camera]
    check_names("camera", cameras, [c.name for c in spec.cameras])
    if body.arm_bodies or body.hand_bodies:
        check_names("body", [*body.arm_bodies, *body.hand_bodies], [b.name for b in spec.bodies])
    moved = [int(model.joint(name).bodyid[0]) for name in body.joints]
    arm = _numbers(model, body.arm_bodies) or moved[:1]
    hand = _numbers(model, body.hand_bodies) or (arm[-1:] if body.arm_bodies else moved[-1:])
    rest = rest_of(model, body.keyframe, body.rest_pose, body.joints)
    if body.joint_ranges:
        check_names("joint", list(body.joint_ranges), body.joints)
        narrow(spec, model, body.joint_ranges)
    add_missing_servos(spec, model, body.joints, bodies_below(model, arm))
    return _finished(spec, model, body, body.joints, (body.eye_camera, body.outside_camera or -1), arm, hand, rest)


def _numbers(model: mujoco.MjModel, bodies: Sequence[str]) -> list[int]:
    return [model.body(name).id for name in bodies]


def _finished(
    spec: mujoco.MjSpec,
    model: mujoco.MjModel,
    body: Body,
    joints: tuple[str, ...],
    cameras: tuple[str, str | int],
    arm_bodies: list[int],
    hand_bodies: list[int],
    rest: Rest,
) -> ArmModel:
    """Adds the hand's site, compiles the body again, and looks up its joints, servos and geoms."""
    arm, hand = (bodies_below(model, bodies)[model.geom_bodyid] for bodies in (arm_bodies, hand_bodies))
    if not hand.any() or not arm[hand].all():
        named = [[model.body(b).name for b in bodies] for bodies in (hand_bodies, arm_bodies)]
        raise UserError(
            f"got the hand {named[0]} and the arm {named[1]}, expected a hand that has geoms and belongs to the arm; "
            "choose another body with hand_bodies, or add an ancestor of the hand to arm_bodies"
        )
    site = add_hand_site(spec, model, rest.qpos, hand, hand_bodies[0])
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    model = spec.compile()
    hinges = [model.joint(name) for name in joints]
    return ArmModel(
        model=model,
        joint_names=joints,
        joint_ranges=_read_only(np.array([j.range for j in hinges])),  # (J, 2)
        qpos_ids=_read_only(np.array([j.qposadr[0] for j in hinges])),
        dof_ids=_read_only(np.array([j.dofadr[0] for j in hinges])),
        actuator_ids=_read_only(np.array([actuators_of(model, j.id)[0] for j in hinges])),
        eye_camera=cameras[0],
        outside_camera=cameras[1],
        arm_geoms=_read_only(arm),
        hand_geoms=_read_only(hand),
        hand_site=site,
        rest=Rest(_read_only(rest.qpos), _read_only(np.append(rest.ctrl, np.zeros(model.nu - len(rest.ctrl))))),
        body=body,
        spec=spec,
    )


def _read_only(array: NDArray[_Number]) -> NDArray[_Number]:
    """Makes the array read-only and returns it."""
    array.flags.writeable = False
    return array
