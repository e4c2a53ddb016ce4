"""The spaces of what an infant senses of its arm."""

import numpy as np
from gymnasium import spaces

from ..body.model import ArmModel

_GIVE, _MAX_VELOCITY = 0.35, 100.0
"""How far, in rad, soft limits may give, and how fast joints may be, rad/s. The most that was found in infants of 1 to 24
months, by search for the worst valid start and actions, were .18 rad and 36 rad/s."""
_OTHERS_GIVE, _OTHERS_MAX_VELOCITY = float(np.pi), 1000.0
"""The same for other people's bodies, whose limits and servos are not known."""


def eye_space(size: tuple[int, int]) -> spaces.Box:
    """RGB frames of the eye, (H, W, 3)."""
    return spaces.Box(0, 255, (*size, 3), np.uint8)


def joint_space(arm: ArmModel) -> spaces.Box:
    """Joint angles, (J,), rad."""
    low, high = arm.joint_ranges.T.astype(np.float32)
    give = np.float32(_GIVE if arm.body.mjcf is None else _OTHERS_GIVE)
    return spaces.Box(low - give, high + give, dtype=np.float32)


def velocity_space(arm: ArmModel) -> spaces.Box:
    """Their rates of change, (J,), rad/s."""
    most = _MAX_VELOCITY if arm.body.mjcf is None else _OTHERS_MAX_VELOCITY
    return spaces.Box(-most, most, (len(arm.joint_names),), np.float32)


def babbling_space(arm: ArmModel, eye_size: tuple[int, int]) -> spaces.Dict:
    """What `InfantArm-v0` observes."""
    return spaces.Dict(eye=eye_space(eye_size), joints=joint_space(arm), joint_velocities=velocity_space(arm))


def proprioception_space(arm: ArmModel) -> spaces.Box:
    """Angles and then their rates of change, (2J,)."""
    parts = (joint_space(arm), velocity_space(arm))
    low, high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)
