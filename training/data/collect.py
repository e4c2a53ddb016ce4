"""`infant-arm collect`: the infant babbles, and a data set is written."""

import dataclasses
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, structs
from tqdm import tqdm

from agents.tools.files import replacing, write_json
from infant_env.body.checks import checked_eye_size
from infant_env.body.description import SENSED, Body
from infant_env.body.model import ArmModel
from infant_env.body.raw.mjcf_files import BODY, MjcfFiles
from infant_env.errors import UserError
from infant_env.senses.acuity import checked_acuity
from infant_env.senses.sense import FOVEA_SIZE, Sense, checked_senses

from ..runs.config import Many, OnCluster, Workers
from ..runs.device import Device
from ..runs.folder import versions
from ..runs.in_turn import turn
from . import shards
from .babbled_shards import agent_of, babbled, reasons
from .background import background, checksum
from .dataset import Dataset
from .first_look import check_view
from .folder import check_empty, check_same, found_in, other_than_shards
from .info import DatasetInfo
from .recipe.arm_options import as_option, seen_of_json
from .recipe.body_options import BodyOptions
from .recipe.recipe import Recipe

Pixels = Annotated[int, Meta(ge=1, le=8192)]
_BYTES_PER_PIXEL = 0.8  # compressed frame, cached picture, and some reserve


