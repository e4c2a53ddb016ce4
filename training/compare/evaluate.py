"""`infant-arm evaluate`: Table 1 on the test split, beside honest yardsticks."""

from typing import Any

from ..measure import error_tables, paper
from ..methods.registry import METHODS, OURS, size_of
from ..runs import folder as runs
from . import comparison
from .config import Config
from .judge import Judgment, judge


def run(config: Config) -> dict[str, Any]:
    """Evaluates every method, prints Table 1 and what stands beside it, and adds them to `metrics.json`."""
    if config.methods == "all":
        return comparison.compare(config)
    runs.record_config(config.run, "evaluate", config)
    results = judge(Judgment(config.run, config.neighbors, config.imagery, config.device))
    sizes = {name: size for name in paper.MAPS if (size := size_of(name, config.run)) is not None}
    runs.merge(config.run, "metrics.json", {"map_bytes": sizes}, nested=False)
    print(error_tables.summary(results, OURS))
    for method in METHODS:
        if method.stages and not method.slow and method.name not in results["table1"]:
            command = f"infant-arm {method.stages[-1].command} --data DATA --run {config.run}"
            print(f"{method.name}: not trained; `{command}` adds it to the table")
    return results
