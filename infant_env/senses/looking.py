"""Looking at a place: the angles of a gaze that bring it into the middle of the eye's frame."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel

_STEPS = 4  # a head that turns moves the eye too; each step leaves a small part of the error


def look_at(arm: ArmModel, data: mujoco.MjData, place: NDArray[np.floating]) -> NDArray[np.float64]:
    """The angles of the gaze that looks at a place, or as near to it as its ranges allow.

    Args:
        arm: a body whose gaze turns.
        data: a simulation; its gaze is turned there, and its positions are computed.
        place: in the world, shape (3,), m.

    Returns:
        Angles, shape (G,), rad.
    """
    camera, angles = arm.model.camera(arm.eye_camera).id, np.zeros(len(arm.gaze_joints))
    for _ in range(_STEPS):
        arm.gaze.turn(data, angles)
        mujoco.mj_kinematics(arm.model, data)
        mujoco.mj_camlight(arm.model, data)
        right, up, back = data.cam_xmat[camera].reshape(3, 3).T @ (place - data.cam_xpos[camera])
        left, down = np.arctan2(-right, -back), np.arctan2(-up, np.hypot(right, back))
        angles = np.clip(angles + np.array([left, down]), *arm.gaze.ranges.T)
    arm.gaze.turn(data, angles)
    return angles
