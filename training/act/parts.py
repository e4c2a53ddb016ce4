"""Reaching in parts, each in a process of its own: what came out of each, as files that survive a kill."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing

from ..runs.pool import Task, run_all
from ..runs.unless_done import key_of

GOALS = 20
"""Goals in a part."""


@dataclass(frozen=True)
class End:
    """The end of a reach."""

    joints: NDArray[np.float32]
    hands: NDArray[np.float64]
    """Places of the hands, shape (H, 3), m."""
    picture: NDArray[np.float32]
    looks: int = 0
    ideas: int = 1
    """Number of hypotheses that the agent tried."""


@dataclass(frozen=True)
class Tried:
    """The ends of a method's reaches."""

    ends: list[End]
    thinking: float
    """Seconds before the movements, for all goals together."""
    moving: float = 0.0
    """Seconds of thinking during these movements."""

    @property
    def seconds(self) -> float:
        """Seconds of thinking."""
        return self.thinking + self.moving


@dataclass(frozen=True)
class Part:
    """Some of the goals of a command."""

    config: Any
    first: int
    last: int
    """The first one that does not belong to it."""
    path: Path
    """Its file."""

    def write(self, tried: dict[str, Tried]) -> None:
        """Writes what was tried, by method."""
        columns: dict[str, Any] = {}
        for name, one in tried.items():
            columns |= {f"{name} {key}": np.array([getattr(e, key) for e in one.ends]) for key in End.__annotations__}
            columns[f"{name} seconds"] = np.array([one.thinking, one.moving])
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, **columns)

    def read(self) -> dict[str, Tried]:
        """Reads what was tried, by method."""
        with np.load(self.path, allow_pickle=False) as file:
            names = [name.removesuffix(" seconds") for name in file.files if name.endswith(" seconds")]
            return {name: Tried(_ends(file, name), *map(float, file[f"{name} seconds"])) for name in names}


def _ends(file: Any, name: str) -> list[End]:
    columns = [file[f"{name} {key}"] for key in End.__annotations__]
    return [End(j, h, p, int(looks), int(ideas)) for j, h, p, looks, ideas in zip(*columns, strict=True)]


def tried_in_parts(config: Any, goals: int, run: Callable[[Part], None]) -> tuple[dict[str, Tried], float]:
    """What was tried on a cluster, by method, and the processor seconds; finished parts of an interrupted command are kept.

    Args:
        config: the command's config.
        goals: number of goals.
        run: tries a part and writes its file.
    """
    folder, alone = config.run / "parts" / key_of(config)[:16], replace(config, cluster=None, video=False)
    starts = range(0, goals, GOALS)
    parts = [Part(alone, first, first + GOALS, folder / f"{first}.npz") for first in starts]
    missing = [part for part in parts if not part.path.exists()]
    tasks = [Task(f"goals from {part.first}", run, part, config.run / "reach.log") for part in missing]
    spent = run_all(tasks, config.run, 1, config.cluster) if tasks else 0.0
    found = [part.read() for part in parts]
    tried = {
        name: Tried([e for each in found for e in each[name].ends], one.thinking, sum(f[name].moving for f in found))
        for name, one in found[0].items()
    }
    shutil.rmtree(folder)
    return tried, spent
