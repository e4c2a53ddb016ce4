"""Gymnasium spaces of an infant's senses."""

import numpy as np
from gymnasium import spaces

from ..body.model import ArmModel

_GIVE, _MAX_VELOCITY = 0.35, 100.0
"""How far joints may exceed their soft limits, rad, and their highest velocity, rad/s. A search for the worst valid start and
actions of infants from 1 to 24 months found .18 rad and 36 rad/s."""
_OTHERS_GIVE, _OTHERS_MAX_VELOCITY = float(np.pi), 1000.0
"""The same for bodies from MJCF files, whose limits and servos are unknown."""


def eye_space(size: tuple[int, int]) -> spaces.Box:
    """RGB frames of the eye, (H, W, 3)."""
    return spaces.Box(0, 255, (*size, 3), np.uint8)


def joint_space(arm: ArmModel) -> spaces.Box:
    """Joint angles, (J,), rad."""
    low, high = arm.joint_ranges.T.astype(np.float32)
    give = np.float32(_GIVE if arm.body.mjcf is None else _OTHERS_GIVE)
    return spaces.Box(low - give, high + give, dtype=np.float32)


def velocity_space(arm: ArmModel) -> spaces.Box:
    """Joint velocities, (J,), rad/s."""
    most = _MAX_VELOCITY if arm.body.mjcf is None else _OTHERS_MAX_VELOCITY
    return spaces.Box(-most, most, (len(arm.joint_names),), np.float32)


def babbling_space(arm: ArmModel, eye_size: tuple[int, int]) -> spaces.Dict:
    """The observation space of `InfantArm-v0`."""
    return spaces.Dict(eye=eye_space(eye_size), joints=joint_space(arm), joint_velocities=velocity_space(arm))


def proprioception_space(arm: ArmModel) -> spaces.Box:
    """Joint angles followed by joint velocities, (2J,)."""
    parts = (joint_space(arm), velocity_space(arm))
    low, high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)
