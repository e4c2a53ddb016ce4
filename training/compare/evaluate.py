"""`infant-arm evaluate`: Table 1 on the test split, beside honest yardsticks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agents.mind.som_autoencoder import SOM

from . import comparison
from ..measure import error_tables
from ..runs import folder as runs
from .judge import Judgment, judge
from ..train.baselines.command import METHODS
from ..train.pixel_som import PIXEL_SOM

MAPS = {"som_ae": SOM, "som": PIXEL_SOM}


@dataclass(frozen=True)
class Config:
    """Compute Table 1 on the test split, beside honest yardsticks."""

    run: Path
    """The run's folder; holds the trained autoencoder and map, and the yardsticks that were trained."""
    methods: Literal["trained", "all"] = "trained"
    """trained: what lies in the run's folder; all: also trains what is missing, and writes `comparison.html` and `RESULTS.md`."""
    seeds: int = 1
    """all: so many trainings of every method on the same poses, with the run's seed and the next ones."""
    workers: int = 2
    """all: processes that train side by side."""
    imagery: bool = False
    """trained: also what the agent's imagination recalls; it thinks of every test picture, for minutes."""
    neighbors: int = 4
    """How many neighbors `knn` averages."""
    seed: int = 0
    """Of the resampling behind intervals; the figures themselves do not depend on it."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "seeds", "workers", "neighbors")
        if self.seeds > 1 and self.methods == "trained":
            raise ValueError(
                f"got --seeds {self.seeds} without --methods all, which is what trains several seeds; add it"
            )


def run(config: Config) -> dict[str, Any]:
    """Evaluates every method, prints Table 1 and what stands beside it, and adds them to `metrics.json`."""
    if config.methods == "all":
        return comparison.compare(config)
    runs.record_config(config.run, "evaluate", config)
    results = judge(Judgment(config.run, config.neighbors, config.imagery, config.device))
    sizes = {name: (config.run / file).stat().st_size for name, file in MAPS.items() if (config.run / file).exists()}
    runs.merge(config.run, "metrics.json", {"map_bytes": sizes}, nested=False)
    print(error_tables.summary(results))
    for name, command in {
        "regressor": "train-regressor",
        "som": "train-pixel-som",
        "generator": "train-generator",
        "glance": "train-glance",
    }.items():
        if name not in results["table1"]:
            print(f"{name}: not trained; `infant-arm {command} --data DATA --run {config.run}` adds it to the table")
    if missing := [name for name in METHODS if name not in results["table1"]]:
        print(
            f"{', '.join(missing)}: not trained; `infant-arm train-baseline --data DATA --run {config.run} --method NAME`"
        )
    return results