@dataclass(frozen=True)
class Config(BodyOptions, OnCluster):
    """Let the arm babble and write a data set."""

    out: Path
    """Folder of the data set."""
    samples: Many = 20_000
    """Poses to keep (paper: 20,000)."""
    eye_size: tuple[Pixels, Pixels] = (300, 500)
    """Rows and columns of a frame (paper: 300x500)."""
    shard_size: Many = 250
    """Samples in one sealed file; a kill loses at most this many per worker."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    """Sample i depends only on the seed and i."""
    workers: Workers = os.cpu_count() or 1
    """Number of processes on this machine; any number gives the same data."""
    device: Device = "auto"
    """Not used: rendering takes the graphics card if there is one."""
    append: bool = False
    """Enlarge the data set in this folder to --samples; its poses are kept, but for those of a last shard that is not full."""

    @property
    def recipe(self) -> Recipe:
        """The settings that the data depend on; the body's MJCF is the copy in the data set's folder.

        Raises:
            UserError: an MJCF file is given without the names of its arm's joints, or a sense or the acuity is
                unknown or out of range.
        """
        own = ("mjcf", "name", "senses", "acuity", "eyes", "seen", "recording")
        named = {name: getattr(self, name) for name in Recipe.__struct_fields__ if name not in own}
        mjcf = None if self.mjcf is None else str(self.out.resolve() / BODY)
        told = {name: getattr(self, name) for name in SENSED}
        other = {"mjcf": str(self.mjcf), "joints": self.arm_joints, "eye_camera": self.eye_camera} if self.mjcf else {}
        eyes = Body.from_dict(other | told).eyes or "right"  # errors name the file that the user gave
        recipe = Recipe(**named, mjcf=mjcf, name=self.body, eyes=eyes)
        given = self.senses if isinstance(self.senses, str) else {n: Sense(*pair) for n, pair in self.senses.items()}
        body = _named(recipe.body, self.mjcf)
        senses = {
            name: (each.noise, each.delay_ms) for name, each in checked_senses(given, body, touch=self.touch).items()
        }
        seen = seen_of_json(self.seen)
        return structs.replace(recipe, senses=senses, acuity=checked_acuity(self.acuity, body), seen=seen)


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
    del own["recording"]
    own |= {"body": own.pop("name"), "mjcf": Path(own["mjcf"]) if own["mjcf"] else None}
    own["seen"] = as_option(own["seen"])
    return Config(out, **own | {"seed": seed, "workers": workers} | changes)


def run(config: Config) -> Dataset:
    """Collects the missing part of a data set, with a progress bar; after a kill it goes on."""
    return collected(config)[0]


def collected(config: Config) -> tuple[Dataset, float]:
    """As `run`; and the processor seconds of other processes."""
    with turn(config.out, "collect", "collects"):
        info = _prepared(config)
        spent = _collect(config, info)
        return Dataset.open(config.out), spent


def prepare(config: Config) -> DatasetInfo:
    """Makes the folder with its `dataset.json` and its body, or checks that the folder holds this data set.

    Raises:
        UserError: the folder holds something else, or the body cannot be used.
    """
    with turn(config.out, "collect", "collects"):
        return _prepared(config)


def _collect(config: Config, info: DatasetInfo) -> float:
    lengths = info.recipe.lengths
    missing = [k for k in range(len(lengths)) if not shards.shard_is_whole(config.out, k, info, frames=True)]
    _check_space(config, sum(lengths[k] for k in missing))
    done = config.samples - sum(lengths[k] for k in missing)
    bar = tqdm(total=config.samples, initial=done, desc="collect", unit="pose", smoothing=0.1)
    spent = babbled(config.out, info, missing, config.workers, config.cluster, bar)
    shards.write_index(config.out, lengths)
    rejected = Dataset(config.out, info).column("rejected").sum(axis=0)
    counts = dict(zip(reasons(info.recipe), map(int, rejected), strict=True))
    seen = checksum(background(config.out, info))
    found = structs.replace(info, accepted=config.samples, rejected=counts, background=seen)
    write_json(config.out / "dataset.json", found.as_json())
    return spent


def _prepared(config: Config) -> DatasetInfo:
    before = found = found_in(config.out)
    files = None if config.mjcf is None else _read(config.mjcf, config.out)
    recipe = config.recipe
    if found is not None and config.mjcf is not None and not found.recipe.keeps_body:
        recipe = structs.replace(recipe, mjcf=str(config.mjcf.resolve()))  # version 0.1 recorded the path
    arm = ArmModel.of(_named(recipe.body, config.mjcf), tested=found is not None, files=files)
    fingerprint = files.fingerprint if files and recipe.keeps_body else arm.fingerprint
    info = DatasetInfo.begin(recipe, arm, fingerprint, versions())
    if found is not None and found.identity() != info.identity():
        found = other_than_shards(config.out, found, info)
        before = found
    if config.append:
        found = _enlarged(config, found)
    if found is not None:
        check_same(config.out, found, info)
        info = structs.replace(info, versions=found.versions, background=found.background, began_with=found.began_with)
    else:
        checked_eye_size(config.eye_size)
        check_view(arm, recipe)
        _check_folder(config.out, info)
    if files is not None and recipe.keeps_body:
        _keep_body(config.out, files)
    if found is None or found is not before or not (config.out / "dataset.json").exists():
        write_json(config.out / "dataset.json", info.begun.as_json())
    background(config.out, info)
    return info


def _enlarged(config: Config, found: DatasetInfo | None) -> DatasetInfo:
    """The description of the data set that is there, enlarged to the asked number of samples."""
    if found is None:
        raise UserError(f"got --append, but {config.out} holds no data set; collect one without --append first")
    return found.enlarged(config.samples)


def _check_folder(folder: Path, wanted: DatasetInfo) -> None:
    """Raises a UserError if a folder without a description holds something else than this data set."""
    if any((folder / "shards").glob("shard-*.h5")):
        _check_poses(folder, wanted)  # shards of version 0.1 hold no description
    else:
        check_empty(folder)


def _check_poses(folder: Path, wanted: DatasetInfo) -> None:
    """Raises a UserError unless the first pose of a shard of this folder is the one that would be collected now."""
    recipe = wanted.recipe
    whole = (k for k in range(len(recipe.lengths)) if shards.shard_is_whole(folder, k, wanted))
    shard = next(whole, None)
    if shard is not None:
        agent = agent_of(wanted)
        first = agent.sample(shard * recipe.shard_size).joints
        agent.close()
        if np.allclose(first, Dataset(folder, wanted).column("joints", shard * recipe.shard_size), atol=1e-6):
            return
    raise UserError(f"{folder} holds shards of another data set; give the options of its collection, or another --out")


def _named(body: Body, mjcf: Path | None) -> Body:
    """The body with the path that the user gave, for messages."""
    return body if mjcf is None else dataclasses.replace(body, mjcf=str(mjcf))


def _read(mjcf: Path, folder: Path) -> MjcfFiles:
    """The content of the body's MJCF file.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    if not mjcf.exists() and (folder / BODY).exists():
        raise UserError(
            f"{mjcf} is missing; give --mjcf {folder / BODY}, the body that collected this data set, to go on with it"
        )
    return MjcfFiles.read(mjcf)


def _keep_body(folder: Path, files: MjcfFiles) -> None:
    """Writes the data set's `body.zip`, unless it is there already."""
    try:
        if MjcfFiles.read(folder / BODY) == files:
            return
    except UserError:
        pass  # missing or damaged
    with replacing(folder / BODY) as temporary:
        files.write(temporary)


def _size(count: float) -> str:
    return tqdm.format_sizeof(count, "B")


def _check_space(config: Config, samples: int) -> None:
    (rows, columns), fovea = config.eye_size, config.fovea * FOVEA_SIZE[0] * FOVEA_SIZE[1]
    needed = samples * ((rows * columns + fovea) * _BYTES_PER_PIXEL + 20_000)
    free = shutil.disk_usage(config.out).free
    if free < needed:
        raise UserError(
            f"{config.out} has {_size(free)} free, expected about {_size(needed)} for {samples:,} samples; "
            "free some space or choose another disk with --out"
        )
