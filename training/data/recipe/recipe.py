"""The recipe of the poses: all that the data depend on."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import NODEFAULT, Meta, Struct, structs

from agents.tools import json_files
from infant_env.body.changes.change import BodyChange
from infant_env.body.description import Body
from infant_env.body.raw.mjcf_files import BODY
from infant_env.errors import UserError
from infant_env.senses.acuity import checked_acuity
from infant_env.senses.camera import HAND_IN_VIEW
from infant_env.senses.seen.seen import Seen
from infant_env.senses.sense import Sense, checked_senses

from .recording import SIMULATED_ONLY, Recording

_MOST_SHARDS = 1_000_000
Count = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Number = int | float
"""A whole number stays one, because the fingerprint depends on its text."""
Share = Annotated[int, Meta(ge=0, lt=1)] | Annotated[float, Meta(ge=0, lt=1)]


class Recipe(Struct, frozen=True, forbid_unknown_fields=True):
    """All that the data depend on, `config` in `dataset.json`: sample i follows from this and i alone.

    Fields with a default came after version 0.1. They are written only if they differ from it, so that equal data have
    equal fingerprints in all versions.

    Raises:
        UserError: there are too many shards, an MJCF file comes without the names of its joints, or a sense is unknown or
            out of range.
    """

    samples: Count
    """Number of poses, N."""
    eye_size: tuple[Count, Count]
    """Rows and columns of a frame."""
    age_months: Number
    min_arm_in_view: Share
    """A pose was kept if the arm covered this share of the pixels or more."""
    mjcf: str | None
    """Path of another body's MJCF file: the data set's own `body.zip`; in data sets of version 0.1 the file that was given."""
    arm_joints: tuple[str, ...]
    eye_camera: str
    arm_bodies: tuple[str, ...]
    shard_size: Count
    """Samples in each shard except the last."""
    seed: NotNegative
    hand_bodies: tuple[str, ...] = ()
    outside_camera: str | None = None
    name: str = "infant"
    """Name of the built-in body."""
    keyframe: str | None = None
    rest_pose: dict[str, Number] = {}
    joint_ranges: dict[str, tuple[Number, Number]] = {}
    hold_others: bool = False
    new_servos: bool = False
    min_hand_in_view: Share = HAND_IN_VIEW
    """A picture "shows the hand" if at least this share of its pixels does."""
    eyes: str = "right"
    """The eyes that see; with both, `eye` is the right one's frame, and `eye_left` the left one's."""
    gaze: str = "held"
    """Whether the head turns; each pose then has a gaze of its own, drawn uniformly."""
    fovea: bool = False
    """Whether the middle of what the eye sees was recorded too."""
    senses: dict[str, tuple[Number, Number]] = {}
    """Noise and delay (ms) of the senses that have any; a pose is at rest, so only the noise changes its data."""
    acuity: Number | None = None
    """The finest grating that the eye sees, cycles per degree; None: its frames are not blurred."""
    arms: str = "right"
    """The arms that move; with both, the columns `left_hand_position` and `left_hand_in_view` tell of the left hand."""
    wrist: bool = False
    """Whether the wrists move too."""
    touch: bool = False
    """Whether touch was felt."""
    touching: bool = False
    """Whether only poses were kept in which a hand touches the body: the arm moved until it touched."""
    look: Literal["around", "hand"] = "around"
    """Where a gaze that turns looked: uniformly around, or at the hand, with some error."""
    upper_arm: Number = 1.0
    """How the body differs from that of its age; `BodyChange` explains this and the next six fields."""
    forearm: Number = 1.0
    hand: Number = 1.0
    rod: tuple[Number, Number] | None = None
    locked: dict[str, Number] = {}
    weak: dict[str, Number] = {}
    side: str | None = None
    seen: dict[str, Any] = {}
    """How the arm was seen elsewhere than it was felt: what `Seen.as_dict` gives; empty: as it was."""
    recording: Recording | None = None
    """Where recorded poses come from; the fields about body and senses then have no meaning. None: the poses were simulated."""

    def __post_init__(self) -> None:
        if self.samples > _MOST_SHARDS * self.shard_size:
            least = -(-self.samples // _MOST_SHARDS)
            raise UserError(f"got shard_size={self.shard_size}, expected {least} or more for {self.samples} samples")
        _ = self.body, self.imperfect, checked_acuity(self.acuity, self.body), self.displaced

    @property
    def displaced(self) -> Seen | None:
        """How the arm was seen elsewhere than it was felt; None: as it was.

        Raises:
            UserError: a field is unknown or out of range.
        """
        return Seen.of(self.seen) if self.seen else None

    @property
    def knows_hand(self) -> bool:
        """Whether the data set knows where the hand is."""
        return self.recording is None or self.recording.hand

    @property
    def imperfect(self) -> dict[str, Sense]:
        """The senses that have noise or a delay, by name.

        Raises:
            UserError: a sense is unknown or out of range.
        """
        return checked_senses({name: Sense(*pair) for name, pair in self.senses.items()}, self.body, touch=self.touch)

    @property
    def body(self) -> Body:
        """The description of the body."""
        names = self.arm_joints, self.eye_camera, self.arm_bodies, self.hand_bodies, self.outside_camera
        rest = self.keyframe, self.rest_pose, self.joint_ranges, self.hold_others, self.new_servos
        change = BodyChange(**{each.name: getattr(self, each.name) for each in dataclasses.fields(BodyChange)})
        moved = self.eyes, self.gaze, self.fovea, self.arms, self.wrist
        return Body(self.age_months, self.mjcf, *names, self.name, *rest, *moved, change)

    @property
    def lengths(self) -> list[int]:
        """Number of samples in each shard."""
        return [min(self.shard_size, self.samples - start) for start in range(0, self.samples, self.shard_size)]

    def as_json(self) -> dict[str, Any]:
        """The recipe as `dataset.json` holds it."""
        usual = {
            field.name: field.default if field.default_factory is NODEFAULT else field.default_factory()
            for field in structs.fields(self)
        }
        recorded = structs.replace(self, mjcf=BODY) if self.keeps_body else self
        told = {n: value for n, value in json_files.plain(recorded).items() if getattr(self, n) != usual[n]}
        return {n: v for n, v in told.items() if n not in SIMULATED_ONLY} if self.recording else told

    @property
    def keeps_body(self) -> bool:
        """Whether the data set's folder holds the MJCF of its body."""
        return self.mjcf is not None and Path(self.mjcf).name == BODY

    def kept_in(self, folder: Path) -> "Recipe":
        """The recipe with the path of the body in this folder, if the data set keeps one."""
        return structs.replace(self, mjcf=str(folder.resolve() / BODY)) if self.keeps_body else self
