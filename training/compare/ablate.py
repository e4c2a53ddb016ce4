"""`infant-arm ablate`: measures each choice: the same SOM-AE with one change, scored on the run's test split."""

import shutil
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.mind.som_autoencoder import AUTOENCODER, SomAutoencoder
from agents.som.readout import Readout

from ..data import collect
from ..data.dataset import Dataset
from ..data.latents import LATENTS, format_of, load_latents
from ..measure.error_tables import from_pictures
from ..measure.senses import JOINTS_TO_PICTURE, MAPPINGS, PICTURE_TO_JOINTS
from ..measure.statistics import table_row
from ..methods.readings import MapReading
from ..methods.registry import SOM_AE
from ..runs import folder as runs
from ..runs.config import OnCluster, RunConfig, Workers
from ..runs.device import cluster_of, pick_device
from ..runs.in_turn import in_turn, turn
from ..runs.metrics import Ablated, Metrics
from ..runs.pool import Task, run_all
from ..show import html_page, tables
from ..show.style import COLORS
from ..train import autoencoder as train_autoencoder
from ..train import som as train_som
from .judge import score, truth_of
from .variants import VARIANTS, Variant, What

FOLDER = "ablations"
Rows = dict[str, dict[str, Ablated]]
"""Results by variant and readout."""
_AGED = 1 / 20  # test samples at another age, relative to the run's samples
_READOUTS: dict[str, Readout] = {SOM_AE: "winner", f"{SOM_AE}_local_linear": "local_linear"}


@dataclass(frozen=True)
class Config(RunConfig, OnCluster):
    """Change one setting of a run's SOM-AE, train it again, and compare the errors."""

    what: What = field(kw_only=True)
    """The setting."""
    workers: Workers = collect.Config.workers
    """Number of collecting processes on this machine."""


@in_turn("ablate", "ablates settings")
def run(config: Config) -> Rows:
    """Trains and scores every variant, prints the table, adds it to `metrics.json`, draws a figure; after a kill it goes on."""
    runs.record_config(config.run, f"ablate-{config.what}", config)
    matplotlib.use("Agg")
    data = Dataset.open(runs.data_of(config.run))
    rows = _on_cluster(config, data) if cluster_of(config.cluster) else _one_by_one(config, data)
    runs.record(config.run, Metrics(ablations={config.what: rows}))
    html_page.figure(config.run, f"ablation_{config.what}", figure(config.what, rows))
    print(f"{config.what}, test split\n{tables.as_text(*table(rows))}")
    return rows


def _one_by_one(config: Config, data: Dataset) -> Rows:
    variants = tqdm(VARIANTS[config.what](config.run, data), desc=config.what, unit="variant")
    return {variant.label: _ablated(config, variant, data) for variant in variants}


def _on_cluster(config: Config, data: Dataset) -> Rows:
    """Collects the variants' own poses, then trains and scores all variants at the same time."""
    variants = list(VARIANTS[config.what](config.run, data))
    folders = {variant.label: _folder(config, variant) for variant in variants}
    for variant in variants:
        _poses(config, variant, data)
    load_latents(config.run, data, pick_device(config.device))  # once for all variants
    log, alone = config.run / FOLDER / f"{config.what}.log", replace(config, cluster=None)
    tasks = [Task(variant.label, ablate_one, (alone, variant), log) for variant in variants]
    run_all(tasks, config.run, 1, config.cluster)
    found = {label: runs.metrics_of(folder, "ablations").ablations for label, folder in folders.items()}
    return {label: rows[config.what][label] for label, rows in found.items()}


def ablate_one(one: tuple[Config, Variant]) -> None:
    """Trains and scores one variant; its scores go to `metrics.json` in its folder."""
    config, variant = one
    folder = _folder(config, variant)
    with turn(folder, "ablate", "ablates a setting"):
        row = _ablated(config, variant, Dataset.open(runs.data_of(config.run)))
        runs.record(folder, Metrics(ablations={config.what: {variant.label: row}}))


def _ablated(config: Config, variant: Variant, data: Dataset) -> dict[str, Ablated]:
    mind = _trained(config, variant, _folder(config, variant), data)
    return _scores(mind, *_tested(config, variant, _folder(config, variant), data))


def _folder(config: Config, variant: Variant) -> Path:
    return config.run / FOLDER / config.what / variant.label.replace(" ", "_")


def _poses(config: Config, variant: Variant, data: Dataset) -> None:
    """Collects the poses that a variant has for itself, for its training or its test."""
    folder, count = _folder(config, variant), {"samples": max(round(_AGED * len(data)), 1)}
    if variant.poses:
        collect.run(_collecting(config, data, folder / "dataset", variant.poses))
    if variant.tested:
        collect.run(_collecting(config, data, folder / "tested", count | variant.tested))


