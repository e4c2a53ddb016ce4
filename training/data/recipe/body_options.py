"""The options that describe a body, its senses, and what of it must be seen, for all commands that collect."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from infant_env.body.built_in.anthropometry import OLDEST, YOUNGEST
from infant_env.senses.camera import HAND_IN_VIEW

from ...runs.config import Checked

Share = Annotated[float, Meta(ge=0, lt=1)]
"""A share of the pixels."""
RodPart = Annotated[float, Meta(gt=0, le=100)]
"""Length or mass of a rod, m or kg; `BodyChange` has the narrower limits of each."""
Length = Annotated[float, Meta(ge=0.25, le=4)]
"""A length relative to that of the age."""
Imperfect = Annotated[float, Meta(ge=0, le=10_000)]
"""Noise or delay of a sense."""


@dataclass(frozen=True, kw_only=True)
class BodyOptions(Checked):
    """The body that babbles, how well it senses, and what of it must be seen."""

    body: str = "infant"
    """Name of the built-in body that babbles."""
    age_months: Annotated[float, Meta(ge=YOUNGEST, le=OLDEST)] = 12.0
    """Age of a body that grows."""
    min_arm_in_view: Share = 0.01
    """A pose is kept if the arm covers this share of the pixels or more."""
    min_hand_in_view: Share = HAND_IN_VIEW
    """A picture shows the hand if the hand covers this share of the pixels or more."""
    mjcf: Path | None = None
    """Another body than the infant: its MJCF file; also give --arm-joints."""
    arm_joints: tuple[str, ...] = ()
    """Names of the other body's arm joints, from the trunk outwards."""
    eye_camera: str = "eye"
    """Name of the other body's camera."""
    arm_bodies: tuple[str, ...] = ()
    """Names of the other body's arm bodies, the hand last; by default the body that the first arm joint moves."""
    hand_bodies: tuple[str, ...] = ()
    """Names of the other body's hand bodies, all parts of the arm; by default the last of --arm-bodies, or
    without these the body that the last arm joint moves."""
    outside_camera: str | None = None
    """Name of the camera that shows the other body from outside; by default MuJoCo's free camera."""
    keyframe: str | None = None
    """Name of a keyframe of the other body: the pose of all joints that are not the arm's."""
    rest_pose: dict[str, float] = field(default_factory=dict)
    """Positions of joints that are not the arm's, rad or m, such as `head_swivel -0.5`; over the keyframe."""
    joint_ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Ranges of arm joints, narrower than in the MJCF file, rad, such as `shoulder_pan -1.5 1.5`."""
    hold_others: bool = False
    """Lock all joints that are not the arm's in their rest pose."""
    new_servos: bool = False
    """Replace all actuators of the arm's joints, such as motors, by servos."""
    eyes: Literal["right", "left", "both"] | None = None
    """The eyes that see; by default the one on the arm's side. A body from an MJCF file has one."""
    senses: Literal["age"] | dict[str, tuple[Imperfect, Imperfect]] = field(default_factory=dict)
    """Noise and delay (ms) of senses, such as `joints 5 120 eye 0.02 0`; `age`: values from the literature."""
    acuity: Literal["age"] | Annotated[float, Meta(ge=0.05, le=100)] | None = None
    """The finest grating that the eye sees, cycles per degree; `age`: the norm of the age; by default no blur."""
    gaze: Literal["held", "eyes", "head"] = "held"
    """What turns the gaze; each pose then has a gaze of its own. Maps learn from it; the agent needs a held gaze."""
    fovea: bool = False
    """Record the fovea too: the middle of what the eye sees, 128x128 pixels. The agent does not use it; a map can."""
    look: Literal["around", "hand"] = "around"
    """Where a gaze that turns looks: uniformly around, or at the hand, which it misses by 5 degrees."""
    touch: bool = False
    """Record touch: how strongly each patch of skin is pressed."""
    touching: bool = False
    """Babble contacts: the arm moves until it touches, and a pose is kept if a hand touches the body."""

    arms: Literal["right", "left", "both"] = "right"
    """The arms that move; that of a body from an MJCF file is the one whose joints are named."""
    wrist: bool = False
    """Move the wrists too."""
    upper_arm: Length = 1.0
    """Length of the upper arm, relative to that of the age."""
    forearm: Length = 1.0
    """Length of the forearm, relative to that of the age."""
    hand: Length = 1.0
    """Length of the hand, relative to that of the age."""
    rod: tuple[RodPart, RodPart] | None = None
    """Length (m) and mass (kg) of a rod in the hand, such as `0.2 0.05`; by default there is none."""
    locked: dict[str, float] = field(default_factory=dict)
    """Angles of joints that do not move, rad, such as `right_elbow_flexion 1.0`."""
    weak: dict[str, Annotated[float, Meta(ge=0, le=1)]] = field(default_factory=dict)
    """Shares of their torque limits that joints have, such as `right_elbow_flexion 0.2`."""
    side: Literal["right", "left"] | None = None
    """The arm whose lengths change and whose hand holds the rod; by default each arm that moves."""
    seen: str | None = None
    """How the arm is seen elsewhere than it is felt: fields of `infant_env.Seen` as JSON, such as `{"turn": 15}`."""

    def of_body(self) -> dict[str, Any]:
        """These options, by name."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(BodyOptions)}
