"""Trains and scores all methods on the same poses, with several seeds: `infant-arm evaluate --methods all --seeds 5`."""

import math
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..act import imagery
from ..data.info import read_info
from ..methods.registry import STAGES, train
from ..runs import folder as runs
from ..runs.in_turn import in_turn
from ..runs.pool import Task, run_all
from ..runs.unless_done import run_unless_done
from ..train import autoencoder, som
from ..train.baselines.gradient import BaselineConfig
from ..train.skeleton import Stage
from . import results
from .config import Config
from .judge import JudgeConfig, judge

SEEDS = "seeds"
"""Subfolder of a run for the trainings of further seeds; each has a folder like a run's."""


@in_turn("evaluate-all", "compares all methods")
def compare(config: Config) -> results.Comparison:
    """Trains what is missing, scores every method for every seed, prints and writes the results; after a kill it goes on."""
    folders = folders_of(config.run, config.seeds)
    runs.record_config(config.run, "evaluate-all", config)
    tasks = [task for seed, folder in folders.items() for task in tasks_of(config, seed, folder)]
    thoughts, first = imagery.Config(config.run, device=config.device), next(iter(folders))
    tasks.append(_task("imagery", first, config.run, _imagery, thoughts, ("judge",)))
    run_all(tasks, config.run, config.workers, config.cluster)
    return results.write(config, list(folders.values()))


def folders_of(run: Path, seeds: int) -> dict[int, Path]:
    """The folders by seed: the run's own for its own seed, and one for each of the next seeds."""
    runs.data_of(run)  # raises an error if nothing was trained in this folder
    first = autoencoder.STAGE.config_in(run).seed
    return {first: run} | {seed: run / SEEDS / str(seed) for seed in range(first + 1, first + seeds)}


def tasks_of(config: Config, seed: int, folder: Path) -> Iterator[Task]:
    """All trainings of one seed, and the scoring at the end."""
    recipe = read_info(runs.data_of(config.run)).recipe
    stages = {name: stage for name, stage in STAGES.items() if stage.learns_from(recipe)}
    for stage in stages.values():
        after = tuple(needed.name for needed in stage.needs)
        yield _task(stage.name, seed, folder, train, usual(config, stage, seed, folder), after)
    scoring = JudgeConfig(folder, config.neighbors, imagery=True, device=config.device)
    yield _task("judge", seed, folder, _judge, scoring, tuple(stages))


def usual(config: Config, stage: Stage[Any, Any], seed: int, folder: Path) -> Any:
    """A stage's Config in the comparison: the one of the run.

    A baseline trains for the same share of its usual epochs as the run's autoencoder; its maps are not larger than the run's.
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


def _judge(config: JudgeConfig) -> None:
    run_unless_done("evaluate", config, judge)


def _imagery(config: imagery.Config) -> None:
    run_unless_done("imagery", config, imagery.run)
