"""What an export writes of a data set: its episodes, and where it is built until it is complete."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.tools.files import checksum, remove_leftovers

from ...data.dataset import Dataset

AT_ONCE = 100
"""Frames that are read together."""


def episodes_of(data: Dataset) -> list[NDArray[np.int64]]:
    """The samples of each episode.

    A recording has its own episodes. Simulated poses are drawn one by one; they have no order in time, and each shard of them
    counts as one episode.
    """
    if not data.recorded:
        starts = np.cumsum(data.info.recipe.lengths)[:-1]
    else:
        starts = np.flatnonzero(np.diff(data.column("episode"))) + 1
    return np.split(np.arange(len(data)), starts)


def states_of(data: Dataset) -> dict[str, tuple[NDArray[np.float32], list[str]]]:
    """What is exported beside the frames, (N, D) each, and the names of its numbers."""
    states = {"joints": (data.joints, list(data.joint_names))}
    if data.knows_hand:
        sides = [f"{side}_" for side in ("right", "left")] if data.body.arms == "both" else [""]
        places = data.hand_positions.reshape(len(data), -1)
        states["hand_position"] = places, [f"{side}hand_{axis}" for side in sides for axis in "xyz"]
    return states


@contextmanager
def unfinished(target: Path, data: Dataset, told: str) -> Iterator[Path]:
    """The folder of an export; at the end it gets its name at once. After a kill the same export goes on in it.

    Args:
        target: the folder with its final name.
        data: the data set.
        told: all options of the export.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    key = checksum({"data": data.fingerprint, "told": told})[:12]
    folder = target.with_name(f".{target.name}.{key}.unfinished")
    folder.mkdir(exist_ok=True)
    remove_leftovers(folder)
    yield folder
    folder.rename(target)


def discard(folder: Path) -> None:
    """Empties the folder of an unfinished export that cannot go on."""
    shutil.rmtree(folder)
    folder.mkdir()
