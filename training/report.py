"""The report: one HTML file without external references that shows all results of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.errors import UserError

from .act import imagery, reach
from .data.dataset import Dataset
from .measure import error_tables, paper, two_eyes, world_model_errors
from .measure.senses import features, without_gaps
from .methods import mend
from .methods.registry import OURS
from .rl import table as rl_table
from .runs import folder as runs
from .runs import learning
from .runs.config import RunConfig
from .runs.device import pick_device
from .runs.in_turn import in_turn
from .runs.metrics import Metrics
from .show import figures, html_page, map_figures, tables
from .train import som

Section = dict[str, Any]
"""What `show/templates/report.html` shows in one section: texts, tables and pictures by name."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Write the report of a run: `report.html` and `figures/`."""


@in_turn("report", "writes the report")
def run(config: Config) -> Path:
    """Draws all figures from the run's checkpoints and metrics, and writes the page."""
    matplotlib.use("Agg")  # needs no display
    mend.restore_reports(config.run)
    result = runs.metrics_of(config.run)
    if not result.table1 or not result.details:
        raise UserError(f"{config.run} has no Table 1 yet; run `infant-arm evaluate --run {config.run}` first")
    data = Dataset.open(runs.data_of(config.run))
    som.STAGE.check(config.run, data)
    mind = SomAutoencoder.load(config.run, pick_device(config.device))
    content = {
        "head": _head(data, mind),
        "errors": _errors(config, result),
        "recalled": html_page.figure(config.run, "recalled", figures.recalled_pictures(mind, data, seed=config.seed)),
        "map": _map(config, result, data, mind),
        "reaching": _reaching(config, result),
        "film": _film(config),
        "imagery": _imagery(config, result),
        "world_model": _world_model(config, result),
        "learned": _learned(config),
        "training": _training(config, result),
        "provenance": _provenance(config, result),
    }
    return html_page.write(config.run / "report.html", "report.html", content)


def _head(data: Dataset, mind: SomAutoencoder) -> Section:
    example = int(np.argmax(data.shows_hand))  # the first one that shows the hand, if there is one
    picture = html_page.png(figures.frame(data.eye(example)))
    camera = "camera" if data.recorded else "right eye"
    return {
        "poses": f"{len(data):,}",
        "pixels": "x".join(map(str, data.eye_size)),
        "latents": mind.autoencoder.latent_size,
        "map": "x".join(map(str, mind.som.shape)),
        "rejected": _counts(data.info.rejected or {}),
        "recorded": data.recorded,
        "example": html_page.Picture(picture, f"a sample of the data set: what the {camera} sees"),
    }


def _counts(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in rejected.items())


def _errors(config: Config, result: Metrics) -> Section:
    both = {"columns": paper.columns(result), "verdict": paper.verdict(result)} if "som" in result.table1 else None
    everywhere, shown = (error_tables.from_pictures(result.details, which) for which in ("all", "shows_hand"))
    hands = error_tables.hands(result.details)
    drawn = figures.hand_errors(everywhere, shown) if hands else None
    return {
        "table1": error_tables.table1(result.table1),
        "senses": error_tables.between_senses(result.table1),
        "two_eyes": two_eyes.table(result.two_eyes) if result.two_eyes else None,
        "remarks": error_tables.remarks(result.table1, OURS),
        "paper": both,
        "pictures": error_tables.pictures(result.details),
        "hands": hands,
        "per_joint": error_tables.per_joint(result.details),
        "joint_errors": html_page.figure(config.run, "joint_errors", figures.joint_errors(everywhere)),
        "hand_errors": drawn and html_page.figure(config.run, "hand_errors", drawn),
        "hand_remark": result.recorded_hand and result.recorded_hand.remark,
    }


def _map(config: Config, result: Metrics, data: Dataset, mind: SomAutoencoder) -> Section:
    measures = result.map.measures() if result.map else ()
    train, test = (without_gaps(features(config.run, data, split, mind.device)) for split in ("train", "test"))
    drawn = {
        "atlas": map_figures.atlas(mind, aspect=data.eye_size[0] / data.eye_size[1]),
        "joint_planes": map_figures.joint_planes(mind, data.joint_names),
        "latent_planes": map_figures.latent_planes(mind),
        "u_matrix_and_hits": map_figures.lay(mind.som, mind.som.winners(train)),
        "map_errors": map_figures.errors(mind.som, test),
        "activity": map_figures.activities(mind, data, config.seed),
    }
    pictures = {name: html_page.figure(config.run, name, figure) for name, figure in drawn.items()}
    return {"measures": ", ".join(f"{name} {value:.3f}" for name, value in measures), **pictures}


def _reaching(config: Config, result: Metrics) -> list[Section]:
    """One section for each kind of goals."""
    return [
        {"kind": kind, "goals": max((row.goals for row in rows.values()), default=0), "table": reach.table(rows)}
        for kind, rows in result.reach.items()
    ]


def _film(config: Config) -> str | None:
    film = config.run / "videos" / "reach.mp4"
    return html_page.as_text(film.read_bytes()) if film.exists() else None


def _imagery(config: Config, result: Metrics) -> Section | None:
    if result.imagery is None:
        return None
    diagram = figures.reliability_diagram(result.imagery.hypotheses.all.reliability)
    picture = html_page.figure(config.run, "reliability", diagram)
    return {"tables": list(imagery.three_tables(result.imagery)), "reliability": picture}


def _world_model(config: Config, result: Metrics) -> Section | None:
    measured = result.world_model
    if measured is None:
        return None
    return {
        "transitions": measured.transitions,
        "remark": world_model_errors.remark(measured),
        "table": world_model_errors.table(measured),
        "picture": html_page.figure(config.run, "world_model", world_model_errors.figure(measured)),
    }


def _learned(config: Config) -> Section | None:
    rows = learning.collected(config.run)
    if not rows:
        return None
    curves = html_page.figure(config.run, "learning_curves", figures.learning_curves(rows))
    return {"note": rl_table.NOTE, "table": rl_table.table(rows), "curves": curves}


def _training(config: Config, result: Metrics) -> html_page.Picture | None:
    if not (result.autoencoder and result.som):
        return None
    curves = figures.training_curves(result.autoencoder.epochs, result.som.epochs)
    return html_page.figure(config.run, "training", curves)


def _provenance(config: Config, result: Metrics) -> Section:
    recorded = runs.provenance(config.run)
    return {
        "costs": costs(result),
        "commands": (["stage", "command"], list(recorded.command.items())),
        "versions": (["package", "version"], list(recorded.versions.items())),
    }


def costs(result: Metrics) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the costs of each stage; stages in different processes overlap in time."""
    rows = []
    for stage, seconds in result.timing_s.items():
        cost = result.cost.get(stage)
        values = (seconds, cost.cpu_s, cost.peak_gb) if cost else (seconds, None, None)
        rows.append([stage, *(tables.number(value, 1) for value in values)])
    return ["stage", "seconds", "CPU seconds", "peak GB of its process"], rows
