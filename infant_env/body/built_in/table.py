"""The table of bodies that this package builds itself."""

from collections.abc import Callable
from dataclasses import dataclass

import mujoco

from . import infant
from .anthropometry import JOINT_NAMES, Anthropometry
from .infant_arm import ARM_BODIES, HAND_BODIES


@dataclass(frozen=True)
class BuiltIn:
    """A function that builds a body, and the names of its parts; `ArmModel.from_mjcf` explains them."""

    build: Callable[[float], mujoco.MjSpec]
    """Age in months -> body; each arm joint needs a range and a position servo."""
    joints: tuple[str, ...]
    eye_camera: str
    outside_camera: str
    arm_bodies: tuple[str, ...]
    hand_bodies: tuple[str, ...]
    add_left_eye: Callable[[mujoco.MjSpec, float], str] | None = None
    """Adds the camera of the left eye to a body of this age, and returns its name; None: the body has one eye."""

    add_gaze: Callable[[mujoco.MjSpec], tuple[str, ...]] | None = None
    """Adds the joints that turn the gaze, with servos, and returns their names; None: the gaze is held."""


BODIES = {
    "infant": BuiltIn(
        lambda age_months: infant.build(Anthropometry.at(age_months)),
        JOINT_NAMES,
        infant.EYE_CAMERA,
        infant.OUTSIDE_CAMERA,
        ARM_BODIES,
        HAND_BODIES,
        lambda spec, age_months: infant.add_left_eye(spec, Anthropometry.at(age_months)),
        infant.add_gaze,
    ),
}
"""Built-in bodies by name, for `Body.name` and `infant-arm collect --body`; a new body needs one entry here."""
