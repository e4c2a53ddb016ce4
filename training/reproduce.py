"""`infant-arm reproduce`: the whole paper from one command, from babbling to the report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import collect, evaluate, reach, report, runs, train_autoencoder, train_regressor, train_som


@dataclass(frozen=True)
class Preset:
    """The sizes that distinguish one reproduction from another; all else is each command's default."""

    samples: int
    eye_size: tuple[int, int]
    shard_size: int
    map_side: int
    autoencoder_epochs: int
    regressor_epochs: int
    goals: int


PRESETS = {
    "tiny": Preset(160, (60, 100), 40, 20, 2, 2, 4),
    "quick": Preset(4_000, (300, 500), 250, 400, 40, 20, 100),
    "paper": Preset(20_000, (300, 500), 250, 800, 40, 15, 200),
}


@dataclass(frozen=True)
class Config:
    """Run the whole paper: collect, train, evaluate, reach, report; goes on where it stopped."""

    preset: Literal["tiny", "quick", "paper"] = "quick"
    """tiny: tests only; quick: 4,000 samples, a 400x400 map, minutes; paper: 20,000 samples, an 800x800 map."""
    out: Path | None = None
    """The run's folder, `runs/PRESET` by default; the data set goes to its `dataset`."""
    seed: int = 0
    """Seed of everything."""
    workers: int = collect.Config.workers
    """Processes that collect side by side."""
    device: runs.Device = "auto"
    """Where to compute."""


def run(config: Config) -> None:
    """Runs every stage that is not yet done; ends with the tables in the terminal and `report.html`."""
    folder = config.out or Path("runs") / config.preset
    for number, (title, stage) in enumerate(_stages(config, folder, PRESETS[config.preset]), start=1):
        print(f"\n[{number}/7] {title}", flush=True)
        stage()
    print(f"\nDone: {folder / 'report.html'}")


def _stages(config: Config, folder: Path, preset: Preset) -> list[tuple[str, Callable[[], Any]]]:
    data = folder / "dataset"
    common: dict[str, Any] = {"run": folder, "seed": config.seed, "device": config.device}
    collecting = collect.Config(
        data, preset.samples, preset.eye_size, shard_size=preset.shard_size, seed=config.seed, workers=config.workers
    )
    encoding = train_autoencoder.Config(data=data, epochs=preset.autoencoder_epochs, **common)
    mapping = train_som.Config(rows=preset.map_side, columns=preset.map_side, **common)
    probing = train_regressor.Config(data=data, epochs=preset.regressor_epochs, **common)
    evaluating, reaching = evaluate.Config(**common), reach.Config(goals=preset.goals, video=True, **common)
    return [
        (f"babbling: {preset.samples} poses", lambda: collect.run(collecting)),
        ("autoencoder: 64x64 -> 8 -> 64x64", lambda: train_autoencoder.run(encoding)),
        (f"map: {preset.map_side}x{preset.map_side} neurons", lambda: train_som.run(mapping)),
        ("yardstick: a CNN from pictures to joints", lambda: train_regressor.run(probing)),
        ("Table 1", lambda: evaluate.run(evaluating)),
        ("reaching", lambda: reach.run(reaching)),
        ("report", lambda: report.run(report.Config(**common))),
    ]
