"""`infant-arm evaluate`: Table 1 on the test split, with yardsticks for comparison."""

from ..measure import error_tables
from ..methods import mend
from ..methods.registry import OURS
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
    mend.restore_reports(config.run)
    results = judge(JudgeConfig(config.run, config.neighbors, config.imagery, config.device))
    print(error_tables.summary(results, OURS))
    print(*mend.missing(config.run), sep="\n")
    return results
