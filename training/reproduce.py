"""`infant-arm reproduce`: the whole paper from one command, from babbling to the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infant_env.errors import UserError

from . import report
from .act import reach
from .compare import evaluate, seeds
from .compare.config import Config as Comparison
from .data import collect
from .data.dataset import Dataset
from .data.recipe.body_options import BodyOptions
from .measure import error_tables
from .methods.registry import OURS
from .runs import folder as runs
from .runs.config import OnCluster, Seed, Seeds, Workers
from .runs.device import Device
from .runs.pool import Task, run_all
from .runs.unless_done import run_unless_done
from .show import tables
from .train import autoencoder, calibration, generator, glance, pixel_som, regressor, som
from .train.skeleton import Stage

DATA = "dataset"
"""The folder of the data set in a run's folder."""


@dataclass(frozen=True)
class Preset:
    """The sizes of a reproduction; all other settings are the defaults of the commands."""

    samples: int
    eye_size: tuple[int, int]
    shard_size: int
    map_side: int
    autoencoder_epochs: int
    generator_epochs: int
    glance_epochs: int
    regressor_epochs: int
    goals: int
    generator_width: int = generator.Config.width


PRESETS = {
    "tiny": Preset(160, (60, 100), 40, 20, 4, 2, 2, 2, 4, generator_width=8),
    "quick": Preset(4_000, (300, 500), 250, 400, 40, 20, 20, 20, 100),
    "paper": Preset(20_000, (300, 500), 250, 800, 40, 20, 20, 20, 200),
}


@dataclass(frozen=True)
class Config(BodyOptions, OnCluster):
    """Run the whole paper: collect, train, evaluate, reach, report; after a kill it goes on."""

    preset: Literal["tiny", "quick", "paper"] = "quick"
    """tiny: tests only; quick: 4,000 samples, a 400x400 map, minutes; paper: 20,000 samples, an 800x800 map."""
    out: Path | None = None
    """The run's folder, `runs/PRESET` by default; the data set goes to its `dataset`."""
    seed: Seed = 0
    """Seed of everything, also of the poses."""
    seeds: Seeds = 1
    """Whole reproductions to run, with this seed and the next ones. Several go to `OUT/seedK`; a table of all seeds follows."""
    eye_size: tuple[collect.Pixels, collect.Pixels] | None = None
    """Rows and columns of a frame; by default those of the preset."""
    also: tuple[Literal["color", "fovea"], ...] = ()
    """Further pictures that the map holds as senses, see `train-ae`."""
    workers: Workers = collect.Config.workers
    """Number of collecting processes on this machine."""
    device: Device = "auto"
    """The device."""


_STAGES = 2
"""Number of stages at a time on this machine; some use several cores."""
_LOG = "stages.log"


def run(config: Config) -> None:
    """Runs every stage that is not done yet; ends with the tables in the terminal and `report.html`."""
    out = config.out or Path("runs") / config.preset
    several = range(config.seed, config.seed + config.seeds)
    folders = {seed: out / f"seed{seed}" for seed in several} if config.seeds > 1 else {config.seed: out}
    for seed, folder in folders.items():
        print(f"babbling: {PRESETS[config.preset].samples:,} poses in {folder / DATA}", flush=True)
        _collect(folder, collecting(config, seed, folder))
    print(f"stages; {_LOG} in the run's folder has their output", flush=True)
    tasks = [task for seed, folder in folders.items() for task in tasks_of(config, seed, folder)]
    run_all(tasks, out, _STAGES, config.cluster)
    for folder in folders.values():
        print("\n" + "\n\n".join(_tables(folder)))
    if config.seeds > 1:
        print(f"\nOver {len(folders)} seeds of everything\n{seeds.summarize(list(folders.values()), out)}")


def collecting(config: Config, seed: int, folder: Path) -> collect.Config:
    """The Config that collects the data set of a run."""
    preset = PRESETS[config.preset]
    sizes = preset.samples, config.eye_size or preset.eye_size, preset.shard_size
    options = {**config.of_body(), "cluster": config.cluster}
    return collect.Config(folder / DATA, *sizes, seed, config.workers, config.device, **options)


def tasks_of(config: Config, seed: int, folder: Path) -> Iterator[Task]:
    """All stages of a run after the collection."""
    common: dict[str, Any] = {"run": folder, "seed": seed, "device": config.device}
    trained = []
    for stage, run, settings in _trainings(PRESETS[config.preset], common, config.also):
        trained.append(f"{stage.name} {seed}")
        after = tuple(f"{needed.name} {seed}" for needed in stage.needs)
        yield Task(trained[-1], run, settings, folder / _LOG, after)
    yield Task(f"evaluate {seed}", _evaluate, Comparison(**common), folder / _LOG, tuple(trained))
    reaching = reach.Config(goals=PRESETS[config.preset].goals, video=True, **common)
    yield Task(f"reach {seed}", _reach, reaching, folder / _LOG, tuple(trained))
    after = (f"evaluate {seed}", f"reach {seed}")
    yield Task(f"report {seed}", report.run, report.Config(**common), folder / _LOG, after)


def _trainings(preset: Preset, common: dict[str, Any], also: Any) -> Iterator[tuple[Stage[Any, Any], Any, Any]]:
    """Stages, their functions and Configs, the longest chain first."""
    data: dict[str, Any] = {"data": common["run"] / DATA, **common}
    side: dict[str, Any] = {"rows": preset.map_side, "columns": preset.map_side}
    modules: list[tuple[Any, Any]] = [
        (autoencoder, autoencoder.Config(epochs=preset.autoencoder_epochs, also=also, **data)),
        (generator, generator.Config(epochs=preset.generator_epochs, width=preset.generator_width, **data)),
        (som, som.Config(**side, **common)),
        (glance, glance.Config(epochs=preset.glance_epochs, **data)),
        (pixel_som, pixel_som.Config(**side, **data)),
        (regressor, regressor.Config(epochs=preset.regressor_epochs, **data)),
        (calibration, calibration.Config(**common)),
    ]
    for module, settings in modules:
        yield module.STAGE, module.run, settings


def _evaluate(config: Comparison) -> None:
    run_unless_done("evaluate", config, evaluate.run)


def _reach(config: reach.Config) -> None:
    run_unless_done("reach", config, reach.run)


def _tables(folder: Path) -> Iterator[str]:
    """What the stages of a run have measured, as texts for the terminal."""
    found = runs.metrics_of(folder)
    yield error_tables.summary(found, OURS)
    for kind, rows in found.reach.items():
        yield reach.summary(kind, next(iter(rows.values())).goals, rows)
    yield "Where the time went\n" + tables.as_text(*report.costs(found))
    yield f"the report: {folder / 'report.html'}"


def _collect(folder: Path, config: collect.Config) -> None:
    """Collects and records the cost; a complete data set is only opened."""
    collect.prepare(config)
    try:
        Dataset.open(config.out)
    except UserError:  # not complete, or damaged
        with runs.timed(folder, "collect") as elsewhere:
            elsewhere.append(collect.collected(config)[1])
