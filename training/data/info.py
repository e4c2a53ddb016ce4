"""The content of `dataset.json`: how the poses were collected, with which body and camera, on which versions, and how many."""

import json
import shlex
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import mujoco
import numpy as np
from msgspec import Struct, field, structs

from agents.tools import json_files
from agents.tools.files import DamagedFileError
from infant_env.body.model import ArmModel
from infant_env.body.raw.mjcf_files import MjcfFiles
from infant_env.errors import UserError
from infant_env.given import shown

from ..runs.config import command_line
from .recipe.arm_options import as_option
from .recipe.recipe import NotNegative, Recipe
from .recipe.record import BodyRecord, Camera
from .recipe.recording import completed

SCHEMA = 1
ABOUT = "dataset"
"""Attribute of each shard: the content of `dataset.json` when the collection began."""


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
    imported: dict[str, Any] | None = None
    """The options of `infant-arm import`, if the poses were recorded."""

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
        return structs.replace(self, accepted=None, rejected=None, background=None, imported=None)

    @cached_property
    def arm(self) -> ArmModel:
        """The body of the collection, made again.

        Raises:
            UserError: the poses were recorded; or its MJCF file is gone or has changed, or its joints have changed.
        """
        body, record = self.recipe.body, self.body
        if self.recipe.recording is not None:
            raise UserError(
                "got a data set that was recorded, expected one of `infant-arm collect`: a recording has no body"
            )
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
    info = json_files.fit(completed(content), DatasetInfo, path, mend)
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
    info = json_files.fit(completed(json.loads(about)), DatasetInfo, folder, "collect it again")
    return structs.replace(info, recipe=info.recipe.kept_in(folder))


def collect_line(folder: Path, info: DatasetInfo | None = None) -> str:
    """The command line that goes on with a data set, makes its damaged shards again, and keeps the others."""
    known = info or info_in_shards(folder)
    if known is not None and known.recipe.recording is not None:
        return _import_line(folder, known.recipe.recording.kind, known.imported or {})
    recipe = structs.asdict(known.recipe) if known else {}
    body = {"body": recipe.pop("name"), "seen": as_option(recipe.pop("seen"))} if known else {}
    return command_line("collect", {"out": str(folder), **body, **recipe})


def _import_line(folder: Path, kind: str, options: dict[str, Any]) -> str:
    """The command line that imports a recording again; where its options are unknown, their places are left open."""
    command = f"import {kind}"
    source = shlex.quote(str(options.get("source", "SOURCE")))
    told = {name: value for name, value in options.items() if name != "source"}
    line = command_line(command, {"out": str(folder)} | told)
    return line.replace(command, f"{command} {source}", 1) + ("" if options else " ...")
