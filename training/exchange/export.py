"""`infant-arm export`: a data set for other libraries."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from agents.tools.locks import alone
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..runs.config import Checked, Count
from .exports import lerobot, minari


@dataclass(frozen=True, kw_only=True)
class LeRobot(Checked):
    """Export a data set in LeRobot's layout, version 3.0; pictures are PNG, so nothing is lost."""

    source: tyro.conf.Positional[Path]
    """The data set's folder."""
    out: Path
    """Folder of the export."""
    fps: Count = 25
    """Frames per second. Poses that were drawn one by one have no times, but the layout wants them."""
    task: str = "watch the arm"
    """What the arm does, in words."""


@dataclass(frozen=True, kw_only=True)
class Minari(Checked):
    """Export a data set for Minari; frames are stored as they are, so nothing is lost."""

    source: tyro.conf.Positional[Path]
    """The data set's folder."""
    id: str = "infant/babbling-v0"
    """Its ID for Minari, which keeps its data sets in the folder MINARI_DATASETS_PATH."""


Config = Annotated[LeRobot, tyro.conf.subcommand("lerobot")] | Annotated[Minari, tyro.conf.subcommand("minari")]


def run(config: LeRobot | Minari) -> Path:
    """Writes the export; it has its name only when it is complete, and after a kill the same command goes on."""
    data = Dataset.open(config.source)
    target = config.out if isinstance(config, LeRobot) else minari.place_of(config.id)
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target.with_name(f".{target.name}.lock"), f"exports to {target}"):
        if target.exists():
            option = "--out" if isinstance(config, LeRobot) else "--id"
            raise UserError(f"{target} is there already; choose another one with {option}, or remove it")
        if isinstance(config, LeRobot):
            lerobot.export(data, target, config.fps, config.task)
        else:
            minari.export(data, config.id)
    print(f"{target}: {len(data):,} samples")
    return target
