"""`ArmModel`: a compiled body with an arm, either the infant or a user's MJCF file."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..given import shown
from .build import another, built_in
from .changes.apply import rod_tip
from .changes.change import SIDES, BodyChange
from .description import Body
from .mjcf import check_names, load
from .places import Gaze, Hand
from .raw.contacts import counting_pairs
from .raw.mjcf_files import MjcfFiles
from .rest import Rest
from .self_test import self_test

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
    """Name of the eye's camera; if both eyes see, that of the right one."""
    outside_camera: str | int
    """Name of the camera that shows the body from outside; -1: MuJoCo's free camera."""
    arm_geoms: NDArray[np.bool_]
    """Mask of the arm's geoms, or of both arms', shape (ngeom,)."""
    hand_geoms: NDArray[np.bool_]
    """Mask of the first hand's geoms, a part of the arm's, shape (ngeom,)."""
    hand_site: str
    """Name of the site that marks the first hand's position."""
    hands: Mapping[str, Hand]
    """The hands by side, "right" before "left"; that of a body from an MJCF file is "hand"."""
    rest: Rest
    """Positions of all joints and controls of all actuators after a reset; the arm's are then set to a drawn pose."""
    body: Body
    """The body's description: `ArmModel.of(arm.body)` makes it again."""
    spec: mujoco.MjSpec | None
    """What `model` was compiled from; None in a pickled or deep-copied body."""
    left_eye_camera: str | None = None
    """Name of the left eye's camera, if both eyes see."""
    gaze_joints: tuple[str, ...] = ()
    """Names of the G joints that turn the gaze; none if it is held."""
    fovea_camera: str | None = None
    """Name of the camera that shows the middle of what `eye` sees, if the body has a fovea."""

    @cached_property
    def gaze(self) -> Gaze:
        """The joints that turn the gaze."""
        return Gaze.of(self.model, self.gaze_joints)

    @property
    def eyes(self) -> dict[str, str]:
        """The cameras of the eyes and of the fovea, by the names of their frames in observations."""
        cameras = {"eye": self.eye_camera, "eye_left": self.left_eye_camera, "fovea": self.fovea_camera}
        return {name: camera for name, camera in cameras.items() if camera is not None}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the body's MJCF text, hexadecimal; a data set records it."""
        assert self.spec is not None
        return hashlib.sha256(self.spec.to_xml().encode()).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "fingerprint": self.fingerprint, "spec": None}

    @classmethod
    def of(cls, body: Body | Mapping[str, Any], tested: bool = False, files: MjcfFiles | None = None) -> "ArmModel":
        """Makes a body from its description, or from the dictionary that `Body.as_dict` returned.

        Args:
            body: the description.
            tested: whether the body of an MJCF file was made before, so that its tests can be left out.
            files: the content of its MJCF file, if it was read already; then the file itself is not read.

        Raises:
            UserError: see `Body`, `infant` and `from_mjcf`.
        """
        body = body if isinstance(body, Body) else Body.from_dict(body)
        if body.mjcf is None:
            return cls(**built_in(body))
        arm = cls(**another(body, tested, files))
        if not tested:
            self_test(arm)
        return arm

    @classmethod
    def infant(
        cls,
        age_months: float = 12.0,
        eyes: str | None = None,
        gaze: str = "held",
        fovea: bool = False,
        arms: str = "right",
        wrist: bool = False,
        change: BodyChange | Mapping[str, Any] | None = None,
    ) -> "ArmModel":
        """The simulated infant.

        Args:
            age_months: 1 to 24; sets sizes, masses and strength.
            eyes: which eyes see, "right", "left" or "both"; None: the one on the arm's side, with both arms the right one.
            gaze: what turns the gaze, "held", "eyes" or "head".
            fovea: whether a second camera shows the middle of what the eye sees.
            arms: which arms move, "right", "left" or "both".
            wrist: whether the wrists move too.
            change: how the body differs from that of its age, a `BodyChange` or its `as_dict`.

        Raises:
            UserError: the age is not between 1 and 24 months, another argument is unknown, or the body cannot be changed so.
        """
        moved: dict[str, Any] = {"gaze": gaze, "fovea": fovea, "arms": arms, "wrist": wrist}
        return cls.of(Body(age_months, eyes=eyes, **moved, change=BodyChange.of(change)))

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
        new_servos: bool = False,
    ) -> "ArmModel":
        """Any other body, read from an MJCF file.

        Three things are changed. Joints without an actuator get a critically damped position servo instead of their springs,
        and then the arm's weight is compensated. The hand gets a site at the center of its geoms. The dense Jacobian is set,
        because MuJoCo 4.0.0 computes wrong accelerations with the sparse one.

        Then the body is tested: its servos must hold four valid poses and approach others, each for 1 s, within 6 degrees.

        A reset poses the joints that are not the arm's as `keyframe` and `rest_pose` say. Without them they are in the
        MJCF's reference pose with all controls 0, whichever keyframes the file has.

        Args:
            path: the MJCF file, or the `body.zip` of a data set.
            joints: names of the arm's hinges, from the trunk outwards; they must have ranges, or get them by `joint_ranges`.
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
            new_servos: whether servos replace all actuators of the arm's joints, such as motors.

        Raises:
            UserError: the file cannot be read, a name is unknown, a joint is not a hinge or has no range, an actuator is
                not a position servo, the named parts do not fit together (see `tree.check_tree`), an angle is out of range, or a
                servo fails the test (see `self_test.self_test`).
        """
        if not joints:
            check_names("joint", joints, [j.name for j in load(path)[0].joints])
        return cls.of(
            {
                "mjcf": str(path),
                "joints": tuple(joints),
                "eye_camera": eye_camera,
                "arm_bodies": tuple(arm_bodies or ()),
                "hand_bodies": tuple(hand_bodies or ()),
                "outside_camera": outside_camera,
                "keyframe": keyframe,
                "rest_pose": rest_pose or {},
                "joint_ranges": joint_ranges or {},
                "hold_others": hold_others,
                "new_servos": new_servos,
            }
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

    def pose(self, data: mujoco.MjData, joints: NDArray[np.floating], gaze: NDArray[np.floating] | None = None) -> None:
        """Resets the simulation and puts the arm at rest into a pose that its servos hold.

        Args:
            data: reset and changed in place.
            joints: angles, shape (J,), rad.
            gaze: angles of the gaze, shape (G,), rad; None: straight.
        """
        self._rest(data, joints, gaze)
        mujoco.mj_forward(self.model, data)

    def place(
        self, data: mujoco.MjData, joints: NDArray[np.floating], gaze: NDArray[np.floating] | None = None
    ) -> None:
        """Like `pose`, but faster: it computes only positions and contacts."""
        self._rest(data, joints, gaze)
        mujoco.mj_fwdPosition(self.model, data)

    def _rest(self, data: mujoco.MjData, joints: NDArray[np.floating], gaze: NDArray[np.floating] | None) -> None:
        self.reset(data)
        data.qpos[self.qpos_ids] = joints
        data.ctrl[self.actuator_ids] = joints
        if gaze is not None:
            self.gaze.turn(data, gaze)

    def any_pose(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Draws a pose uniformly over the joint ranges, shape (J,), rad; it need not be valid. Locked joints are locked."""
        return self.locked(self.denormalize(random.random(len(self.joint_names))))

    def locked(self, joints: NDArray[np.float64]) -> NDArray[np.float64]:
        """The poses, shape (..., J), rad, with the locked joints at their angles; the array itself if no joint is locked."""
        if not self.body.change.locked:
            return joints
        posed = np.array(joints)
        for name, angle in self.body.change.locked.items():
            posed[..., self.joint_names.index(name)] = angle
        return posed

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
        deepest = min(data.contact, key=lambda contact: contact.dist if self._counts[tuple(contact.geom)] else 0.0)
        touching = " and ".join(repr(self.model.body(b).name) for b in self.model.geom_bodyid[deepest.geom])
        raise UserError(
            f"got {_MOST_DRAWS} poses in a row in which the arm is more than {1e3 * PENETRATION_LIMIT:g} mm deep in another "
            f"geom, at last the bodies {touching}, expected at least one valid pose; remove the obstacle from the MJCF, narrow "
            "the joints' ranges, or pose the other joints by a keyframe or rest_pose"
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

    def hand_position(self, data: mujoco.MjData, side: str | None = None) -> NDArray[np.float64]:
        """A hand's position in the world, shape (3,), m.

        Args:
            data: a simulation with positions.
            side: one of `hands`; None: the first.
        """
        return np.array(data.site(self.hand_site if side is None else self.hands[side].site).xpos)

    def hand_positions(self, data: mujoco.MjData) -> NDArray[np.float64]:
        """The positions of all H hands in the world, in the order of `hands`, shape (H, 3), m."""
        return np.array(data.site_xpos[self.hand_site_ids])

    @cached_property
    def hand_site_ids(self) -> NDArray[np.int64]:
        """Where the hands' positions lie in `data.site_xpos`, shape (H,)."""
        return np.array([self.model.site(hand.site).id for hand in self.hands.values()])

    def touches(self, data: mujoco.MjData) -> NDArray[np.bool_]:
        """Which of MuJoCo's contacts are touches of the arm that count, see `penetration`; shape (ncon,)."""
        contact = data.contact
        first, second = contact.geom.T  # (ncon,) each
        return np.asarray(self._counts[first, second] & (contact.dist < 0))

    def rod_tip(self, data: mujoco.MjData, side: str | None = None) -> NDArray[np.float64]:
        """The position of the tip of the rod in a hand, in the world, shape (3,), m.

        Args:
            data: the simulation, with positions.
            side: which hand, "right" or "left"; None: the only one that holds a rod.

        Raises:
            UserError: this hand holds no rod, or both do and no side is given.
        """
        sites = {self.model.site(number).name for number in range(self.model.nsite)}
        holding = [each for each in SIDES if rod_tip(each) in sites]
        chosen = holding if side is None else [side]
        if len(chosen) != 1 or chosen[0] not in holding:
            raise UserError(f"got side={shown(side)} of a rod, expected one of {holding}, whose hands hold rods")
        return np.array(data.site(rod_tip(chosen[0])).xpos)

    def penetration(self, data: mujoco.MjData) -> float:
        """Depth of the deepest contact of an arm, also with the other arm, m; 0 without contact.

        Contacts within a hand, and those that the body's shapes cause in every pose, do not count.
        """
        if not data.ncon:
            return 0.0
        first, second = data.contact.geom.T  # (ncon,) each
        return float(-data.contact.dist[self._counts[first, second]].min(initial=0.0))

    @cached_property
    def _counts(self) -> NDArray[np.bool_]:
        """The pairs of geoms whose contacts count, see `counting_pairs`."""
        poses = self._random_poses(np.random.default_rng(0))
        hands = [hand.geoms for hand in self.hands.values()]
        return counting_pairs(self.model, self.arm_geoms, hands, poses, PENETRATION_LIMIT)

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
