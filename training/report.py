"""The report: one HTML file without external references that shows all results of a run."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import matplotlib
import numpy as np

from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.errors import UserError

from .act import imagery, reach
from .data.dataset import Dataset
from .measure import error_tables, paper, world_model_errors
from .measure.senses import features
from .methods import mend
from .methods.registry import OURS
from .rl import table as rl_table
from .runs import folder as runs
from .runs import learning
from .runs.config import RunConfig
from .runs.device import pick_device
from .runs.metrics import Metrics
from .show import figures, html_page, map_figures, tables
from .train import som


@dataclass(frozen=True)
class Config(RunConfig):
    """Write the report of a run: `report.html` and `figures/`."""


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
    sections = _sections(config, result, data, mind)
    return html_page.write(config.run / "report.html", "An infant learns where its arm is", sections)


def _sections(config: Config, result: Metrics, data: Dataset, mind: SomAutoencoder) -> Iterator[str]:
    yield from _head(config, data, mind)
    yield from _errors(config, result)
    yield "<h2>What it recalls</h2><p>Validation samples, drawn at random (the paper's Table 2).</p>"
    yield html_page.figure(config.run, "recalled", figures.recalled_pictures(mind, data, seed=config.seed))
    yield from _map(config, result, data, mind)
    yield from _reaching(config, result)
    yield from _imagery(config, result)
    yield from _world_model(config, result)
    yield from _learned(config)
    if result.autoencoder and result.som:
        yield "<h2>Training</h2>"
        curves = figures.training_curves(result.autoencoder.epochs, result.som.epochs)
        yield html_page.figure(config.run, "training", curves)
    yield from _provenance(config, result)


def _head(config: Config, data: Dataset, mind: SomAutoencoder) -> Iterator[str]:
    rows, columns = mind.som.shape
    yield "<h1>An infant learns where its arm is by watching it</h1>"
    yield (
        "<p>Reproduction of J&uuml;lg et al., <em>Multi-Modal Representation Learning for Mapping Between Body Motion and "
        f"Visual Imagery</em>, AMAM 2023: {len(data):,} poses at {data.eye_size[0]}x{data.eye_size[1]} "
        f"pixels, {mind.autoencoder.latent_size} latents, a {rows}x{columns} map. "
        f"Poses rejected while collecting: {escape(_counts(data.info.rejected or {}))}.</p>"
    )
    example = int(np.argmax(data.shows_hand))  # the first one that shows the hand, if there is one
    yield html_page.image(
        html_page.png(figures.frame(data.eye(example))), "a sample of the data set: what the right eye sees"
    )


def _counts(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in rejected.items())


def _errors(config: Config, result: Metrics) -> Iterator[str]:
    yield "<h2>Table 1</h2><p>Mean absolute error on the test split, mean and standard deviation over the samples.</p>"
    yield tables.as_html(*error_tables.table1(result.table1))
    yield from (f"<p>{escape(line)}</p>" for line in error_tables.remarks(result.table1, OURS))
    yield (
        '<p class="note">The paper rendered its own body and room; its columns belong to other pictures. '
        "<code>constant</code> always predicts the median picture and the median pose; compare errors over whole pictures with "
        "its errors. From joints to joints the local linear readout is the identity by construction.</p>"
    )
    if "som" in result.table1:
        yield "<h2>The paper's two columns</h2><p>The plain map over pixels, and the map over an autoencoder's latents.</p>"
        yield tables.as_html(*paper.columns(result))
        yield from (f"<p>{escape(line)}</p>" for line in paper.verdict(result))
        yield (
            '<p class="note">Peak memory is that of the whole process with its libraries and the pictures. The plain map keeps '
            "only the winners of its training samples; it computes the pixels of a neuron from them on request. Its winners are "
            "exact up to the rounding of float32.</p>"
        )
    yield "<h2>Pictures</h2><p>Error over the arm's pixels, overlap of the arms, skill against the constant: all test poses / "
    yield "those that show the hand.</p>"
    yield tables.as_html(*error_tables.pictures(result.details))
    yield "<h2>Hand</h2><p>Distance of the hand if the arm took the pose recalled from a picture, for the same subsets.</p>"
    yield tables.as_html(*error_tables.hands(result.details))
    yield "<h2>Joints from a picture</h2><p>Normalized mean absolute error; the CNN shows how much a picture says.</p>"
    yield tables.as_html(*error_tables.per_joint(result.details))
    everywhere, shown = (error_tables.from_pictures(result.details, which) for which in ("all", "shows_hand"))
    yield html_page.figure(config.run, "joint_errors", figures.joint_errors(everywhere))
    yield html_page.figure(config.run, "hand_errors", figures.hand_errors(everywhere, shown))


def _map(config: Config, result: Metrics, data: Dataset, mind: SomAutoencoder) -> Iterator[str]:
    yield "<h2>The map</h2>"
    if result.map:
        measures = ", ".join(f"{name} {value:.3f}" for name, value in result.map.measures())
        yield (
            f"<p>On the test split: {measures}. (Trustworthiness: 1 if neighbors on the map are also neighbors in the data, "
            ".5 by chance.)</p>"
        )
    yield "<p>Decoded pictures of neurons all over the map:</p>"
    yield html_page.figure(config.run, "atlas", map_figures.atlas(mind, aspect=data.eye_size[0] / data.eye_size[1]))
    yield "<p>The value that each neuron holds for each joint and each latent:</p>"
    yield html_page.figure(config.run, "joint_planes", map_figures.joint_planes(mind, data.joint_names))
    yield html_page.figure(config.run, "latent_planes", map_figures.latent_planes(mind))
    train, test = (features(config.run, data, split, mind.device) for split in ("train", "test"))
    yield "<p>The distance of each neuron from its direct neighbors, and the number of its wins (training split):</p>"
    yield html_page.figure(config.run, "u_matrix_and_hits", map_figures.lay(mind.som, mind.som.winners(train)))
    yield "<p>Errors of the map: distances of samples from their winners, and samples on a fold (test split, by block of "
    yield "neurons; gray: no sample won there):</p>"
    yield html_page.figure(config.run, "map_errors", map_figures.errors(mind.som, test))
    yield "<p>Three queries for one test pose: the activity of the map (Eq. 3), and its winner (circle):</p>"
    yield html_page.figure(config.run, "activity", map_figures.activities(mind, data, config.seed))


_REACHING = (
    "The first rows go to one pose without looking: a pose that the map or a yardstick recalls, or the likeliest of the agent's "
    "hypotheses, after trials in its imagination (imagination). With looks, the agent compares and corrects itself (looks). For "
    "the bound, the true renderer corrects the pose further, instead of the imagination."
)


def _reaching(config: Config, result: Metrics) -> Iterator[str]:
    for kind, rows in result.reach.items():
        goals = max((row.goals for row in rows.values()), default=0)
        yield f"<h2>Reaching</h2><p>{goals} goals ({escape(kind)}), real physics. {_REACHING}</p>"
        yield tables.as_html(*reach.table(rows))
    film = config.run / "videos" / "reach.mp4"
    if film.exists():
        content = base64.b64encode(film.read_bytes()).decode()
        yield f'<video controls loop muted src="data:video/mp4;base64,{content}"></video>'


def _imagery(config: Config, result: Metrics) -> Iterator[str]:
    if result.imagery is None:
        return
    yield "<h2>The agent's thoughts before it moves</h2>"
    for title, header, rows in imagery.three_tables(result.imagery):
        yield f"<p>{escape(title)}</p>" + tables.as_html(header, rows)
    yield "<p>Probabilities and frequencies (test split; numbers of hypotheses, and 95 % intervals):</p>"
    yield html_page.figure(
        config.run, "reliability", figures.reliability_diagram(result.imagery.hypotheses.all.reliability)
    )


def _world_model(config: Config, result: Metrics) -> Iterator[str]:
    measured = result.world_model
    if measured is None:
        return
    yield (
        f"<h2>The world model</h2><p>Learned from {measured.transitions} steps of babbling. It imagines other babbling from the "
        f"start alone; the errors are against the simulator. {escape(world_model_errors.remark(measured))}</p>"
    )
    yield tables.as_html(*world_model_errors.table(measured))
    yield html_page.figure(config.run, "world_model", world_model_errors.figure(measured))


def _learned(config: Config) -> Iterator[str]:
    rows = learning.collected(config.run)
    if rows:
        yield f"<h2>Reinforcement learning</h2><p>{rl_table.NOTE}</p>"
        yield tables.as_html(*rl_table.table(rows))
        yield html_page.figure(config.run, "learning_curves", figures.learning_curves(rows))


def _provenance(config: Config, result: Metrics) -> Iterator[str]:
    recorded = runs.provenance(config.run)
    yield "<h2>Where the time went</h2>"
    yield tables.as_html(*costs(result))
    yield "<h2>How to get this</h2>"
    yield tables.as_html(["stage", "command"], [[k, v] for k, v in recorded.command.items()])
    yield tables.as_html(["package", "version"], [[k, v] for k, v in recorded.versions.items()])


def costs(result: Metrics) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the costs of each stage; stages in different processes overlap in time."""
    rows = []
    for stage, seconds in result.timing_s.items():
        cost = result.cost.get(stage)
        values = (seconds, cost.cpu_s, cost.peak_gb) if cost else (seconds, None, None)
        rows.append([stage, *(tables.number(value, 1) for value in values)])
    return ["stage", "seconds", "CPU seconds", "peak GB of its process"], rows
