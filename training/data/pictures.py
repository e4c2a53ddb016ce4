"""The preprocessed pictures of a data set: cached on disk, in memory or read on request."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infant_env.senses.vision import Format

from .columns import Columns
from .files import index
from .files.index import PicturesOnDisk
from .shards import cache_path, read_cache, write_cache

IN_MEMORY = 2**31
"""All pictures of a data set are held in memory up to so many bytes."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """The preprocessed pictures of one column of frames."""

    columns: Columns
    """The data set's columns."""
    joints: NDArray[np.float32]
    """Its poses, (N, J): pictures in the cache are those of certain poses."""
    format: Format
    """Their format."""
    frames: str
    """The column of the frames."""

    def all(self, of: str) -> NDArray[np.float32] | PicturesOnDisk:
        """All of them, shape (N, *format.shape), in [0, 1]; read on request if they exceed `IN_MEMORY`.

        Args:
            of: the fingerprint of the data set.
        """
        shape, shards = (len(self.joints), *self.format.shape), range(len(self.columns.shards))
        if math.prod(shape) * 4 <= IN_MEMORY:
            return np.concatenate([self._of_shard(shard) for shard in shards])
        paths = [cache_path(self.columns.path, shard, self.format, self.frames) for shard in shards]

        def is_whole(shard: int) -> bool:
            return self._of_shard(shard) is not None  # it is made again if need be

        index.whole(paths, paths[0].parent / "checked.npy", of, is_whole)
        return PicturesOnDisk(shape, self.columns.info.recipe.shard_size, paths)

    def _of_shard(self, shard: int) -> NDArray[np.float32]:
        folder, info = self.columns.path, self.columns.info
        start, samples = shard * info.recipe.shard_size, info.recipe.lengths[shard]
        joints = self.joints[start : start + samples]
        found = read_cache(folder, shard, info, joints, self.format, self.frames)
        if found is not None:
            return found
        pictures = np.stack([self._squeezed(shard, place) for place in range(samples)])
        write_cache(folder, shard, pictures, info, joints, self.format, self.frames)
        return pictures

    def _squeezed(self, shard: int, place: int) -> NDArray[np.float32]:
        return self.format.squeeze(self.columns.read_shard(shard, self.frames, np.array([place]))[0])
