"""Gymnasium spaces of an infant's senses."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import spaces

from ..body.changes.change import BodyChange
from ..body.model import ArmModel
from .modalities import GAZE
from .noise import WIDEST, noise_of
from .sense import JOINTS, VELOCITIES, Senses, frame_size
from .skin.touch import MOST_FORCE, TOUCH, Touch

_GIVE, _MAX_VELOCITY = 0.35, 100.0
"""How far joints may exceed their soft limits, rad, and their highest velocity, rad/s. A search for the worst valid start and
actions of infants from 1 to 24 months found .18 rad and 36 rad/s."""
_OTHERS_GIVE, _OTHERS_MAX_VELOCITY = float(np.pi), 1000.0
"""The same for bodies from MJCF files, whose limits and servos are unknown, and for changed ones: a long rod is a long lever."""


def eye_space(size: tuple[int, int]) -> spaces.Box:
    """RGB frames of the eye, (H, W, 3)."""
    return spaces.Box(0, 255, (*size, 3), np.uint8)


def eye_spaces(eyes: Iterable[str], size: tuple[int, int]) -> dict[str, spaces.Space[Any]]:
    """The frames of some eyes, by name; those of the fovea have a size of their own."""
    return {name: eye_space(frame_size(name, size)) for name in eyes}


def joint_space(arm: ArmModel, noise: float = 0.0) -> spaces.Box:
    """Joint angles, (J,), rad.

    Args:
        arm: the body.
        noise: standard deviation of the noise of each angle, degrees.
    """
    low, high = arm.joint_ranges.T.astype(np.float32)
    give = np.float32(_GIVE if _is_usual(arm) else _OTHERS_GIVE)
    give += np.float32(np.deg2rad(noise) * WIDEST)
    return spaces.Box(low - give, high + give, dtype=np.float32)


def _is_usual(arm: ArmModel) -> bool:
    return arm.body.mjcf is None and arm.body.change == BodyChange()


def velocity_space(arm: ArmModel, noise: float = 0.0) -> spaces.Box:
    """Joint velocities, (J,), rad/s.

    Args:
        arm: the body.
        noise: standard deviation of the noise of each velocity, degrees/s.
    """
    most = (_MAX_VELOCITY if _is_usual(arm) else _OTHERS_MAX_VELOCITY) + np.deg2rad(noise) * WIDEST
    return spaces.Box(-most, most, (len(arm.joint_names),), np.float32)


def gaze_spaces(arm: ArmModel, senses: Senses) -> dict[str, spaces.Space[Any]]:
    """The gaze's angles, (G,), rad, by name; none if it is held."""
    low, high = arm.gaze.ranges.T.astype(np.float32)
    give = np.float32(_GIVE + np.deg2rad(noise_of(senses, GAZE)) * WIDEST)
    return {GAZE: spaces.Box(low - give, high + give, dtype=np.float32)} if arm.gaze_joints else {}


def touch_spaces(touch: Touch | None, senses: Senses) -> dict[str, spaces.Space[Any]]:
    """Touch, (P,), N, by name; none if it is not felt. Noise may bring it below 0."""
    noise = noise_of(senses, TOUCH) * WIDEST
    return {} if touch is None else {TOUCH: spaces.Box(0 - noise, MOST_FORCE + noise, (len(touch.names),), np.float32)}


def babbling_space(arm: ArmModel, eye_size: tuple[int, int], senses: Senses, touch: Touch | None = None) -> spaces.Dict:
    """The observation space of `InfantArm-v0`."""
    joints, velocities = _felt_spaces(arm, senses)
    pictures = eye_spaces(arm.eyes, eye_size) | gaze_spaces(arm, senses) | touch_spaces(touch, senses)
    return spaces.Dict({**pictures, "joints": joints, "joint_velocities": velocities})


def wider(space: Any, other: Any) -> Any:
    """The smallest space that holds the values of both, which have the same form; the first one if it does."""
    if isinstance(space, spaces.Dict):
        parts = {name: wider(space[name], other[name]) for name in space}
        return space if all(parts[name] is space[name] for name in parts) else spaces.Dict(parts)
    if (other.low >= space.low).all() and (other.high <= space.high).all():
        return space
    return spaces.Box(np.minimum(space.low, other.low), np.maximum(space.high, other.high), dtype=space.dtype)


def _felt_spaces(arm: ArmModel, senses: Senses) -> tuple[spaces.Box, spaces.Box]:
    return joint_space(arm, noise_of(senses, JOINTS)), velocity_space(arm, noise_of(senses, VELOCITIES))


def proprioception_space(arm: ArmModel, senses: Senses) -> spaces.Box:
    """Joint angles followed by joint velocities, (2J,)."""
    parts = _felt_spaces(arm, senses)
    low, high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)
