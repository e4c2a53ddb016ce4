"""`infant-arm bench som`: the CPU time of this project's map and of the SOM libraries, at equal quality.

This project's map is trained with its default arguments. Its quantization error on unseen samples is the target: each library
gets the schedule that reaches it at the least cost (`training/bench/maps/schedules.py`). The contestants train one after the
other, each in its own process, with the same number of threads. One function evaluates all maps.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from tqdm import tqdm

from agents.som.distances import DISTANCES, Distance
from infant_env.errors import UserError

from ..show import tables
from .config import Config
from .maps.contestant import LITERAL, OURS, Job, Result
from .maps.data import Data, data_sets
from .maps.data import synthetic as synthetic
from .maps.peers import PEERS
from .maps.process import Outcome, compete
from .maps.quality import Quality
from .maps.stage import Shape

HEADER = (
    *("contestant", "trained by", "schedule, epochs", "CPU s", "x ours", "peak GB"),
    *("quantization", "topographic", "v->j", "j->v", "target", "remark"),
)
LEGEND = (
    "target: this project's quantization error on unseen samples, within .1 %, by the distance of the table. Its row is the "
    "mean of three seeds.\nA library takes the cheapest of its schedules that reaches it: at the full size from the plane of "
    "two principal components, or coarse to fine\nin a few lines of user code, with growing epochs, to the same last radius. "
    "It gives up where a training would take more than --times ours\nor --budget. Both distances: a library that trains by "
    "Euclid competes for l1, too; for l2 only such libraries do.\n"
    "CPU s: user and system time of that training alone, all threads; a first training on a tiny map excludes imports and "
    "compilation. Not the search.\n~: extrapolated linearly; there is no map, so there are no errors.\n"
    "peak GB: memory of the whole process, with the interpreter and libraries.\n"
    "v->j, j->v: the mean absolute error of joints from vision and of latents from joints by the winner's weights. All errors "
    "are on samples that\nthe map was not trained on."
)


def run(config: Config) -> dict[str, float]:
    """Measures all contestants, prints a table per data set, size and distance, and returns CPU seconds relative to ours.

    Only contestants that reached the target are in what it returns.

    Raises:
        UserError: a size that is none, an unknown peer, or a run without a trained autoencoder.
    """
    shapes = [shape_of(size) for size in config.sizes]
    _check(config)
    ratios: dict[str, float] = {}
    for data in data_sets(config):
        for shape in shapes:
            for distance in config.distances:
                title = f"{data.name}, {shape[0]}x{shape[1]}, {distance}"
                outcomes = contest(data, shape, distance, config, title)
                print(f"bench som: {title}, {config.threads} thread(s)")
                print(tables.as_text(HEADER, [row(outcome, outcomes[0].result) for outcome in outcomes]))
                print(least(outcomes) + "\n", flush=True)
                ratios |= {f"{title}, {name}": ratio for name, ratio in relative(outcomes).items()}
    print(LEGEND)
    return ratios


def shape_of(size: str) -> Shape:
    """Rows and columns of "30x20", or of "30" for a square map.

    Raises:
        UserError: the text is no size, or the map has fewer than 2 neurons.
    """
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", size)
    sides = [int(side) for side in match.groups(match[1])] if match else [0]
    if not 2 <= min(sides) * max(sides) <= 10**8:
        raise UserError(f"got --sizes {size}, expected 2 neurons or more, as 30 (30x30) or 1x50")
    return sides[0], sides[1]


def contest(data: Data, shape: Shape, distance: Distance, config: Config, title: str) -> list[Outcome]:
    """All contestants' rows for one data set, size and distance; this project's comes first."""
    found: list[Outcome] = []
    job = Job(OURS, shape, distance, data.c, config.seed, config.budget, config.memory)
    for name in tqdm(list(names(config, distance)), title, leave=False, unit="contestant", disable=None):
        ours = found[0].result if found else None
        if ours is not None and ours.quality is not None:
            limit = min(config.budget, config.times * ours.cpu)
            job = Job(name, shape, distance, data.c, config.seed, limit, config.memory, ours.quality.quantization)
        elif found:
            found.append(Outcome(name, remark="not measured: there is no target"))
            continue
        found.append(compete(job, data, config.threads))
    return found


def names(config: Config, distance: Distance) -> Iterator[str]:
    """The contestants for a distance."""
    yield from (OURS, LITERAL)
    yield from (name for name in config.peers if distance == "l1" or PEERS[name].distance == "euclidean")


def row(outcome: Outcome, ours: Result | None) -> list[str]:
    """A contestant's row; a dash stands for an unknown value."""
    peer, result = PEERS.get(outcome.name), outcome.result
    trained = peer.distance if peer else "same"
    if result is None:
        return [outcome.name, trained, *["-"] * 9, outcome.remark]
    mark = "" if result.share == 1 else "~"
    remark = ", ".join(filter(None, (outcome.remark, mark and f"~ from {result.share:.2%} of the work")))
    ratio = mark + _short(result.cpu / ours.cpu) if ours else "-"
    costs = [result.schedule, mark + _short(result.cpu), ratio, f"{result.peak:.2f}"]
    reached = "sets it" if outcome.name == OURS else "reached" if result.reached else "not reached"
    return [outcome.name, trained, *costs, *_errors(result.quality), reached, remark]


def relative(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """CPU seconds of all contestants that reached the target, relative to the first contestant's."""
    ours = outcomes[0].result
    return {o.name: o.result.cpu / ours.cpu for o in outcomes if ours and o.result is not None and o.result.reached}


def least(outcomes: Sequence[Outcome]) -> str:
    """One line: the library that reached the target at the least cost."""
    peers = {name: ratio for name, ratio in relative(outcomes).items() if name in PEERS}
    if not peers:
        return "no library reached the target"
    name, ratio = min(peers.items(), key=lambda item: item[1])
    return f"least CPU seconds of a library: {name}, {_short(ratio)} times ours"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _errors(quality: Quality | None) -> list[str]:
    return ["-"] * 4 if quality is None else [tables.number(value) for value in asdict(quality).values()]


def _check(config: Config) -> None:
    """Raises a UserError for settings that only this benchmark uses."""
    for option, given in (("sizes", config.sizes), ("distances", config.distances)):
        if not given:
            raise UserError(f"got no --{option}, expected one or more")
    if config.run is None and not config.data:
        raise UserError("got no --data and no run, expected one or more data sets, such as --data synthetic")
    for option, given, known in (("peers", config.peers, tuple(PEERS)), ("distances", config.distances, DISTANCES)):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise UserError(f"got {option} {unknown}, expected some of {list(known)}")
