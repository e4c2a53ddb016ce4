"""`infant-arm evaluate`: Table 1 on the test split, with yardsticks for comparison."""

from ..measure import error_tables
from ..methods.registry import METHODS, OURS
from ..runs import folder as runs
from ..runs.in_turn import in_turn
from ..runs.metrics import Metrics
from . import comparison
from .config import Config
from .judge import JudgeConfig, judge
from .results import Comparison


def run(config: Config) -> Metrics | Comparison:
    """Scores every method, prints Table 1 and further tables, and adds them to `metrics.json`."""
    return comparison.compare(config) if config.methods == "all" else _evaluate(config)


@in_turn("evaluate", "scores all methods")
def _evaluate(config: Config) -> Metrics:
    runs.record_config(config.run, "evaluate", config)
    results = judge(JudgeConfig(config.run, config.neighbors, config.imagery, config.device))
    print(error_tables.summary(results, OURS))
    for method in METHODS:
        if method.stages and not method.slow and method.name not in results.table1:
            command = f"infant-arm {method.stages[-1].command} --data DATA --run {config.run}"
            print(f"{method.name}: not trained; `{command}` adds it to the table")
    return results
