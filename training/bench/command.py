"""`infant-arm bench`: how fast each part is, as ratios measured in one run; and how well agents reach for pictures.

Absolute times change with the machine's load. What is compared is therefore measured in turns, round by round, and the table
shows the median of the rounds' ratios.
"""

from collections.abc import Callable

from . import autoencoder as bench_autoencoder
from . import env as bench_env
from . import imagine as bench_imagine
from . import query as bench_query
from . import som as bench_som
from . import world as bench_world
from .config import Config
from .goals import command as bench_goals
from .turns import Benchmark, compare


def run(config: Config) -> dict[str, float]:
    """Measures one part, prints its table, and returns by name the time for one thing relative to the first row's.

    `goals` returns shares of reached goals instead.
    """
    if config.part == "goals":
        return bench_goals.run(config, config.seed)
    if config.part in _SEVERAL_TABLES:
        return _SEVERAL_TABLES[config.part](config)
    workloads, remarks = _ONE_TABLE[config.part](config)
    ratios = compare(f"bench {config.part}", config.rounds, workloads)
    print("\n".join(remarks()))
    return ratios


_SEVERAL_TABLES: dict[str, Callable[[Config], dict[str, float]]] = {
    "env": bench_env.run,
    "som": bench_som.run,
    "world": bench_world.run,
}
_ONE_TABLE: dict[str, Callable[[Config], Benchmark]] = {
    "collect": bench_imagine.collect,
    "ae": bench_autoencoder.epochs,
    "imagine": bench_imagine.imagine,
    "query": bench_query.winners,
}
