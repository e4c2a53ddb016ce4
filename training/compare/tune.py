"""`infant-arm tune`: as many settings of every method, each trained for a third of its epochs, judged on the validation split."""

import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.baselines.nearest_neighbor import NearestNeighbors
from agents.mind.imagination import GENERATOR
from agents.mind.som_autoencoder import AUTOENCODER
from agents.tools.files import write_json

from ..data.dataset import Dataset
from ..measure.metrics import Truth
from ..runs import folder as runs
from ..runs.once import unless_done
from ..runs.pool import Task, run_side_by_side
from ..show import tables
from ..train import autoencoder as train_autoencoder
from ..train import generator as train_generator
from ..train import glance as train_glance
from ..train import pixel_som as train_pixel_som
from ..train import regressor as train_regressor
from ..train import som as train_som
from ..train.baselines import command as train_baseline
from ..train.baselines.config import ON_LATENTS
from ..train.network import samples_of
from . import comparison
from .config import Config as Comparison
from .judge import Method, readings, score, truth_of
from .trials import FOUND, REMARK, SIDE, TRIALS, label, table

FOLDER = "trials"
_SHARE = 1 / 3  # of the epochs that the comparison trains
_STAGES = {"som_ae": ("train-ae", "train-som"), "som": ("train-pixel-som",), "knn": ()} | {
    name: (f"train-{name}",) for name in ("regressor", "generator", "glance")
}
_COMMANDS: tuple[Any, ...] = (
    train_autoencoder,
    train_som,
    train_pixel_som,
    train_regressor,
    train_generator,
    train_glance,
    train_baseline,
)
_RUN = {command.Config: command.run for command in _COMMANDS}
_BEGINS_WITH = {"glance": GENERATOR} | dict.fromkeys(ON_LATENTS, AUTOENCODER)


@dataclass(frozen=True)
class Config:
    """Try as many settings of every method of the comparison, and judge them on the validation split."""

    run: Path
    """The run's folder; holds the trained autoencoder and generator, with which some methods begin."""
    workers: int = 2
    """Processes that train side by side."""
    seed: int = 0
    """Seed of the trainings."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "workers")


@dataclass(frozen=True)
class Attempt:
    """One setting of one method."""

    run: Path
    """Takes what is trained, itself like a run's folder."""
    origin: Path
    """The run that it is an attempt of."""
    method: str
    changes: dict[str, Any]
    stages: tuple[Any, ...]
    """Configs of the commands that train it."""
    data: Path
    fingerprint: str
    """The data set's: what was judged on another one is judged again."""
    neighbors: int
    """How many `knn` averages."""
    device: runs.Device


def run(config: Config) -> dict[str, list[dict[str, Any]]]:
    """Trains and judges every setting, prints the table and writes `trials.json`; resumes where it stopped.

    Returns:
        By method and setting: `setting`, `error` by mapping and `overall`, of the reading that errs least; `cpu_s`.
    """
    runs.record_config(config.run, "tune", config)
    attempts = attempts_of(config)
    tasks = [
        Task(f"{a.method}: {label(a.changes)}", attempt, a, config.run / FOLDER / f"{a.method}.log") for a in attempts
    ]
    run_side_by_side(tasks, config.workers)
    found: dict[str, list[dict[str, Any]]] = {}
    for tried in attempts:
        found.setdefault(tried.method, []).append(runs.read(tried.run, "metrics.json")["trial"])
    write_json(config.run / FOUND, found)
    print(f"{REMARK}\n{tables.as_text(*table(found))}")
    return found


def attempts_of(config: Config) -> list[Attempt]:
    """All settings of all methods, each trained as the comparison does but for its changes and a third of the epochs."""
    data = runs.data_of(config.run)
    fingerprint = Dataset.open(data).fingerprint
    compared = Comparison(config.run, methods="all", device=config.device)
    usual = {task.name.split()[0]: task.config for task in comparison.tasks_of(compared, config.seed, config.run)}
    found = []
    for method, settings in TRIALS.items():
        for changes in settings:
            folder = config.run / FOLDER / method / label(changes).replace(" ", "_").replace(",", "")
            stages = tuple(_changed(usual[stage], folder, changes) for stage in _STAGES.get(method, (method,)))
            neighbors = changes.get("neighbors", compared.neighbors)
            found.append(
                Attempt(folder, config.run, method, changes, stages, data, fingerprint, neighbors, config.device)
            )
    return found


def _changed(usual: Any, folder: Path, changes: dict[str, Any]) -> Any:
    """How a stage is trained in a trial."""
    names = {field.name for field in fields(usual)}
    mine = {name: value for name, value in changes.items() if name in names}
    if "epochs" in names:
        mine["epochs"] = max(round(_SHARE * usual.epochs), 1)
    if SIDE in changes:
        mine |= {name: max(round(changes[SIDE] * getattr(usual, name)), 2) for name in ("rows", "columns")}
    return replace(usual, run=folder, **mine)


def attempt(tried: Attempt) -> None:
    """Trains one setting and judges it; what was trained is not trained again, and not judged again unless it changed."""
    tried.run.mkdir(parents=True, exist_ok=True)
    if tried.method in _BEGINS_WITH:
        given = _BEGINS_WITH[tried.method]
        shutil.copy(tried.origin / given, tried.run / given)
    for stage in tried.stages:
        _RUN[type(stage)](stage)
    unless_done("tune", tried, _judge)


def _judge(tried: Attempt) -> None:
    data = Dataset.open(tried.data)
    truth = truth_of(data, data.split("validation"))
    errors = [_errors(method, truth) for method in _readings(tried, data)]
    spent = runs.read(tried.run, "metrics.json").get("cost", {})
    trial = {
        "setting": label(tried.changes),
        "error": min(errors, key=lambda each: each["overall"]),
        "cpu_s": sum(stage["cpu_s"] for stage in spent.values()),
    }
    runs.merge(tried.run, "metrics.json", {"trial": trial}, nested=False)


def _readings(tried: Attempt, data: Dataset) -> list[Method]:
    device = runs.pick_device(tried.device)
    if tried.method != "knn":
        return list(readings(tried.method, tried.run, data, device).values())
    images, joints = samples_of(data, "train", device)
    return [NearestNeighbors(images, joints, min(tried.neighbors, len(images)))]


def _errors(method: Method, truth: Truth) -> dict[str, float]:
    """Mean absolute errors by mapping, of those that it answers, and their mean."""
    told = {mapping: float(np.mean(each)) for mapping, each in score(method, truth)[0].items()}
    return {**told, "overall": sum(told.values()) / len(told)}
