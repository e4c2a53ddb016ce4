"""The results of reinforcement learning: `rl/NAME/seedK/result.json` in a run's folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct

from agents.tools import json_files
from agents.tools.files import DamagedFileError

T = TypeVar("T")
RESULT, CONFIG = "result.json", "config.json"


class Judgment(Struct, frozen=True):
    """The quality of a policy: the shares of the fixed goals that it came near to, and its median distance (cm or degrees)."""

    steps: int
    """Steps of the real infant so far; of imagined ones if there is no real one."""
    seconds: float
    near: float
    far: float
    median: float


class Result(Struct, frozen=True):
    """The result of one seed."""

    judgments: Annotated[list[Judgment], Meta(min_length=1)]
    seconds: float
    model_steps: int
    """Real steps that the world model was learned from, if the learning used one."""
    imagined: bool
    """Whether the learning used no real infant."""


class _Settings(Struct, frozen=True):
    goal: Literal["hand", "joints", "image"]


@dataclass(frozen=True)
class Learned:
    """The results of one way of learning."""

    goal: Literal["hand", "joints", "image"]
    seeds: list[Result]


def result_of(folder: Path) -> Result | None:
    """The result of a seed; None if it is not done.

    Raises:
        DamagedFileError: the file is damaged.
    """
    return _read(folder / RESULT, Result)


def collected(run: Path) -> dict[str, Learned]:
    """The results of all ways of learning in a run, by name.

    Raises:
        DamagedFileError: a file is damaged.
    """
    rows: dict[str, Learned] = {}
    for folder in sorted((run / "rl").glob("*/seed*")):
        result, settings = result_of(folder), _read(folder / CONFIG, _Settings)
        if result is not None:
            if settings is None:
                raise DamagedFileError(f"there is no {folder / CONFIG}; {_mend(folder / CONFIG)}")
            rows.setdefault(folder.parent.name, Learned(settings.goal, [])).seeds.append(result)
    return rows


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return json_files.read(path, kind, _mend(path))
    except FileNotFoundError:
        return None


def _mend(path: Path) -> str:
    name, run = path.parent.parent.name, path.parent.parent.parent.parent
    return f"delete only this file, and run `infant-arm train-rl --run {run}` again with the settings of {name}"
