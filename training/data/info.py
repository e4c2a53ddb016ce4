"""The content of `dataset.json`: how the poses were collected, with which body and camera, on which versions, and how many."""

import dataclasses
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import h5py
import mujoco
import numpy as np
from msgspec import NODEFAULT, Meta, Struct, field, structs

from agents.tools import json_files
from agents.tools.files import DamagedFileError
from infant_env.body.changes.change import BodyChange
from infant_env.body.description import Body
from infant_env.body.model import ArmModel
from infant_env.body.raw.mjcf_files import BODY, MjcfFiles
from infant_env.errors import UserError
from infant_env.given import shown
from infant_env.senses.acuity import checked_acuity
from infant_env.senses.camera import HAND_IN_VIEW
from infant_env.senses.seen.seen import Seen
from infant_env.senses.sense import Sense, checked_senses

from ..runs.config import command_line
from .arm_options import as_option

SCHEMA = 1
ABOUT = "dataset"
"""Attribute of each shard: the content of `dataset.json` when the collection began."""
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
        return {n: value for n, value in json_files.plain(recorded).items() if getattr(self, n) != usual[n]}

    @property
    def keeps_body(self) -> bool:
        """Whether the data set's folder holds the MJCF of its body."""
        return self.mjcf is not None and Path(self.mjcf).name == BODY

    def kept_in(self, folder: Path) -> "Recipe":
        """The recipe with the path of the body in this folder, if the data set keeps one."""
        return structs.replace(self, mjcf=str(folder.resolve() / BODY)) if self.keeps_body else self


class BodyRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The body as it was during the collection.

    Raises:
        UserError: there is not one range for each joint, or the lower end of a range is not below its upper end.
    """

    fingerprint: str
    """SHA-256, hexadecimal: of the content of `body.zip`, see `MjcfFiles`; without that file of the body's MJCF text."""
    joint_names: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The arm's J joints, in the order of every joint vector."""
    joint_ranges: tuple[tuple[Number, Number], ...]
    """Lower and upper end of each joint's range, rad."""

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            ends = np.array(self.joint_ranges, np.float32).reshape(-1, 2)
        if len(ends) != len(self.joint_names) or not (np.isfinite(ends).all() and (ends[:, 0] < ends[:, 1]).all()):
            count = len(self.joint_names)
            raise UserError(
                f"got joint_ranges={shown(self.joint_ranges)}, expected {count} pairs of numbers, each rising"
            )


class Camera(Struct, frozen=True):
    """The eye's camera."""

    name: str
    size: tuple[int, int]
    """Rows and columns of a frame."""


class _Head(Struct):
    schema: int


