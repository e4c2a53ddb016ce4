"""What reinforcement learning came to: `rl/NAME/seedK/result.json` in a run's folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct

from agents.tools import json_files
from agents.tools.files import DamagedFileError

T = TypeVar("T")
RESULT, CONFIG = "result.json", "config.json"


class Judgment(Struct, frozen=True):
    """How well a policy did: shares of the fixed goals that it came near, and its median distance (cm, or degrees)."""

    steps: int
    """Of the real infant so far, or of imagined ones when there is no real one."""
    seconds: float
    near: float
    far: float
    median: float


class Result(Struct, frozen=True):
    """What one seed came to."""

    judgments: Annotated[list[Judgment], Meta(min_length=1)]
    seconds: float
    model_steps: int
    """Real steps from which the world model was learned, where one was used."""
    imagined: bool
    """Whether no real infant took part."""


class _Settings(Struct, frozen=True):
    goal: Literal["hand", "joints", "image"]


@dataclass(frozen=True)
class Learned:
    """What one way of learning came to."""

    goal: Literal["hand", "joints", "image"]
    seeds: list[Result]


def result_of(folder: Path) -> Result | None:
    """What a seed came to; None when it is not done.

    Raises:
        DamagedFileError: its file is damaged.
    """
    return _read(folder / RESULT, Result)


def collected(run: Path) -> dict[str, Learned]:
    """What every seed of every way of learning in a run came to, by the names of the ways.

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
    return f"delete {path.parent}, or only this file and run `infant-arm train-rl --run {run}` with the settings of {name} again"
