"""`infant-arm bench`: how fast the parts are, as ratios measured in one run.

Absolute times drift with the machine's load; what is compared is therefore measured in turns, round by round, and the table
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
from .turns import Part, in_turns


def run(config: Config) -> dict[str, float]:
    """Measures one part, prints its table, and gives by name how often as long a thing takes as the first's."""
    if config.part in _WHOLE:
        return _WHOLE[config.part](config)
    works, remarks = _PARTS[config.part](config)
    ratios = in_turns(f"bench {config.part}", config.rounds, works)
    print("\n".join(remarks()))
    return ratios


_WHOLE: dict[str, Callable[[Config], dict[str, float]]] = {
    "env": bench_env.run,
    "som": bench_som.run,
    "world": bench_world.run,
}
_PARTS: dict[str, Callable[[Config], Part]] = {
    "collect": bench_imagine.collect,
    "ae": bench_autoencoder.part,
    "imagine": bench_imagine.imagine,
    "query": lambda config: bench_query.part(config, bench_imagine.mind_of(config).som),
}
