"""The table of bodies that this package builds itself."""

from collections.abc import Callable
from dataclasses import dataclass

import mujoco

from . import infant
from .anthropometry import Anthropometry
from .arms import Arms
from .infant_gaze import add_gaze


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
    """Of the first hand."""
    add_left_eye: Callable[[mujoco.MjSpec, float], str] | None = None
    """Adds the camera of the left eye to a body of this age, and returns its name; None: the body has one eye."""

    add_gaze: Callable[[mujoco.MjSpec, str], tuple[str, ...]] | None = None
    """Adds the joints that turn a gaze of this kind, with servos, and returns their names; None: the gaze is held."""

    left_hand_bodies: tuple[str, ...] = ()
    """Of the left hand, if it is the second one."""
    with_arms: "Callable[[str, bool], BuiltIn] | None" = None
    """The same body with the arms of `Body.arms`, and with or without wrists that move; None: it has the arm that it has."""


def _infant(arms: str, wrist: bool) -> BuiltIn:
    moved = Arms(("right", "left") if arms == "both" else (arms,), wrist)
    return BuiltIn(
        build=lambda age_months: infant.build(Anthropometry.at(age_months), moved),
        joints=moved.joints,
        eye_camera=infant.EYE_CAMERA,
        outside_camera=infant.OUTSIDE_CAMERA,
        arm_bodies=tuple(f"{side}_upper_arm" for side in moved.sides),
        hand_bodies=(f"{moved.sides[0]}_hand",),
        add_left_eye=lambda spec, age_months: infant.add_left_eye(spec, Anthropometry.at(age_months)),
        add_gaze=lambda spec, kind: add_gaze(spec, moved.posture, kind),
        left_hand_bodies=("left_hand",) if arms == "both" else (),
        with_arms=_infant,
    )


BODIES = {
    "infant": _infant("right", False),
}
"""Built-in bodies by name, for `Body.name` and `infant-arm collect --body`; a new body needs one entry here."""
