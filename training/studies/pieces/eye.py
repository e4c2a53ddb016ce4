"""The infant's eye, in front of which the arm is seen as it is, or elsewhere than it is felt."""

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from infant_env.body.changes.change import BodyChange
from infant_env.body.model import ArmModel
from infant_env.senses.camera import HAND_IN_VIEW, EyeCamera
from infant_env.senses.seen.seen import Seen
from infant_env.senses.seen.seen_arm import SeenArm, turned
from infant_env.senses.vision import GRAY

from ...data.dataset import Dataset

_STEPS, _DAMPING = 30, 1e-4  # of least squares; damping in m^2
Floats = NDArray[np.float32]
Places = NDArray[np.float64]


class Eye:
    """Shows the run's body in poses, with the run's eye; only kinematics.

    Args:
        data: the run's poses.
        body: another body that is shown to the same eye; by default the run's.
    """

    def __init__(self, data: Dataset, body: ArmModel | None = None) -> None:
        data.check_held_gaze("a study of what it sees")
        arm = data.arm if body is None else body
        self._use(arm, EyeCamera(arm, data.eye_size, data.acuity))

    def _use(self, arm: ArmModel, camera: EyeCamera) -> None:
        self.arm, self._camera, self._state = arm, camera, arm.new_data()

    def of(self, body: BodyChange | float, acuity: float | None = None) -> "Eye":
        """The eye of another body, with pictures of the same size.

        Args:
            body: how the body differs from that of its age, or another age in months.
            acuity: of the eye, cycles per degree; None: that of this eye.
        """
        other, arm = Eye.__new__(Eye), ArmModel.of(self.arm.body.changed(body))
        other._use(arm, self._camera.like(arm, self._camera.acuity if acuity is None else acuity))
        return other

    def __call__(self, joints: NDArray[np.floating], seen: Sequence[Seen | None] | Seen | None = None) -> Floats:
        """Poses (N, J), rad -> preprocessed pictures (N, 64, 64).

        Args:
            joints: the true poses.
            seen: where the arm is seen: one for all, or one for each pose.
        """
        each = seen if isinstance(seen, Sequence) else [seen] * len(joints)
        return GRAY.squeeze(self.frames(joints, each))

    def frames(self, joints: NDArray[np.floating], seen: Sequence[Seen | None]) -> NDArray[np.uint8]:
        """What it shows of poses (N, J), rad, seen where `seen` says for each: (N, H, W, 3), uint8."""
        return np.stack([self._frame(*pair) for pair in zip(joints, seen, strict=True)])

    def background(self) -> Floats:
        """What it sees without the arm, preprocessed, (64, 64)."""
        return GRAY.squeeze(self._camera.background()[None])[0]

    def shows_hand(self, joints: NDArray[np.floating], seen: Seen | None = None) -> NDArray[np.bool_]:
        """Whether the eye sees the hand in each pose, (N,): at least .3 % of the pixels, as in `Dataset.shows_hand`."""
        arm = None if seen is None else SeenArm(self.arm, seen)
        shares = []
        for pose in joints:
            self.arm.place(self._state, pose.astype(np.float64))
            shares.append(self._camera.in_view(self._state, arm)[1])
        return np.array(shares) >= HAND_IN_VIEW

    def hands(self, joints: NDArray[np.floating]) -> Places:
        """The place of the hand in each pose, (N, 3), m."""
        places = []
        for pose in joints:
            self._state.qpos[self.arm.qpos_ids] = pose
            mujoco.mj_kinematics(self.arm.model, self._state)
            places.append(self.arm.hand_position(self._state))
        return np.array(places).reshape(-1, 3)

    def arms(self, joints: Places) -> Places:
        """The places of all joints and of the hand in a pose (J,): (J + 1, 3), m."""
        hand = self.hands(joints[None])
        return np.concatenate([self._state.xanchor[self.arm.model.dof_jntid[self.arm.dof_ids]], hand])

    def looking_as(self, arm: Places, joints: Places) -> Places:
        """The pose that looks like an arm (J + 1, 3), as in `arms`, as near as it gets from a pose (J,), rad.

        Damped least squares over the places of the joints and of the hand.
        """
        low, high = self.arm.joint_ranges.T
        pose = np.array(joints)
        for _ in range(_STEPS):
            gaps = (arm - self.arms(pose)).ravel()
            own = self._jacobian()
            step = np.linalg.solve(own.T @ own + _DAMPING * np.eye(len(pose)), own.T @ gaps)
            pose = np.clip(pose + step, low, high)
        return pose

    def _jacobian(self) -> Places:
        """Changes of the places of `arms` by the joints, (3 J + 3, J)."""
        model, data, dofs = self.arm.model, self._state, self.arm.dof_ids
        mujoco.mj_comPos(model, data)
        rows, whole = [], np.empty((3, model.nv))
        for dof in dofs:
            joint = model.dof_jntid[dof]
            mujoco.mj_jac(model, data, whole, None, data.xanchor[joint], model.jnt_bodyid[joint])
            rows.append(whole[:, dofs].copy())
        mujoco.mj_jacSite(model, data, whole, None, self.arm.hand_site_ids[0])
        return np.concatenate([*rows, whole[:, dofs]])

    def valid_pose(self, random: np.random.Generator) -> Places:
        """A random pose in which the arm does not penetrate the body, (J,), rad."""
        return self.arm.valid_pose(self._state, random)

    @property
    def place(self) -> Places:
        """The place of the eye, (3,), m."""
        self.arm.place(self._state, self.arm.joint_ranges.mean(1))
        return np.array(self._state.cam_xpos[self.arm.model.camera(self.arm.eye_camera).id])

    @property
    def shoulder(self) -> Places:
        """The place of the joint that begins the arm, (3,), m."""
        self.arm.place(self._state, self.arm.joint_ranges.mean(1))
        first = self.arm.model.joint(self.arm.joint_names[0]).bodyid[0]
        return np.array(self._state.xpos[first])

    def _frame(self, pose: NDArray[np.floating], seen: Seen | None) -> NDArray[np.uint8]:
        self.arm.place(self._state, pose.astype(np.float64))
        return self._camera.render(self._state, seen=None if seen is None else SeenArm(self.arm, seen))


def turned_about(center: Places, places: Places, degrees: float) -> Places:
    """Places (N, 3) turned to the left about a vertical axis, as `Seen(turn=...)` turns what is seen."""
    return turned(places, np.eye(3)[None].repeat(len(places), 0), center, degrees)[0]


def azimuth(center: Places, places: Places) -> Places:
    """How far to the left of straight ahead places (N, 3) lie, seen from a center (3,), degrees, (N,)."""
    x, y, _ = (places - center).T
    return np.degrees(np.arctan2(y, x))
