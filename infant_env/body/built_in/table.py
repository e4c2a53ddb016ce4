"""The table of bodies that this package builds itself."""

from collections.abc import Callable
from dataclasses import dataclass

import mujoco

from . import infant
from .anthropometry import JOINT_NAMES, Anthropometry
from .infant_arm import ARM_BODIES, HAND_BODIES


@dataclass(frozen=True)
class BuiltIn:
    """A body, and the names that an agent must know of it; see `ArmModel.from_mjcf`."""

    build: Callable[[float], mujoco.MjSpec]
    """Builds the body of an age in months; each arm joint needs a range and a position servo."""
    joints: tuple[str, ...]
    eye_camera: str
    outside_camera: str
    arm_bodies: tuple[str, ...]
    hand_bodies: tuple[str, ...]


BODIES = {
    "infant": BuiltIn(
        lambda age_months: infant.build(Anthropometry.at(age_months)),
        JOINT_NAMES,
        infant.EYE_CAMERA,
        infant.OUTSIDE_CAMERA,
        ARM_BODIES,
        HAND_BODIES,
    ),
}
"""By the names that `Body.name` and `infant-arm collect --body` know; a new body is one entry."""
