"""The spaces of what an infant senses of its arm."""

import numpy as np
from gymnasium import spaces

from .body import ArmModel

_GIVE = np.float32(0.1)  # rad; soft limits give a little
_MAX_VELOCITY = 100.0  # rad/s; nothing an infant's servo does comes near


def eye_space(size: tuple[int, int]) -> spaces.Box:
    """RGB frames of the eye, (H, W, 3)."""
    return spaces.Box(0, 255, (*size, 3), np.uint8)


def joint_space(arm: ArmModel) -> spaces.Box:
    """Joint angles, (J,), rad."""
    low, high = arm.joint_ranges.T.astype(np.float32)
    return spaces.Box(low - _GIVE, high + _GIVE, dtype=np.float32)


def velocity_space(arm: ArmModel) -> spaces.Box:
    """Their rates of change, (J,), rad/s."""
    return spaces.Box(-_MAX_VELOCITY, _MAX_VELOCITY, (len(arm.joint_names),), np.float32)


def proprioception_space(arm: ArmModel) -> spaces.Box:
    """Angles and then their rates of change, (2J,)."""
    parts = (joint_space(arm), velocity_space(arm))
    low, high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)
