"""The data set's files: sealed HDF5 shards, a cache of their preprocessed pictures, and an index over them.

A data set is a folder:

- `dataset.json`: schema version, config, body, camera, package versions, counts, checksums; see `DatasetInfo`.
- `body.zip`: the MJCF of another body than the built-in ones with all its files; see `MjcfFiles`.
- `background.png`: what the eye sees without the arm.
- `shards/shard-00000.h5` ...: `eye` (n, H, W, 3) uint8, `eye_left` alike if both eyes see,
  `fovea` (n, 128, 128, 3) uint8 if it was recorded, `joints` (n, J) float32 [rad],
  `felt_joints` alike if the joints have noise, `gaze` (n, G) float32 [rad] if the head turns,
  `touch` (n, P) float32 [N] if touch is felt, `felt_gaze` and `felt_touch` alike if these have noise,
  `approach` (n, J) float32 [rad] for babbled contacts,
  `hand_position` (n, 3) float32 [m], `arm_in_view` and `hand_in_view` (n,) float32 [share of the pixels],
  `left_hand_position` and `left_hand_in_view` alike if both arms move (then the former ones are the right hand's),
  `rejected` (n, 2) int32 [poses rejected before this one; (n, 3) for babbled contacts].
  Attributes: `dataset`, the description with which the collection began, and `sha256`, a checksum.
- `index.h5`: virtual data sets of the same names over all shards, so that h5py alone can read all samples; not read here.
- `cache/`: the preprocessed pictures, under the name of the preprocessing's version; may be deleted.

A shard is written under a temporary name, fsynced and renamed, so that it is never there in part.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing
from infant_env.senses import vision
from infant_env.senses.sense import EYE, EYE_LEFT, FOVEA, frame_size

from .files import sealed
from .info import ABOUT, DatasetInfo

FRAMES = EYE, EYE_LEFT, FOVEA
"""Columns of pictures."""
LIBRARY = "v110", "v110"
"""The format of HDF5 1.10: the first with checksums over all that is not data."""
UNREADABLE = OSError, LookupError, ValueError, TypeError, ArithmeticError, RuntimeError, MemoryError
"""What h5py raises for a damaged file."""
_SEAL = "sha256"
Columns = Mapping[str, NDArray[Any]]


def shard_path(folder: Path, shard: int) -> Path:
    """Path of a shard of a data set."""
    return folder / "shards" / f"shard-{shard:05d}.h5"


def cache_path(folder: Path, shard: int, format: vision.Format = vision.GRAY, eye: str = EYE) -> Path:
    """Path of the preprocessed pictures of a shard and an eye."""
    name = format.name if eye == EYE else f"{format.name}-{eye}"
    return folder / "cache" / name / f"shard-{shard:05d}.npy"


def write_shard(folder: Path, shard: int, columns: Columns, info: DatasetInfo) -> None:
    """Writes one sealed shard, and before it the cache of its preprocessed pictures.

    Args:
        folder: the data set's folder.
        shard: number of the shard.
        columns: arrays with one row per sample; those of `FRAMES` are compressed frame by frame.
        info: the description of the data set; the shard holds it too.
    """
    for eye in (name for name in (EYE, EYE_LEFT) if name in columns):
        pictures = np.stack([vision.to_gray(frame) for frame in columns[eye]])
        write_cache(folder, shard, pictures, info, columns["joints"], eye=eye)
    # in memory, so a full disk fails only below
    with h5py.File("in memory", "w", driver="core", backing_store=False, libver=LIBRARY) as file:
        for name, column in columns.items():
            chunks = (1, *column.shape[1:]) if name in FRAMES else column.shape
            options = {"compression": "gzip", "compression_opts": 1} if name in FRAMES else {}
            file.create_dataset(name, data=column, chunks=chunks, fletcher32=True, **options)
        file.attrs[ABOUT] = json.dumps(info.begun.as_json())
        file.attrs[_SEAL] = _seal(shard, file.attrs[ABOUT], columns)
        file.flush()
        content = file.id.get_file_image()
    with replacing(shard_path(folder, shard)) as temporary:
        temporary.write_bytes(content)


def shard_is_whole(folder: Path, shard: int, info: DatasetInfo, frames: bool = False) -> bool:
    """Whether a shard can be read, and holds what its data set prescribes, as it was collected.

    Args:
        folder: the data set's folder.
        shard: number of the shard.
        info: the description of the data set.
        frames: whether to read the frames too, which takes some milliseconds each.
    """
    try:
        with h5py.File(shard_path(folder, shard)) as file:
            return _fits(file, info.recipe.lengths[shard], info) and _is_sealed(file, shard, info, frames)
    except UNREADABLE:
        return False


def write_cache(
    folder: Path,
    shard: int,
    pictures: NDArray[np.float32],
    info: DatasetInfo,
    joints: NDArray[np.float32],
    format: vision.Format = vision.GRAY,
    eye: str = EYE,
) -> None:
    """Writes the preprocessed pictures of a shard whose poses are `joints`."""
    sealed.write(cache_path(folder, shard, format, eye), pictures, _poses(info, joints, eye))


def read_cache(
    folder: Path, shard: int, info: DatasetInfo, joints: NDArray[np.float32], format: vision.Format, eye: str = EYE
) -> NDArray[np.float32] | None:
    """The preprocessed pictures of a shard whose poses are `joints`; None if they are missing, damaged, or of other poses."""
    return sealed.read(cache_path(folder, shard, format, eye), _poses(info, joints, eye))


def write_index(folder: Path, lengths: list[int]) -> None:
    """Writes `index.h5`, virtual data sets over all shards.

    Args:
        folder: the data set's folder.
        lengths: samples in each shard.
    """
    with h5py.File(shard_path(folder, 0)) as file:
        columns = {name: (column.shape[1:], column.dtype) for name, column in file.items()}
    with replacing(folder / "index.h5") as temporary, h5py.File(temporary, "w", libver=LIBRARY) as index:
        for name, (shape, dtype) in columns.items():
            layout = h5py.VirtualLayout((sum(lengths), *shape), dtype)
            if hasattr(layout, "dcpl"):  # h5py 3.16; older versions write the time, too
                layout.dcpl.set_obj_track_times(False)
            start = 0
            for shard, length in enumerate(lengths):
                relative = str(shard_path(folder, shard).relative_to(folder))
                layout[start : start + length] = h5py.VirtualSource(relative, name, (length, *shape))
                start += length
            index.create_virtual_dataset(name, layout)


def _fits(file: Any, samples: int, info: DatasetInfo) -> bool:
    """Whether frames and joints have the right shapes and types, and whether all frames are there."""
    joints, recipe = file["joints"], info.recipe
    names = [EYE, *([EYE_LEFT] if recipe.eyes == "both" else []), *([FOVEA] if recipe.fovea else [])]
    shapes = {name: (samples, *frame_size(name, recipe.eye_size), 3) for name in names}
    eyes = [(file[name], shape) for name, shape in shapes.items()]
    seen = all((eye.dtype, eye.shape, eye.id.get_num_chunks()) == (np.uint8, shape, samples) for eye, shape in eyes)
    return seen and (joints.dtype, joints.shape) == (np.float32, (samples, len(info.body.joint_names)))


def _is_sealed(file: Any, shard: int, info: DatasetInfo, frames: bool) -> bool:
    """Whether all columns can be read and fit the seal; shards of version 0.1 have no seal."""
    columns = {name: file[name][:] for name in file if name not in FRAMES}
    for name in FRAMES if frames else ():
        for k in range(len(file[name]) if name in file else 0):
            _ = file[name][k]
    if _SEAL in file.attrs:
        about = file.attrs[ABOUT]
        same = _of_samples(json.loads(about)["config"]) == _of_samples(info.recipe.as_json())
        return same and file.attrs[_SEAL] == _seal(shard, about, columns)
    return bool(np.isfinite(columns["joints"]).all())


def _of_samples(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a recipe on which a sample depends: neither the path of the body nor the number of samples."""
    return {name: value for name, value in recipe.items() if name not in ("mjcf", "samples")}


def _seal(shard: int, about: str, columns: Columns) -> str:
    """SHA-256 of a shard's number, description and columns except the frames, which have checksums of their own."""
    digest = hashlib.sha256(f"{shard} {about}".encode())
    for name in sorted(columns.keys() - set(FRAMES)):
        column = np.ascontiguousarray(columns[name])
        digest.update(f"{name} {column.dtype} {column.shape}".encode() + column.tobytes())
    return digest.hexdigest()


def _poses(info: DatasetInfo, joints: NDArray[np.float32], eye: str) -> str:
    """All that an eye's pictures of these poses depend on."""
    own = "" if eye == EYE else eye
    return json.dumps(info.first, sort_keys=True) + hashlib.sha256(joints.tobytes()).hexdigest() + own
