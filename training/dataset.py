"""The data set's format: sealed HDF5 shards, an index over them, and a reader.

A data set is a folder:

- `dataset.json`: schema version, config, body, camera, package versions, counts.
- `background.png`: what the eye sees without the arm.
- `shards/shard-00000.h5` ...: `eye` (n, H, W, 3) uint8, `joints` (n, J) float32 [rad], `hand_position` (n, 3) float32 [m],
  `arm_in_view` and `hand_in_view` (n,) float32 [share of the pixels], `rejected` (n, 2) int32 [poses rejected before this one].
- `index.h5`: virtual data sets of the same names over all shards, so that h5py alone opens the whole.
- `cache/`: derived, may be deleted: the pictures as the agents get them, named by the preprocessing's version.

A shard is written under a temporary name, fsynced and renamed: it is there as a whole or not at all.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from agents.files import replacing
from infant_env import vision
from infant_env.camera import HAND_IN_VIEW

SCHEMA = 1
SPLITS = {"train": 0.6, "validation": 0.2, "test": 0.2}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def shard_path(folder: Path, shard: int) -> Path:
    """Where a shard of a data set lies."""
    return folder / "shards" / f"shard-{shard:05d}.h5"


def cache_path(folder: Path, shard: int, format: vision.Format = vision.GRAY) -> Path:
    """Where the preprocessed pictures of a shard lie."""
    return folder / "cache" / format.name / f"shard-{shard:05d}.npy"


def write_shard(folder: Path, shard: int, columns: Mapping[str, NDArray[Any]]) -> None:
    """Seals one shard, and the cache of its preprocessed pictures before it.

    Args:
        folder: the data set's folder.
        shard: number of the shard.
        columns: arrays with one row per sample; `eye` is compressed picture by picture.
    """
    with replacing(cache_path(folder, shard)) as temporary, open(temporary, "wb") as file:
        np.save(file, np.stack([vision.to_gray(eye) for eye in columns["eye"]]))
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:  # a full disk then fails in one place
        for name, column in columns.items():
            chunks = (1, *column.shape[1:]) if name == "eye" else column.shape
            options = {"compression": "gzip", "compression_opts": 1} if name == "eye" else {}
            file.create_dataset(name, data=column, chunks=chunks, fletcher32=True, **options)
        file.flush()
        content = file.id.get_file_image()
    with replacing(shard_path(folder, shard)) as temporary:
        temporary.write_bytes(content)


def shard_is_whole(folder: Path, shard: int, samples: int) -> bool:
    """Whether a sealed shard opens and holds this many samples."""
    try:
        with h5py.File(shard_path(folder, shard)) as file:
            return len(file["eye"]) == len(file["joints"]) == samples and bool(np.isfinite(file["joints"][:]).all())
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


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set on disk; small columns are read once, pictures when asked for.

    ```python
    data = Dataset.open("data/paper")
    train = data.split("train")  # indices, (12000,)
    data.pictures[train]  # (12000, 64, 64) float32 in [0, 1]
    data.normalized_joints[train]  # (12000, 5) float32 in [0, 1]
    data.eye(train[0])  # (300, 500, 3) uint8
    ```
    """

    path: Path
    info: dict[str, Any]
    """The content of `dataset.json`."""
    format: vision.Format = vision.GRAY
    """What the pictures are squeezed to."""

    @classmethod
    def open(cls, path: str | Path) -> "Dataset":
        """Opens a data set and checks that all of it is there.

        Raises:
            ValueError: there is none, it is of another schema, not complete, or a shard is damaged.
        """
        path = Path(path)
        data = cls(path, read_info(path))
        if "accepted" not in data.info:
            raise ValueError(
                f"the data set {path} is not complete; run the same `infant-arm collect --out {path}` again"
            )
        for shard, samples in enumerate(shard_lengths(data.info["config"])):
            if not shard_is_whole(path, shard, samples):
                raise ValueError(
                    f"{shard_path(path, shard)} is damaged or missing, expected a shard of {samples} samples; "
                    f"run the same `infant-arm collect --out {path}` again: it collects that shard alone"
                )
        return data

    def __len__(self) -> int:
        return int(self.info["config"]["samples"])

    @cached_property
    def joints(self) -> NDArray[np.float32]:
        """Joint angles, shape (N, J), rad."""
        return self._column("joints")

    @cached_property
    def joint_ranges(self) -> NDArray[np.float32]:
        """Lower and upper end of each joint's range, shape (J, 2), rad."""
        return np.array(self.info["body"]["joint_ranges"], np.float32)

    @cached_property
    def normalized_joints(self) -> NDArray[np.float32]:
        """Joint angles scaled to [0, 1] by their range, shape (N, J)."""
        low, high = self.joint_ranges.T
        return (self.joints - low) / (high - low)

    @cached_property
    def hand_position(self) -> NDArray[np.float32]:
        """Position of the hand, shape (N, 3), metres."""
        return self._column("hand_position")

    @cached_property
    def shows_hand(self) -> NDArray[np.bool_]:
        """Whether the hand takes .3 % of the pixels or more, shape (N,)."""
        return self._column("hand_in_view") >= HAND_IN_VIEW

    def eye(self, samples: int | NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        """The pictures as rendered, read from disk, shape (..., H, W, 3)."""
        if isinstance(samples, np.ndarray):
            order, back = np.unique(samples, return_inverse=True)
            return self._column("eye", order)[back]  # HDF5 reads in rising order only
        return self._column("eye", samples)

    @cached_property
    def pictures(self) -> NDArray[np.float32]:
        """All pictures as the agents get them, shape (N, 64, 64), in [0, 1]; cached on disk."""
        return np.concatenate([self._pictures(shard) for shard in range(len(shard_lengths(self.info["config"])))])

    @cached_property
    def background(self) -> NDArray[np.float32]:
        """What the eye sees without the arm, preprocessed, shape (64, 64)."""
        return self.format.squeeze(iio.imread(self.path / "background.png"))

    def squeezed_to(self, format: vision.Format) -> "Dataset":
        """The same with `pictures` (N, *format.shape) and `background` of another format; itself where it is the same one."""
        return self if format == self.format else replace(self, format=format)

    def split(self, name: str) -> NDArray[np.int64]:
        """Indices of the train (60 %), validation (20 %) or test (20 %) samples: a fixed permutation, cut in three."""
        if name not in SPLITS:
            raise ValueError(f"got the split {name!r}, expected one of {list(SPLITS)}")
        order = np.random.default_rng(0).permutation(len(self))
        ends = np.rint(np.cumsum([0.0, *SPLITS.values()]) * len(self)).astype(int)
        k = list(SPLITS).index(name)
        return order[ends[k] : ends[k + 1]]

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the data in checkpoints: a hash of config, body and all joints."""
        head = json.dumps({key: self.info[key] for key in ("schema", "config", "body")}, sort_keys=True)
        return hashlib.sha256(head.encode() + self.joints.tobytes()).hexdigest()

    def _column(self, name: str, rows: Any = slice(None)) -> NDArray[Any]:
        with h5py.File(self.path / "index.h5") as index:
            column: NDArray[Any] = index[name][rows]
            return column

    def _pictures(self, shard: int) -> NDArray[np.float32]:
        cached, samples = cache_path(self.path, shard, self.format), shard_lengths(self.info["config"])[shard]
        try:
            pictures: NDArray[np.float32] = np.load(cached)
            if pictures.shape == (samples, *self.format.shape):
                return pictures
        except (OSError, ValueError, EOFError):
            pass  # absent or cut short: derived anew below
        with h5py.File(shard_path(self.path, shard)) as file:
            pictures = np.stack([self.format.squeeze(eye) for eye in file["eye"]])
        with replacing(cached) as temporary, open(temporary, "wb") as out:
            np.save(out, pictures)
        return pictures


def shard_lengths(config: Mapping[str, Any]) -> list[int]:
    """Samples in each shard of a data set with this config."""
    samples, size = config["samples"], config["shard_size"]
    return [min(size, samples - start) for start in range(0, samples, size)]


def read_info(folder: Path) -> dict[str, Any]:
    """The content of a data set's `dataset.json`.

    Raises:
        ValueError: there is none, it cannot be read, or its schema is another.
    """
    try:
        info: dict[str, Any] = json.loads((folder / "dataset.json").read_text())
    except FileNotFoundError:
        raise ValueError(
            f"{folder} holds no dataset.json; collect one with `infant-arm collect --out {folder}`"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder / 'dataset.json'} cannot be read ({error}); restore it or collect anew") from None
    if info.get("schema") != SCHEMA:
        raise ValueError(f"{folder} has schema {info.get('schema')!r}, this version reads {SCHEMA}; collect it anew")
    return info
