"""What lets a large data set open at once and exceed the memory: what is known of its shards, and pictures on disk.

A data set of more than `MANY` shards keeps in `cache/` the size and time of each shard when it was last checked, and each small
column in one file; both may be deleted. A shard whose size or time has changed is checked again.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import sealed

MANY = 200
"""Up to this many shards are opened one by one."""
_SEAL = 32  # bytes at the end of a file of `sealed`


def stamps(paths: Sequence[Path]) -> NDArray[np.int64]:
    """Size in bytes and time of change in ns of each of some files of a folder, shape (S, 2); -1 for a missing one."""
    folder = paths[0].parent
    found = {entry.name: entry.stat() for entry in os.scandir(folder)} if folder.is_dir() else {}
    each = (found.get(path.name) for path in paths)
    return np.array([(s.st_size, s.st_mtime_ns) if s else (-1, -1) for s in each], np.int64).reshape(-1, 2)


def whole(paths: Sequence[Path], kept: Path, of: str, is_whole: Callable[[int], bool]) -> list[bool]:
    """Whether each of many files is whole; only those are read that changed since they were last checked.

    Args:
        paths: the files, all in one folder.
        kept: the file that keeps what was checked.
        of: all that the files depend on.
        is_whole: reads a file, or makes it again.
    """
    now, before = stamps(paths), sealed.read(kept, of)
    same = (before == now).all(1) if before is not None and before.shape == now.shape else np.zeros(len(paths), bool)
    result = [bool(same[k]) or is_whole(k) for k in range(len(paths))]
    if all(result) and not same.all():
        _write(kept, stamps(paths), of)
    return result


def column(paths: Sequence[Path], kept: Path, of: str, read: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """A whole small column of many shards.

    Args:
        paths: the shards.
        kept: the file that keeps the column.
        of: the identity of the data set.
        read: reads the column from the shards.
    """
    of += hashlib.sha256(stamps(paths).tobytes()).hexdigest()
    found = sealed.read(kept, of)
    if found is None:
        found = read()
        _write(kept, found, of)
    return found


def _write(path: Path, array: NDArray[Any], of: str) -> None:
    with suppress(OSError):  # a disk that may only be read
        sealed.write(path, array, of)


class PicturesOnDisk:
    """Pictures that are read from their cache when they are indexed, like an array of shape (N, ...), float32.

    Args:
        shape: their shape, (N, ...).
        shard_size: pictures in each file but the last.
        paths: the files of all shards; they are checked already.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, shape: tuple[int, ...], shard_size: int, paths: Sequence[Path]) -> None:
        self.shape, self._size, self._paths = shape, shard_size, paths

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        """Pictures of some samples: a slice, indices in any order, a mask, or one index."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        given = np.asarray(rows)
        wanted = np.flatnonzero(given) if given.dtype == bool else given.reshape(-1) % len(self)
        out = np.empty((len(wanted), *self.shape[1:]), np.float32)
        order = np.argsort(wanted, kind="stable")
        numbers, starts = np.unique(wanted[order] // self._size, return_index=True)
        for shard, places in zip(numbers, np.split(order, starts[1:]) if len(order) else (), strict=True):
            self._read(int(shard), wanted[places] - shard * self._size, places, out)
        return out if given.ndim else out[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _read(self, shard: int, rows: NDArray[np.int64], places: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """Reads some pictures of a shard to their places."""
        one = out[0].nbytes
        with open(self._paths[shard], "rb", buffering=0) as file:
            length = min(self._size, len(self) - shard * self._size)
            start = os.fstat(file.fileno()).st_size - _SEAL - length * one
            for row, place in zip(rows, places, strict=True):
                file.seek(start + int(row) * one)
                file.readinto(out[place].view(np.uint8).reshape(-1))
