"""The data set's files: sealed HDF5 shards, a cache of their preprocessed pictures, and an index over them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing
from infant_env.senses import vision

from .info import DatasetInfo


def shard_path(folder: Path, shard: int) -> Path:
    """Path of a shard of a data set."""
    return folder / "shards" / f"shard-{shard:05d}.h5"


def cache_path(folder: Path, shard: int, format: vision.Format = vision.GRAY) -> Path:
    """Path of the preprocessed pictures of a shard."""
    return folder / "cache" / format.name / f"shard-{shard:05d}.npy"


def write_shard(folder: Path, shard: int, columns: Mapping[str, NDArray[Any]]) -> None:
    """Writes one sealed shard, and before it the cache of its preprocessed pictures.

    Args:
        folder: the data set's folder.
        shard: number of the shard.
        columns: arrays with one row per sample; `eye` is compressed frame by frame.
    """
    with replacing(cache_path(folder, shard)) as temporary, open(temporary, "wb") as file:
        np.save(file, np.stack([vision.to_gray(eye) for eye in columns["eye"]]))
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:  # so a full disk fails only below
        for name, column in columns.items():
            chunks = (1, *column.shape[1:]) if name == "eye" else column.shape
            options = {"compression": "gzip", "compression_opts": 1} if name == "eye" else {}
            file.create_dataset(name, data=column, chunks=chunks, fletcher32=True, **options)
        file.flush()
        content = file.id.get_file_image()
    with replacing(shard_path(folder, shard)) as temporary:
        temporary.write_bytes(content)


def shard_is_whole(folder: Path, shard: int, info: DatasetInfo) -> bool:
    """Whether a shard can be read and holds frames and joints of the shapes that its data set prescribes."""
    samples = info.recipe.lengths[shard]
    eyes, joints = (samples, *info.recipe.eye_size, 3), (samples, len(info.body.joint_names))
    try:
        with h5py.File(shard_path(folder, shard)) as file:
            same = (file["eye"].shape, file["joints"].shape) == (eyes, joints)
            return same and bool(np.isfinite(file["joints"][:]).all())
    except (OSError, KeyError):
        return False


def write_index(folder: Path, lengths: list[int]) -> None:
    """Writes `index.h5`, virtual data sets over all shards.

    Args:
        folder: the data set's folder.
        lengths: samples in each shard.
    """
    with h5py.File(shard_path(folder, 0)) as file:
        columns = {name: (column.shape[1:], column.dtype) for name, column in file.items()}
    with replacing(folder / "index.h5") as temporary, h5py.File(temporary, "w") as index:
        for name, (shape, dtype) in columns.items():
            layout = h5py.VirtualLayout((sum(lengths), *shape), dtype)
            start = 0
            for shard, length in enumerate(lengths):
                relative = str(shard_path(folder, shard).relative_to(folder))
                layout[start : start + length] = h5py.VirtualSource(relative, name, (length, *shape))
                start += length
            index.create_virtual_dataset(name, layout)
