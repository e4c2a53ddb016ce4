"""Reads the columns of a data set's shards, and says what is damaged."""

import json
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from agents.tools.files import DamagedFileError

from .files import index
from .info import DatasetInfo, collect_line, info_in_shards
from .shards import FRAMES, UNREADABLE, shard_is_whole, shard_path


@dataclass(frozen=True, eq=False)
class Columns:
    """The shards of a complete data set."""

    path: Path
    """The data set's folder."""
    info: DatasetInfo
    """Its description."""

    def check(self) -> None:
        """Raises a DamagedFileError if a shard is damaged, or if `dataset.json` is that of another data set."""
        is_whole = partial(shard_is_whole, self.path, info=self.info)
        if len(self.shards) <= index.MANY:
            whole = list(map(is_whole, range(len(self.shards))))
        else:
            whole = index.whole(self.shards, self.path / "cache" / "checked.npy", self._identity, is_whole)
        if not any(whole):
            self._check_description()
        if not all(whole):
            raise self._damaged(whole.index(False))

    def read(self, name: str, rows: Any = slice(None)) -> NDArray[Any]:
        """Some samples of a column, in the order that is asked for; by default all.

        Raises:
            DamagedFileError: a shard is damaged, or has no such column.
        """
        many = len(self.shards) > index.MANY and name not in FRAMES
        if many and isinstance(rows, slice) and rows == slice(None):
            kept = self.path / "cache" / "columns" / f"{name}.npy"
            return index.column(self.shards, kept, self._identity, lambda: self._rows(name, rows))
        return self._rows(name, rows)

    def read_shard(self, shard: int, name: str, places: NDArray[np.int64]) -> NDArray[Any]:
        """Samples of one shard, at rising places.

        Raises:
            DamagedFileError: the shard is damaged, or has no such column.
        """
        try:
            with h5py.File(shard_path(self.path, shard)) as file:
                whole = len(places) == len(file[name])
                rows: NDArray[Any] = file[name][:] if whole else file[name][places]
        except UNREADABLE:
            raise self._damaged(shard) from None
        return rows

    @cached_property
    def shards(self) -> list[Path]:
        """The paths of all shards."""
        return [shard_path(self.path, shard) for shard in range(len(self.info.recipe.lengths))]

    @cached_property
    def _identity(self) -> str:
        return json.dumps(self.info.identity(), sort_keys=True)

    def _rows(self, name: str, rows: Any) -> NDArray[Any]:
        samples = np.arange(self.info.recipe.samples)[rows]
        order, back = np.unique(samples, return_inverse=True)  # HDF5 reads only in rising order
        shards, places = np.divmod(order, self.info.recipe.shard_size)
        numbers, starts = np.unique(shards, return_index=True)
        each = zip(numbers, np.split(places, starts[1:]), strict=True) if len(order) else [(0, places)]
        return np.concatenate([self.read_shard(int(shard), name, part) for shard, part in each])[back]

    def _check_description(self) -> None:
        """Raises a DamagedFileError if `dataset.json` is that of another data set than the shards."""
        own = info_in_shards(self.path)
        if own is not None and own.identity() != self.info.identity():
            told = self.path / "dataset.json"
            raise DamagedFileError(
                f"{told} describes another data set than the shards beside it; run `{collect_line(self.path, own)}`: it keeps "
                "the shards and writes this file again",
                told,
            )

    def _damaged(self, shard: int) -> DamagedFileError:
        path, recipe = self.shards[shard], self.info.recipe
        rows, columns = recipe.eye_size
        return DamagedFileError(
            f"{path} is damaged or missing, expected a shard of {recipe.lengths[shard]} samples, pictures of {rows}x{columns} "
            f"and {len(self.info.body.joint_names)} joints; run `{collect_line(self.path, self.info)}`: it collects only that "
            "shard",
            path,
        )
