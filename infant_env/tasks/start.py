"""The start of an episode: a pose of the arm and a gaze, given or drawn."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.checks import checked_gaze, checked_joints
from ..body.model import PENETRATION_LIMIT, ArmModel
from ..errors import UserError
from ..given import shown

OPTIONS = ("joints", "gaze")
"""Options of each reset that set the start."""
_ROUNDING = 1e-5  # m; a valid pose can get this much deeper when it is rounded to single precision


def start(
    arm: ArmModel, data: mujoco.MjData, random: np.random.Generator, given: Mapping[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first pose and gaze of an episode: the given ones, else a valid pose that is drawn, and a straight gaze.

    Args:
        arm: the body.
        data: a simulation; it is reset, and moved to this pose and gaze.
        random: random numbers.
        given: options of a reset, of which `OPTIONS` count.

    Returns:
        Angles of the joints, shape (J,), and of the gaze, shape (G,), rad.

    Raises:
        UserError: the joints or the gaze have a wrong shape, are not finite or out of range, the gaze is held, or the arm is
            deep in the body.
    """
    gaze = checked_gaze(arm, given["gaze"]) if "gaze" in given else np.zeros(len(arm.gaze_joints))
    if "joints" in given:
        return _checked_start(arm, data, given["joints"], gaze), gaze
    arm.reset(data)
    arm.gaze.turn(data, gaze)
    return arm.valid_pose(data, random), gaze


def _checked_start(arm: ArmModel, data: mujoco.MjData, joints: Any, gaze: NDArray[np.float64]) -> NDArray[np.float64]:
    """Checks the first pose of an episode and returns it, shape (J,), rad.

    The arm must not be deep in the body: the contact force that pushes it out would push joints beyond their ranges.
    """
    pose = checked_joints(arm, joints)
    arm.place(data, pose, gaze)
    depth = arm.penetration(data)
    if depth > PENETRATION_LIMIT + _ROUNDING:
        raise UserError(
            f"got the joints {shown(joints)}, a pose in which the arm is {1e3 * depth:.1f} mm deep in the body, expected at "
            f"most {1e3 * PENETRATION_LIMIT:g} mm; take another pose, for example one from arm.valid_pose"
        )
    return pose