class DatasetInfo(Struct, frozen=True, omit_defaults=True, dict=True):
    """The content of `dataset.json`; `read_info` reads it.

    Raises:
        UserError: the parts contradict each other.
    """

    schema: int
    recipe: Recipe = field(name="config")
    body: BodyRecord
    camera: Camera
    versions: dict[str, str]
    """Versions of Python and the packages when the collection began."""
    accepted: int | None = None
    """Number of poses that were kept, N; None if the data set is not complete."""
    rejected: dict[str, NotNegative] | None = None
    """Number of poses that were rejected, by reason; None if the data set is not complete."""
    began_with: int | None = None
    """Number of poses of the first collection, if the data set was enlarged since; its cached pictures are sealed with it."""
    background: str | None = None
    """SHA-256 of the pixels of `background.png`; None if the data set is not complete, or of version 0.1."""

    def __post_init__(self) -> None:
        size, samples = self.recipe.eye_size, self.recipe.samples
        if self.camera.size != size:
            raise UserError(f"got camera.size={list(self.camera.size)}, expected {list(size)}, as in config.eye_size")
        if self.accepted not in (None, samples):
            raise UserError(f"got accepted={self.accepted}, expected {samples}, as in config.samples")
        if self.accepted and self.rejected is None:
            raise UserError("got accepted without rejected, expected the number of rejected poses for each reason")

    @classmethod
    def begin(cls, recipe: Recipe, arm: ArmModel, fingerprint: str, versions: dict[str, str]) -> "DatasetInfo":
        """What is known before the first pose.

        Args:
            recipe: the recipe of the poses.
            arm: its body.
            fingerprint: see `BodyRecord`.
            versions: versions of Python and the packages.
        """
        ranges = tuple((float(low), float(high)) for low, high in arm.joint_ranges)
        body, camera = BodyRecord(fingerprint, arm.joint_names, ranges), Camera(arm.eye_camera, recipe.eye_size)
        return cls(SCHEMA, recipe, body, camera, versions)

    @property
    def begun(self) -> "DatasetInfo":
        """What was known before the first pose."""
        return structs.replace(self, accepted=None, rejected=None, background=None)

    @cached_property
    def arm(self) -> ArmModel:
        """The body of the collection, made again.

        Raises:
            UserError: its MJCF file is gone or has changed, or its joints have changed.
        """
        body, record = self.recipe.body, self.body
        try:
            files = self._files() if self.recipe.keeps_body else None
            arm = ArmModel.of(body, tested=True, files=files)
        except UserError as error:
            mend = f"; {self._mend}" if body.mjcf else ""
            raise UserError(f"the data set's body cannot be made again: {error}{mend}") from None
        if arm.joint_names != record.joint_names or not np.allclose(arm.joint_ranges, record.joint_ranges, atol=1e-6):
            raise UserError(
                f"got the body {body.mjcf or 'of the infant'} with the joints {list(arm.joint_names)} and ranges "
                f"{shown(arm.joint_ranges.tolist())}, expected {list(record.joint_names)} and {shown(record.joint_ranges)} "
                "as when the data were collected; restore the body, or collect anew"
            )
        if body.mjcf and files is None and self._is_read_alike and arm.fingerprint != record.fingerprint:
            raise UserError(
                f"{body.mjcf} has changed since the data were collected, expected the MJCF with the fingerprint "
                f"{record.fingerprint[:12]}...; {self._mend}, or collect anew"
            )
        return arm

    @property
    def _is_read_alike(self) -> bool:
        """Whether this version of MuJoCo writes an MJCF text like the one that collected the data."""
        return self.versions.get("mujoco") == mujoco.__version__

    @property
    def _mend(self) -> str:
        again = "run the same `infant-arm collect` with the original MJCF again: it writes this file anew"
        return again if self.recipe.keeps_body else f"put {self.recipe.mjcf} back as it was"

    def _files(self) -> MjcfFiles:
        """The content of `body.zip`.

        Raises:
            UserError: the file is missing or damaged, or holds another body.
        """
        assert self.recipe.mjcf is not None
        files = MjcfFiles.read(self.recipe.mjcf)
        if files.fingerprint != self.body.fingerprint:
            raise UserError(
                f"{self.recipe.mjcf} holds another body than the one that collected the data, expected the fingerprint "
                f"{self.body.fingerprint[:12]}..."
            )
        return files

    def enlarged(self, samples: int) -> "DatasetInfo":
        """The description of this data set with more poses.

        Raises:
            UserError: they are not more.
        """
        before = self.recipe.samples
        if samples < before:
            raise UserError(f"got --samples {samples} with --append, expected more than the {before} that are there")
        if samples == before:
            return self
        recipe, began_with = structs.replace(self.recipe, samples=samples), self.began_with or before
        return structs.replace(self.begun, recipe=recipe, began_with=began_with)

    @property
    def first(self) -> dict[str, Any]:
        """The identity of the first collection, before the data set was enlarged."""
        if self.began_with is None:
            return self.identity()
        recipe = structs.replace(self.recipe, samples=self.began_with)
        return structs.replace(self.begun, recipe=recipe).identity()

    def identity(self) -> dict[str, Any]:
        """The part that identifies the data, as JSON: schema, config and body."""
        return {"schema": SCHEMA, "config": self.recipe.as_json(), "body": json_files.plain(self.body)}

    def as_json(self) -> dict[str, Any]:
        """What stands in `dataset.json`."""
        return {**json_files.plain(self), "config": self.recipe.as_json()}


def read_info(folder: Path) -> DatasetInfo:
    """The content of a data set's `dataset.json`.

    Raises:
        DamagedFileError: the file is missing or damaged.
        UserError: it has another schema.
    """
    path, mend = (
        folder / "dataset.json",
        f"run `{collect_line(folder)}`: it keeps the shards and writes this file again",
    )
    try:
        content = json_files.load(path, mend)
    except FileNotFoundError:
        raise DamagedFileError(
            f"{folder} holds no dataset.json; collect one with `{collect_line(folder)}`", path
        ) from None
    schema = json_files.fit(content, _Head, path, mend).schema
    if schema != SCHEMA:
        raise UserError(f"{folder} has schema {schema}, this version reads {SCHEMA}; collect it anew")
    info = json_files.fit(content, DatasetInfo, path, mend)
    return structs.replace(info, recipe=info.recipe.kept_in(folder))


def info_in_shards(folder: Path) -> DatasetInfo | None:
    """The description that the shards of a data set hold; None if there are none, or only those of version 0.1."""
    for path in sorted((folder / "shards").glob("shard-*.h5"), reverse=True):  # the last knows if it was enlarged
        try:
            with h5py.File(path) as file:
                return info_of(file.attrs[ABOUT], folder)
        except (OSError, LookupError, ValueError, TypeError, RuntimeError):
            continue
    return None


def info_of(about: str, folder: Path) -> DatasetInfo:
    """The description of the data set in a folder from its JSON.

    Raises:
        DamagedFileError: it describes no data set.
    """
    info = json_files.fit(json.loads(about), DatasetInfo, folder, "collect it again")
    return structs.replace(info, recipe=info.recipe.kept_in(folder))


def collect_line(folder: Path, info: DatasetInfo | None = None) -> str:
    """The command line that goes on with a data set, makes its damaged shards again, and keeps the others."""
    known = info or info_in_shards(folder)
    recipe = structs.asdict(known.recipe) if known else {}
    body = {"body": recipe.pop("name"), "seen": as_option(recipe.pop("seen"))} if known else {}
    return command_line("collect", {"out": str(folder), **body, **recipe})
