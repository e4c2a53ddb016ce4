"""`infant-arm collect`: the infant babbles, and a data set is written."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, structs
from tqdm import tqdm

from agents.babbling import BabblingAgent
from agents.tools.files import DamagedFileError, write_json
from infant_env.body.built_in.anthropometry import OLDEST, YOUNGEST
from infant_env.body.checks import checked_eye_size
from infant_env.errors import UserError

from ..runs.config import Checked, Many, Workers
from ..runs.device import Device
from ..runs.folder import versions
from ..runs.in_turn import turn
from . import shards
from .babbled_shards import REASONS, babbled
from .background import BACKGROUND, background, checksum
from .dataset import Dataset
from .info import DatasetInfo, Recipe, info_in_shards, read_info

_Pixels = Annotated[int, Meta(ge=1, le=8192)]
_BYTES_PER_PIXEL = 0.8  # compressed frame, cached picture, and some reserve


@dataclass(frozen=True)
class Config(Checked):
    """Let the arm babble and write a data set."""

    out: Path
    """Folder of the data set."""
    samples: Many = 20_000
    """Poses to keep (paper: 20,000)."""
    eye_size: tuple[_Pixels, _Pixels] = (300, 500)
    """Rows and columns of a frame (paper: 300x500)."""
    body: str = "infant"
    """Name of the built-in body that babbles."""
    age_months: Annotated[float, Meta(ge=YOUNGEST, le=OLDEST)] = 12.0
    """Age of a body that grows."""
    min_arm_in_view: Annotated[float, Meta(ge=0, lt=1)] = 0.01
    """A pose is kept if the arm covers this share of the pixels or more."""
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
    shard_size: Many = 250
    """Samples in one sealed file; a kill loses at most this many per worker."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    """Sample i depends only on the seed and i."""
    workers: Workers = os.cpu_count() or 1
    """Number of processes; any number gives the same data."""
    device: Device = "auto"
    """Not used: rendering takes the graphics card if there is one."""

    @property
    def recipe(self) -> Recipe:
        """The settings that the data depend on.

        Raises:
            UserError: an MJCF file is given without the names of its arm's joints.
        """
        named = {name: getattr(self, name) for name in Recipe.__struct_fields__ if name not in ("mjcf", "name")}
        return Recipe(**named, mjcf=None if self.mjcf is None else str(self.mjcf.resolve()), name=self.body)


def again(data: Dataset, out: Path, seed: int, workers: int, **changes: Any) -> Config:
    """The Config that collects other poses with a data set's body and eye.

    Args:
        data: the data set.
        out: folder of the new data set.
        seed: seed of the new data set.
        workers: number of processes.
        changes: fields of `Config` that differ from the data set.
    """
    own = structs.asdict(data.info.recipe)
    own |= {"body": own.pop("name"), "mjcf": Path(own["mjcf"]) if own["mjcf"] else None}
    return Config(out, **own | {"seed": seed, "workers": workers} | changes)


def run(config: Config) -> Dataset:
    """Collects the missing part of a data set, with a progress bar; after a kill it goes on."""
    info = DatasetInfo.begin(config.recipe, versions())  # raises an error before the folder is made
    with turn(config.out, "collect", "collects"):
        return _collect(config, _prepared(config, info))


def prepare(config: Config) -> DatasetInfo:
    """Makes the folder and its `dataset.json`, or checks that the folder holds this data set.

    Raises:
        UserError: the folder holds something else.
    """
    info = DatasetInfo.begin(config.recipe, versions())
    with turn(config.out, "collect", "collects"):
        return _prepared(config, info)


def _collect(config: Config, info: DatasetInfo) -> Dataset:
    lengths = info.recipe.lengths
    missing = [k for k in range(len(lengths)) if not shards.shard_is_whole(config.out, k, info, frames=True)]
    _check_space(config, sum(lengths[k] for k in missing))
    done = config.samples - sum(lengths[k] for k in missing)
    with tqdm(total=config.samples, initial=done, desc="collect", unit="pose", smoothing=0.1) as bar:
        for poses in babbled(config.out, info, missing, config.workers):
            bar.update(poses)
    shards.write_index(config.out, lengths)
    rejected = Dataset(config.out, info).column("rejected").sum(axis=0)
    counts = dict(zip(REASONS, map(int, rejected), strict=True))
    seen = checksum(background(config.out, info))
    found = structs.replace(info, accepted=config.samples, rejected=counts, background=seen)
    write_json(config.out / "dataset.json", found.as_json())
    return Dataset.open(config.out)


def _prepared(config: Config, info: DatasetInfo) -> DatasetInfo:
    found = _found(config, info)
    if found is not None:
        _check_same(config.out, found, info)
        info = structs.replace(info, versions=found.versions, background=found.background)
    if found is None or not (config.out / "dataset.json").exists():
        checked_eye_size(config.eye_size)
        write_json(config.out / "dataset.json", info.begun.as_json())
    background(config.out, info)
    return info


def _found(config: Config, wanted: DatasetInfo) -> DatasetInfo | None:
    """The description of the data set in the folder; None if there is none.

    Raises:
        UserError: the folder holds something else.
    """
    try:
        return read_info(config.out)
    except DamagedFileError:
        pass  # missing or damaged: written again below
    found = info_in_shards(config.out)
    if found is None and any((config.out / "shards").glob("shard-*.h5")):
        _check_poses(config, wanted)  # shards of version 0.1 hold no description
    elif found is None and config.out.exists() and not all(map(_may_be_replaced, config.out.iterdir())):
        raise UserError(f"{config.out} is not empty and holds no data set; choose another folder with --out")
    return found


def _may_be_replaced(path: Path) -> bool:
    """Whether a file in a folder without shards is one that a collection writes at its start."""
    return path.name.startswith(".") or path.name in ("dataset.json", BACKGROUND)


def _check_poses(config: Config, wanted: DatasetInfo) -> None:
    """Raises a UserError unless the first pose of a shard of this folder is the one that would be collected now."""
    recipe = wanted.recipe
    whole = (k for k in range(len(recipe.lengths)) if shards.shard_is_whole(config.out, k, wanted))
    shard = next(whole, None)
    if shard is not None:
        agent = BabblingAgent(wanted.arm, recipe.eye_size, recipe.seed, recipe.min_arm_in_view)
        first = agent.sample(shard * recipe.shard_size).joints
        agent.close()
        if np.allclose(first, Dataset(config.out, wanted).column("joints", shard * recipe.shard_size), atol=1e-6):
            return
    raise UserError(
        f"{config.out} holds shards of another data set; give the options of its collection, or another --out"
    )


def _check_same(folder: Path, found: DatasetInfo, wanted: DatasetInfo) -> None:
    there, asked = ({**part["config"], **part["body"]} for part in (found.identity(), wanted.identity()))
    keys = [key for key in asked | there if asked.get(key) != there.get(key)]
    if keys:
        other = "; ".join(f"{key} {there.get(key)} (asked for: {asked.get(key)})" for key in keys)
        raise UserError(f"{folder} holds another data set: {other}; choose another folder with --out")


def _size(count: float) -> str:
    return tqdm.format_sizeof(count, "B")


def _check_space(config: Config, samples: int) -> None:
    rows, columns = config.eye_size
    needed = samples * (rows * columns * _BYTES_PER_PIXEL + 20_000)
    free = shutil.disk_usage(config.out).free
    if free < needed:
        raise UserError(
            f"{config.out} has {_size(free)} free, expected about {_size(needed)} for {samples:,} samples; "
            "free some space or choose another disk with --out"
        )
