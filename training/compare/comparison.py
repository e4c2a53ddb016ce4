"""All methods on the same poses, over several seeds: what `infant-arm evaluate --methods all --seeds 5` does."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..act import imagery
from ..runs import folder as runs
from ..runs.once import unless_done
from ..runs.pool import Task, run_side_by_side
from ..train import autoencoder as train_autoencoder
from ..train import calibration as calibrate
from ..train import generator as train_generator
from ..train import glance as train_glance
from ..train import pixel_som as train_pixel_som
from ..train import regressor as train_regressor
from ..train import som as train_som
from ..train.baselines import command as train_baseline
from ..train.baselines import config as baselines
from . import results
from .config import Config
from .judge import Judgment, judge

SEEDS = "seeds"
"""Folder in a run's folder that holds the trainings of further seeds, each like a run's folder itself."""
_STAGES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "train-ae": (train_autoencoder, ()),
    "train-som": (train_som, ("train-ae",)),
    "train-generator": (train_generator, ()),
    "train-glance": (train_glance, ("train-generator",)),
    "train-regressor": (train_regressor, ()),
    "train-pixel-som": (train_pixel_som, ()),
    "calibrate": (calibrate, ("train-som", "train-glance")),
}


def compare(config: Config) -> dict[str, Any]:
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
    first = int(runs.read(run, "config.json")["train-ae"]["seed"])
    return {first: run} | {seed: run / SEEDS / str(seed) for seed in range(first + 1, first + seeds)}


def tasks_of(config: Config, seed: int, folder: Path) -> Iterator[Task]:
    """All trainings of one seed as the run's own were configured, the baselines', and their judgment at the end.

    Baselines train for as large a share of their usual epochs as the run's autoencoder did of its own.
    """
    data = runs.data_of(config.run)
    common: dict[str, Any] = {"run": folder, "seed": seed, "device": config.device}
    names = []
    for name, (module, after) in _STAGES.items():
        own = runs.recorded_settings(config.run, name)
        if "data" in module.Config.__dataclass_fields__:
            own["data"] = data
        yield _task(name, seed, folder, module.run, module.Config(**common | own), after)
        names.append(name)
    share = runs.recorded_settings(config.run, "train-ae")["epochs"] / train_autoencoder.Config.epochs
    side = min(baselines.Config.rows, runs.recorded_settings(config.run, "train-som").get("rows", math.inf))
    for method, epochs in baselines.EPOCHS.items():
        sizes = {"epochs": max(round(share * epochs), 1), "rows": side, "columns": side}
        baseline = baselines.Config(data, method=method, **sizes, **common)
        after = ("train-ae",) if method in baselines.ON_LATENTS else ()
        yield _task(method, seed, folder, train_baseline.run, baseline, after)
        names.append(method)
    judgment = Judgment(folder, config.neighbors, imagery=True, device=config.device)
    yield _task("judge", seed, folder, _judge, judgment, tuple(names))


def _task(name: str, seed: int, folder: Path, run: Any, config: Any, after: tuple[str, ...]) -> Task:
    return Task(f"{name} {seed}", run, config, folder / "comparison.log", tuple(f"{a} {seed}" for a in after))


def _judge(asked: Judgment) -> None:
    unless_done("evaluate", asked, judge)


def _imagery(config: imagery.Config) -> None:
    unless_done("imagery", config, imagery.run)