def _trained(config: Config, variant: Variant, folder: Path, data: Dataset) -> SomAutoencoder:
    """The variant's SOM-AE; autoencoder and map are the run's own if their settings are unchanged."""
    device = pick_device(config.device)
    autoencoder, own_map = (stage.STAGE.config_in(config.run) for stage in (train_autoencoder, train_som))
    new_autoencoder = variant.poses or replace(autoencoder, **variant.autoencoder) != autoencoder
    if not new_autoencoder and replace(own_map, **variant.map) == own_map:
        return SomAutoencoder.load(config.run, device)
    poses = data.path
    if variant.poses:
        poses = folder / "dataset"
        _poses(config, variant, data)
    common: dict[str, Any] = {"run": folder, "seed": config.seed, "device": config.device}
    if new_autoencoder:
        train_autoencoder.run(replace(autoencoder, data=poses, **common | variant.autoencoder))
    else:
        load_latents(config.run, data, device)  # once for all variants
        runs.record_config(folder, train_autoencoder.STAGE.name, autoencoder)
        for name in (AUTOENCODER, LATENTS):
            shutil.copy(config.run / name, folder)
    train_som.run(replace(own_map, **common | variant.map))
    return SomAutoencoder.load(folder, device)


def _collecting(config: Config, data: Dataset, out: Path, changes: dict[str, Any]) -> collect.Config:
    """The Config that collects other poses with the run's body and eye, up to some changes."""
    data.check_simulated("this ablation")
    seed = data.info.recipe.seed + 1 + config.seed
    return collect.again(data, out, seed, config.workers, cluster=config.cluster, **changes)


def _tested(config: Config, variant: Variant, folder: Path, data: Dataset) -> tuple[Dataset, NDArray[np.int64]]:
    """Data set and samples for the test of a variant: the run's test split, or poses of its own."""
    if not variant.tested:
        return data, data.split("test")
    _poses(config, variant, data)
    poses = Dataset.open(folder / "tested")
    return poses, np.arange(len(poses))


def _scores(mind: SomAutoencoder, tested: Dataset, samples: NDArray[np.int64]) -> dict[str, Ablated]:
    """Errors by readout: of each mapping, and of the hand."""
    truth, found = truth_of(tested.squeezed_to(format_of(mind.autoencoder)), samples), {}
    for name, readout in _READOUTS.items():
        errors, details, _ = score(MapReading(mind, readout), truth)
        shown = from_pictures({name: details}, "shows_hand").get(name)
        found[name] = Ablated(table_row(errors), shown.hand_error_cm if shown else None)
    return found


def table(rows: Rows) -> tuple[list[str], list[list[str]]]:
    """Header and rows for both readouts: errors of each mapping, and the share of visible hands within 2 cm."""
    header = ["", "v->v", "v->j", "j->v", "j->j", "hand < 2 cm"]  # the order of MAPPINGS
    body = []
    for label, row in rows.items():
        for name, readout in _READOUTS.items():
            cells = [tables.number(_mae(row, name, mapping)) for mapping in MAPPINGS]
            hand = row[name].hand_error_cm if name in row else None
            body.append([f"{label}, {_in_words(readout)}", *cells, tables.percent(hand.within_2) if hand else "-"])
    return header, body


def _mae(row: dict[str, Ablated], name: str, mapping: str) -> float | None:
    error = row[name].table1.get(mapping) if name in row else None
    return error.mae if error else None


def figure(what: str, rows: Rows) -> Figure:
    """Figure of both cross-modal errors of both readouts, by variant."""
    drawn, axes = plt.subplots(1, 2, figsize=(10, 3.6))
    mappings = {PICTURE_TO_JOINTS: "joints from a picture", JOINTS_TO_PICTURE: "a picture from joints"}
    for axis, (mapping, title) in zip(axes, mappings.items(), strict=True):
        for color, (name, readout) in zip(COLORS, _READOUTS.items(), strict=False):
            errors = np.array([_mae(row, name, mapping) for row in rows.values()], float)  # NaN for None
            axis.plot(
                [textwrap.fill(label, 9) for label in rows], errors, color=color, marker="o", label=_in_words(readout)
            )
        axis.set(title=title, xlabel=what.replace("_", " "), ylabel="mean absolute error", ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].legend()
    drawn.tight_layout()
    return drawn


def _in_words(readout: str) -> str:
    return readout.replace("_", " ")
