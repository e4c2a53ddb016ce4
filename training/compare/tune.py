"""`infant-arm tune`: tries equally many settings of every method, for a third of the epochs, on the validation split."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.tools import json_files
from agents.tools.files import DamagedFileError, write_json
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..measure.metrics import Truth
from ..methods.method import Method, Predictor, Trained
from ..methods.registry import METHODS, SIDE, train
from ..runs import folder as runs
from ..runs.config import OnCluster, RunConfig, Workers
from ..runs.device import Device, pick_device
from ..runs.in_turn import in_turn, turn
from ..runs.metrics import Metrics, Trial
from ..runs.pool import Task, run_all
from ..runs.unless_done import run_unless_done
from ..show import tables
from . import comparison
from .config import Config as Comparison
from .judge import as_seen_by, score, truth_of
from .trials import FOUND, REMARK, Trials, label, table

FOLDER = "trials"
_SHARE = 1 / 3  # share of the comparison's epochs


@dataclass(frozen=True)
class Config(RunConfig, OnCluster):
    """Try equally many settings of every method of the comparison, and score them on the validation split."""

    workers: Workers = 2
    """Number of training processes on this machine."""


@dataclass(frozen=True)
class Attempt:
    """One setting of one method."""

    run: Path
    """The folder of the attempt, like a run's folder."""
    origin: Path
    """The folder of the original run."""
    method: str
    changes: dict[str, Any]
    stages: tuple[Any, ...]
    """Configs of the stages that train it."""
    data: Path
    fingerprint: str
    """Fingerprint of the data set; a score from another data set does not count."""
    neighbors: int
    """Number of neighbors that `knn` averages."""
    device: Device


@in_turn("tune", "tries settings")
def run(config: Config) -> Trials:
    """Trains and scores every setting, prints the table and writes `trials.json`; after a kill it goes on."""
    runs.record_config(config.run, "tune", config)
    attempts = attempts_of(config)
    tasks = [
        Task(f"{a.method}: {label(a.changes)}", attempt, a, config.run / FOLDER / f"{a.method}.log") for a in attempts
    ]
    run_all(tasks, config.run, config.workers, config.cluster)
    found: Trials = {}
    for tried in attempts:
        if trial := runs.metrics_of(tried.run, "trial").trial:
            found.setdefault(tried.method, []).append(trial)
    write_json(config.run / FOUND, json_files.plain(found))
    print(f"{REMARK}\n{tables.as_text(*table(found))}")
    return found


def attempts_of(config: Config) -> list[Attempt]:
    """All settings of all methods; training is as in the comparison, up to the changes and with a third of the epochs."""
    data = runs.data_of(config.run)
    opened = Dataset.open(data)
    compared = Comparison(config.run, methods="all", device=config.device)
    found = []
    for method in sorted(METHODS, key=lambda method: not method.stages):  # trained methods come first
        if not method.learns_from(opened.info.recipe):
            continue
        usual = [comparison.usual(compared, stage, config.seed, config.run) for stage in method.stages]
        for changes in method.trials:
            folder = config.run / FOLDER / method.name / label(changes).replace(" ", "_").replace(",", "")
            stages = tuple(_changed(each, folder, changes) for each in usual)
            neighbors = changes.get("neighbors", compared.neighbors)
            found.append(
                Attempt(
                    folder, config.run, method.name, changes, stages, data, opened.fingerprint, neighbors, config.device
                )
            )
    return found


def _changed(usual: Any, folder: Path, changes: dict[str, Any]) -> Any:
    """The Config of a stage in a trial."""
    names = {field.name for field in fields(usual)}
    mine = {name: value for name, value in changes.items() if name in names}
    if "epochs" in names:
        mine["epochs"] = max(round(_SHARE * usual.epochs), 1)
    if SIDE in changes:
        mine |= {name: max(round(changes[SIDE] * getattr(usual, name)), 2) for name in ("rows", "columns")}
    return replace(usual, run=folder, **mine)


def attempt(tried: Attempt) -> None:
    """Trains one setting and scores its best reading.

    Trained models are not trained again, and their scores are kept unless the models changed.
    """
    method = _method(tried)
    with turn(tried.run, "try", "tries a setting"):
        for stage in method.builds_on:
            if stage not in method.stages:
                shutil.copy(tried.origin / stage.file, tried.run / stage.file)
        for config in tried.stages:
            train(config)
        run_unless_done("tune", tried, _judge)


def _method(tried: Attempt) -> Method:
    return next(method for method in METHODS if method.name == tried.method)


def _judge(tried: Attempt) -> None:
    data = Dataset.open(tried.data)
    rows = data.split("validation")
    truth = truth_of(data, rows)
    trained = Trained(tried.run, data, pick_device(tried.device), tried.neighbors)
    method = _method(tried)
    readings = [read(trained) for read in method.readings.values()]
    errors = [_errors(each, as_seen_by(each, truth, data, rows), method.asked_by) for each in readings]
    spent = _cost(tried, method)
    least = min(errors, key=lambda each: each["overall"])
    runs.record(tried.run, Metrics(trial=Trial(label(tried.changes), least, spent)))


def _cost(tried: Attempt, method: Method) -> float:
    """Processor seconds of the trainings of an attempt."""
    try:
        cost = runs.metrics_of(tried.run, "cost").cost
        return sum(cost[stage.name].cpu_s for stage in method.stages)
    except (DamagedFileError, KeyError):
        raise UserError(
            f"{tried.run / runs.METRICS} holds no costs of the trainings there; delete {tried.run} and run "
            f"`infant-arm tune --run {tried.origin}` again: it trains this setting again"
        ) from None


def _errors(method: Predictor, truth: Truth, asked_by: Collection[str] | None) -> dict[str, float]:
    """Mean absolute errors by mapping, and their mean as `overall`."""
    errors = {mapping: float(np.mean(each)) for mapping, each in score(method, truth, asked_by)[0].items()}
    return {**errors, "overall": sum(errors.values()) / len(errors)}
