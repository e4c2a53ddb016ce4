"""`infant-arm evaluate`: Table 1 on the test split, beside honest yardsticks."""

from typing import Any

from agents.mind.som_autoencoder import SOM

from ..measure import error_tables
from ..runs import folder as runs
from ..train.baselines.config import METHODS
from ..train.pixel_som import PIXEL_SOM
from . import comparison
from .config import Config
from .judge import Judgment, judge

MAPS = {"som_ae": SOM, "som": PIXEL_SOM}


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
