"""Writes a recording as a data set: sealed shards, the picture without the arm, and the description."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from tqdm import tqdm

from agents.tools.files import write_json
from infant_env.body.checks import checked_eye_size
from infant_env.errors import UserError

from ..data import shards
from ..data.background import BACKGROUND, background, checksum, some_frames
from ..data.background import write as write_background
from ..data.dataset import Dataset
from ..data.folder import check_empty, check_same, found_in, other_than_shards
from ..data.info import SCHEMA, DatasetInfo
from ..data.recipe.recipe import Recipe
from ..data.recipe.record import BodyRecord, Camera
from ..data.recipe.recording import Recording
from ..runs.folder import versions
from .poses import Ranges
from .sources.source import Floats, Frame, Source

_SAME = 10  # a byte that differs by less from the median shows the same thing
_DOUBTFUL = 0.02  # share of the pixels


@dataclass(frozen=True)
class Import:
    """A recording, and how it becomes a data set."""

    source: Source
    angles: Floats
    """All joints, (N, J), rad."""
    ranges: Ranges
    """The joints' ranges, rad."""
    recording: Recording
    background: NDArray[np.uint8] | None
    """The picture without the arm; None: the median of the frames."""
    shard_size: int
    options: dict[str, Any]
    """The options of the command, as JSON."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """The moments that are imported."""
        return np.arange(0, len(self.angles), self.recording.every)

    def info(self, eye_size: tuple[int, int]) -> DatasetInfo:
        """The description of the data set before its first shard."""
        names, camera = self.source.joint_names, Camera(self.source.camera, eye_size)
        recipe = Recipe(
            samples=len(self.rows), eye_size=eye_size, shard_size=self.shard_size, seed=0, recording=self.recording,
            age_months=0, min_arm_in_view=0, mjcf=None, arm_joints=(), arm_bodies=(), eye_camera=camera.name,
        )  # fmt: skip
        return DatasetInfo(SCHEMA, recipe, BodyRecord("", names, self.ranges), camera, versions())


def write(folder: Path, given: Import) -> Dataset:
    """Writes what is missing of a data set; after a kill it goes on.

    Raises:
        UserError: the folder holds something else, or a frame does not fit the others.
    """
    size = np.shape(next(given.source.frames(given.rows[:1])))[:2]
    wanted = given.info(checked_eye_size(size))
    if given.background is not None and given.background.shape[:2] != size:
        told = "x".join(map(str, given.background.shape[1::-1]))
        raise UserError(f"got a --background of {told} pixels, expected {size[1]}x{size[0]} as the frames")
    info = _begun(folder, structs.replace(wanted, imported=given.options))
    if given.background is not None:
        write_background(folder / BACKGROUND, given.background)
    missing = [k for k in range(len(info.recipe.lengths)) if not shards.shard_is_whole(folder, k, info, frames=True)]
    _write_shards(folder, given, info, missing)
    shards.write_index(folder, info.recipe.lengths)
    seen = background(folder, info)
    done = structs.replace(info, accepted=info.recipe.samples, rejected={}, background=checksum(seen))
    write_json(folder / "dataset.json", done.as_json())
    if given.background is None:
        print(_remark(folder, info, seen))
    return Dataset.open(folder)


def _begun(folder: Path, wanted: DatasetInfo) -> DatasetInfo:
    """Makes the folder with its description, or checks that it holds this data set."""
    found = found_in(folder)
    if found is not None and found.identity() != wanted.identity():
        found = other_than_shards(folder, found, wanted)
    if found is None:
        check_empty(folder)
        write_json(folder / "dataset.json", wanted.as_json())
        return wanted
    check_same(folder, found, wanted)
    return structs.replace(wanted, versions=found.versions, background=found.background)


def _write_shards(folder: Path, given: Import, info: DatasetInfo, missing: list[int]) -> None:
    size, rows = given.shard_size, given.rows
    if not missing:
        return
    parts = [rows[shard * size : (shard + 1) * size] for shard in missing]
    frames = iter(given.source.frames(np.concatenate(parts)))
    with tqdm(total=len(rows), initial=len(rows) - sum(map(len, parts)), desc="import", unit="frame") as bar:
        for shard, part in zip(missing, parts, strict=True):
            columns = {"eye": np.stack([_fitting(frame, info, row) for row, frame in _numbered(part, frames)])}
            columns["joints"] = given.angles[part].astype(np.float32)
            columns["episode"] = given.source.episodes[part].astype(np.int32)
            if given.source.hands is not None:
                columns["hand_position"] = given.source.hands[part].astype(np.float32)
            shards.write_shard(folder, shard, columns, info)
            bar.update(len(part))


def _numbered(rows: NDArray[np.int64], frames: Iterator[Frame]) -> Iterator[tuple[int, Frame]]:
    for row in rows:
        frame = next(frames, None)
        if frame is None:
            raise UserError(f"got no frame {row + 1}, expected one for each row of joints")
        yield int(row), frame


def _fitting(frame: Frame, info: DatasetInfo, row: int) -> Frame:
    if frame.shape[:2] != info.recipe.eye_size:
        had, wanted = ("x".join(map(str, size[::-1])) for size in (frame.shape[:2], info.recipe.eye_size))
        raise UserError(f"frame {row + 1} is {had} pixels, the first one is {wanted}; expected frames of one size")
    return frame


def _remark(folder: Path, info: DatasetInfo, seen: Frame) -> str:
    """How far the estimated picture without the arm can be trusted."""
    same = np.abs(some_frames(folder, info).astype(np.int16) - seen).max(-1) < _SAME  # (n, H, W)
    doubtful = float((same.mean(0) < 0.5).mean())
    told = f"{folder / BACKGROUND}: the picture without the arm, estimated as the median of the frames"
    if doubtful < _DOUBTFUL:
        return told
    return (
        f"{told}. At {doubtful:.0%} of the pixels no color lasts for half of the frames, so it is doubtful there: the arm is "
        "there too often, or the camera or the light changes. A picture of the room without the arm is better: --background"
    )
