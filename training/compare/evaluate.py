"""`infant-arm evaluate`: Table 1 on the test split, beside honest yardsticks."""

from ..measure import error_tables
from ..methods.registry import METHODS, OURS
from ..runs import folder as runs
from ..runs.metrics import Metrics
from . import comparison
from .config import Config
from .judge import Judgment, judge
from .results import Comparison


def run(config: Config) -> Metrics | Comparison:
    """Evaluates every method, prints Table 1 and what stands beside it, and adds them to `metrics.json`."""
    if config.methods == "all":
        return comparison.compare(config)
    runs.record_config(config.run, "evaluate", config)
    results = judge(Judgment(config.run, config.neighbors, config.imagery, config.device))
    print(error_tables.summary(results, OURS))
    for method in METHODS:
        if method.stages and not method.slow and method.name not in results.table1:
            command = f"infant-arm {method.stages[-1].command} --data DATA --run {config.run}"
            print(f"{method.name}: not trained; `{command}` adds it to the table")
    return results
