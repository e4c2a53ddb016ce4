"""`infant-arm reproduce`: the whole paper from one command, from babbling to the report."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from infant_env.errors import UserError

from . import report
from .act import reach
from .compare import evaluate, seeds
from .compare.config import Config as Comparison
from .data import collect
from .data.body_options import BodyOptions
from .data.dataset import Dataset
from .runs import folder as runs
from .runs.config import Seed, Seeds, Workers
from .runs.device import Device
from .runs.other_process import Command, in_other_process
from .runs.unless_done import run_unless_done
from .show import tables
from .train import autoencoder as train_autoencoder
from .train import calibration as calibrate
from .train import generator as train_generator
from .train import glance as train_glance
from .train import pixel_som as train_pixel_som
from .train import regressor as train_regressor
from .train import som as train_som


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


PRESETS = {
    "tiny": Preset(160, (60, 100), 40, 20, 4, 2, 2, 2, 4),
    "quick": Preset(4_000, (300, 500), 250, 400, 40, 20, 20, 20, 100),
    "paper": Preset(20_000, (300, 500), 250, 800, 40, 20, 20, 20, 200),
}


@dataclass(frozen=True)
class Config(BodyOptions):
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
    """Number of collecting processes."""
    device: Device = "auto"
    """The device."""


def run(config: Config) -> None:
    """Runs every stage that is not done yet; ends with the tables in the terminal and `report.html`."""
    out = config.out or Path("runs") / config.preset
    if config.seeds == 1:
        _reproduce(config, out)
        return
    folders = [out / f"seed{seed}" for seed in range(config.seed, config.seed + config.seeds)]
    for seed, folder in enumerate(folders, config.seed):
        print(f"\nseed {seed}, {len(folders)} in all", flush=True)
        _reproduce(replace(config, seed=seed), folder)
    print(f"\nOver {len(folders)} seeds of everything\n{seeds.summarize(folders, out)}")


def _reproduce(config: Config, folder: Path) -> None:
    preset = PRESETS[config.preset]
    common: dict[str, Any] = {"run": folder, "seed": config.seed, "device": config.device}
    data = folder / "dataset"

    _announce(1, f"babbling: {preset.samples:,} poses")
    size, sealed = config.eye_size or preset.eye_size, preset.shard_size
    collecting = collect.Config(
        data, preset.samples, size, sealed, config.seed, config.workers, config.device, **config.of_body()
    )
    _collect(folder, collecting)
    side, log = preset.map_side, folder / "beside.log"
    _announce(2, f"autoencoder: 64x64 -> 8 -> 64x64; at the same time generator and glance ({log})")
    regressor = train_regressor.Config(data=data, epochs=preset.regressor_epochs, **common)
    plain = train_pixel_som.Config(data=data, rows=side, columns=side, **common)
    generator = train_generator.Config(data=data, epochs=preset.generator_epochs, **common)
    glance = train_glance.Config(data=data, epochs=preset.glance_epochs, **common)
    acts = config.gaze == "held"  # the agent's networks need an eye that does not move
    stages: list[Command] = [(train_generator.run, generator), (train_glance.run, glance)] if acts else []
    with in_other_process(stages, log):
        epochs = preset.autoencoder_epochs
        train_autoencoder.run(train_autoencoder.Config(data=data, epochs=epochs, also=config.also, **common))
        _announce(3, f"map: {side}x{side} neurons")
        train_som.run(train_som.Config(rows=side, columns=side, **common))
        _announce(4, "yardsticks: plain map on pixels, CNN from pictures to joints")
        train_pixel_som.run(plain)
        if acts:
            train_regressor.run(regressor)
    _announce(5, "calibration of the hypotheses" if acts else "no calibration: the agent needs a gaze that is held")
    if acts:
        calibrate.run(calibrate.Config(**common))
    _announce(6, "Table 1")
    run_unless_done("evaluate", Comparison(**common), evaluate.run)
    _announce(7, "reaching" if acts else "no reaching: the agent needs a gaze that is held")
    if acts:
        run_unless_done("reach", reach.Config(goals=preset.goals, video=True, **common), reach.run)
    _announce(8, "report")
    report.run(report.Config(**common))
    print("\nWhere the time went\n" + tables.as_text(*report.costs(runs.metrics_of(folder))))


def _announce(number: int, title: str) -> None:
    print(f"\n[{number}/8] {title}", flush=True)


def _collect(folder: Path, config: collect.Config) -> None:
    """Collects and records the cost; a complete data set is only opened."""
    collect.prepare(config)
    try:
        Dataset.open(config.out)
    except UserError:  # not complete, or damaged
        with runs.timed(folder, "collect"):
            collect.run(config)
