"""All methods on the same poses, over several seeds: what `infant-arm evaluate --methods all --seeds 5` does."""

import math
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..act import imagery
from ..methods.registry import STAGES, train
from ..runs import folder as runs
from ..runs.once import unless_done
from ..runs.pool import Task, run_side_by_side
from ..train import autoencoder, som
from ..train.baselines.gradient import BaselineConfig
from ..train.skeleton import Stage
from . import results
from .config import Config
from .judge import Judgment, judge

SEEDS = "seeds"
"""Folder in a run's folder that holds the trainings of further seeds, each like a run's folder itself."""


def compare(config: Config) -> results.Comparison:
    """Trains what is missing, scores every method on every seed, prints and writes what came out; resumes where it stopped."""
    folders = folders_of(config.run, config.seeds)
    runs.record_config(config.run, "evaluate-all", config)
    tasks = [task for seed, folder in folders.items() for task in tasks_of(config, seed, folder)]
    thoughts, first = imagery.Config(config.run, device=config.device), next(iter(folders))
    tasks.append(_task("imagery", first, config.run, _imagery, thoughts, ("judge",)))
    run_side_by_side(tasks, config.workers)
    return results.write(config, list(folders.values()))


def folders_of(run: Path, seeds: int) -> dict[int, Path]:
    """The run's own folder for its own seed, and one for each of the next ones."""
    runs.data_of(run)  # raises when nothing was trained in this folder
    first = autoencoder.STAGE.config_in(run).seed
    return {first: run} | {seed: run / SEEDS / str(seed) for seed in range(first + 1, first + seeds)}


def tasks_of(config: Config, seed: int, folder: Path) -> Iterator[Task]:
    """All trainings of one seed, and their judgment at the end."""
    for stage in STAGES.values():
        after = tuple(needed.name for needed in stage.needs)
        yield _task(stage.name, seed, folder, train, usual(config, stage, seed, folder), after)
    judgment = Judgment(folder, config.neighbors, imagery=True, device=config.device)
    yield _task("judge", seed, folder, _judge, judgment, tuple(STAGES))


def usual(config: Config, stage: Stage[Any, Any], seed: int, folder: Path) -> Any:
    """A stage's Config in the comparison: as the run itself was configured.

    A baseline trains for as large a share of its usual epochs as the run's autoencoder did of its own, and on no larger maps.
    """
    changed: dict[str, Any] = {"run": folder, "seed": seed, "device": config.device}
    names = {field.name for field in fields(stage.config)}
    if "data" in names:
        changed["data"] = runs.data_of(config.run)
    if issubclass(stage.config, BaselineConfig):
        share = autoencoder.STAGE.config_in(config.run).epochs / autoencoder.Config.epochs
        changed["epochs"] = max(round(share * stage.config.epochs), 1)
        own_map = som.STAGE.recorded(config.run)
        side = own_map.rows if own_map else math.inf
        changed |= {name: min(getattr(stage.config, name), side) for name in names & {"rows", "columns"}}
        return stage.config(**changed)
    own = stage.recorded(config.run)
    return replace(own, **changed) if own else stage.config(**changed)


def _task(name: str, seed: int, folder: Path, run: Any, config: Any, after: tuple[str, ...]) -> Task:
    return Task(f"{name} {seed}", run, config, folder / "comparison.log", tuple(f"{a} {seed}" for a in after))


def _judge(asked: Judgment) -> None:
    unless_done("evaluate", asked, judge)


def _imagery(config: imagery.Config) -> None:
    unless_done("imagery", config, imagery.run)
