"""A rod in the hand: does it lengthen the forearm that the map expects to see, and does this end with the tool?"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from matplotlib.figure import Figure

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som_training.online import OnlineSom
from infant_env.body.built_in.anthropometry import Anthropometry
from infant_env.body.changes.change import BodyChange
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...measure.statistics import Interval, Resampling
from ...runs import folder as runs
from ..frame import curves
from ..frame.rows import Floats, Row, Rows
from ..frame.study import Criterion, Findings, Study, Table
from ..pieces.changed import Body, FeltLength, Poses
from ..pieces.eye import Eye
from ..pieces.readouts import noisy
from ..pieces.samples import Samples
from .config import Config
from .growth import length_mm

NONE, SHORT, LONG = "bare hand", "short rod", "long rod"
RODS = {NONE: 0.0, SHORT: 0.27, LONG: 0.8}
"""Lengths in arm lengths: 20 and 60 cm of an adult's arm (Sposito et al. 2012)."""
MASS = 0.02
"""kg; only the pose counts here, so that it changes nothing."""
TARGETS, EVERY = 20, 20
"""Goals, each reached for in turn; reaches between two probes, so that each probe comes after all goals."""
FELT_NOISE = 1.0
"""Degrees; adults near the body have .6 to 1.1 (van Beers et al. 1998)."""
FOREARMS = tuple(np.arange(0.7, 2.01, 0.1).round(1).tolist())
"""Lengths of really seen forearms that are compared with the expected one, relative to the true one."""
USED, OTHER, SEEN = "poses of the reaches", "other poses", "seen"


def prepare(config: Config) -> Callable[[int], Iterator[Row]]:
    """The bodies with and without rods, and with forearms of many lengths."""
    data, mind, samples = (
        Dataset.open(runs.data_of(config.run)), SomAutoencoder.load(config.run), Samples.of(config.run, "cpu"),
    )  # fmt: skip
    eye, age = Eye(data), data.body.age_months
    rods = {name: share * length_mm(age) / 1000 for name, share in RODS.items()}
    bodies = {name: Body(eye.of(BodyChange(rod=(rod, MASS) if rod else None)), mind) for name, rod in rods.items()}
    true = 1000 * Anthropometry.at(age).forearm_length
    forearms = {true * factor: Body(eye.of(BodyChange(forearm=factor)), mind) for factor in FOREARMS}
    tests = bodies[NONE].new(config.tests, np.random.default_rng(0), hand=True)
    other = felt_forearm(forearms, tests)

    def seed_of(seed: int) -> Iterator[Row]:
        random, som = np.random.default_rng(seed), samples.map(seed)
        goals = bodies[LONG].new(TARGETS, random, hand=True)
        used = felt_forearm(forearms, goals)
        bare = bodies[NONE].seen(goals.joints)
        for name, body in bodies.items():
            online, shown = OnlineSom(som), body.seen(goals.joints)
            noise = np.random.default_rng([seed, 1])
            yield {"rod": name, "reach": 0.0, "measure": SEEN, "value": used.of(shown.samples[VISION])}
            for number in range(2 * config.reaches + 1):
                now, seen = (body, shown) if number < config.reaches else (bodies[NONE], bare)
                what: Row = {"rod": name, "reach": float(number)}
                if number % EVERY == 0:
                    for where, felt in ((USED, used), (OTHER, other)):
                        yield {**what, "measure": where, "value": felt(online)}
                yield {**what, "measure": "error", "value": reach(online, now, seen, number % TARGETS, noise)}

    return seed_of


def felt_forearm(forearms: dict[float, Body], poses: Poses) -> FeltLength:
    """The measure of the felt forearm in some poses of the bare hand."""
    seen = {length: body.seen(poses.joints).samples[VISION] for length, body in forearms.items()}
    return FeltLength(poses.samples[PROPRIOCEPTION], seen)


def reach(online: OnlineSom, body: Body, goals: Poses, which: int, noise: np.random.Generator) -> float:
    """One reach for a goal picture: the error of the hand after the first movement, cm. Then the map learns the goal's pose."""
    row = torch.tensor([which])
    one = Poses(goals.joints[row], goals.hands[row], goals.some(row))
    error = body.error_cm(online, one)
    felt = noisy(body.eye, one.samples[PROPRIOCEPTION].numpy(), FELT_NOISE, noise)
    online.update({VISION: one.samples[VISION], PROPRIOCEPTION: felt})
    return error


def judge(config: Config, rows: Rows) -> Findings:
    """Whether a rod lengthens the felt forearm."""
    end = float(config.reaches // EVERY * EVERY)
    found = {(name, where): change(rows, name, where, end) for where in (USED, OTHER) for name in (SHORT, LONG)}
    more = {where: change(rows, LONG, where, end, SHORT) for where in (USED, OTHER)}
    after = {where: change(rows, LONG, where, 2 * end) for where in (USED, OTHER)}
    looks = {name: rows.where(rod=name, measure=SEEN).mean("value") for name in RODS}
    seen = " and ".join(f"{looks[name] - looks[NONE]:.1f} mm longer ({name})" for name in (LONG, SHORT))
    criteria = [
        Criterion(
            f"felt forearm, {where}",
            "the long rod lengthens it, the short one does not, and the long one more (Sposito et al. 2012)",
            f"long {words(found[LONG, where])}; short {words(found[SHORT, where])}; long minus short {words(more[where])}",
            found[LONG, where].low > 0 and not found[SHORT, where].low > 0 and more[where].low > 0,
        )
        for where in (USED, OTHER)
    ]
    came_out = [
        f"After {config.reaches} reaches with the long rod, the felt forearm has changed by {words(found[LONG, USED])} in the "
        f"poses of these reaches, and by {words(found[LONG, OTHER])} in other poses; with the short rod by "
        f"{words(found[SHORT, USED])} and {words(found[SHORT, OTHER])}, each against the bare hand.",
        f"After {config.reaches} further reaches with the bare hand, {words(after[USED])} and {words(after[OTHER])} are left "
        "of the long rod's effect.",
        f"More is hardly possible with the eye of this run: to its autoencoder, which was taught without rods, a forearm whose "
        f"hand really holds a rod looks {seen} than without.",
    ]
    return Findings(
        came_out,
        criteria,
        {"forearm": forearm_figure(config, rows), "errors": error_figure(config, rows)},
        {
            "forearm": "Length of the forearm that felt joints let the map expect: its change, less that of the same reaches "
            "with the bare hand. With a rod up to the dotted line, then with the bare hand. Bands: standard deviation of the "
            "seeds.",
            "errors": f"Error of the hand after the first movement of a reach; means of the {TARGETS} goals.",
        },
        {"Felt forearm, mm against before": table(config, rows)},
    )


def words(own: Interval) -> str:
    """A change and its interval."""
    return f"{own.mean:+.1f} mm ({own.low:+.1f} to {own.high:+.1f})"


def felt(rows: Rows, rod: str, where: str, reach: float) -> Floats:
    """Felt lengths after some reaches against those before, for each seed, mm, (S,)."""
    own = rows.where(rod=rod, measure=where)
    return own.where(reach=reach).by_seed("value") - own.where(reach=0.0).by_seed("value")


def change(rows: Rows, rod: str, where: str, reach: float, base: str = NONE) -> Interval:
    """How much more the felt forearm has changed with a rod than with another, or with the bare hand, mm; 95 % interval."""
    gaps = (felt(rows, rod, where, reach) - felt(rows, base, where, reach)).astype(np.float32)[:, None]
    return Resampling(*gaps.shape).interval(gaps)


def table(config: Config, rows: Rows) -> Table:
    """Felt forearms after the rod, and after the bare hand."""
    end = float(config.reaches // EVERY * EVERY)
    header = ["", *(f"{where}, {when}" for where in (USED, OTHER) for when in ("after the rod", "after the bare hand"))]
    return header, [
        [name, *(f"{felt(rows, name, where, at).mean():+.1f}" for where in (USED, OTHER) for at in (end, 2 * end))]
        for name in RODS
    ]


def forearm_figure(config: Config, rows: Rows) -> Figure:
    """Felt forearms against the number of reaches."""
    figure, axes = curves.panels(2, size=(4.4, 3.4))
    for axis, where in zip(axes, (USED, OTHER), strict=True):
        grown = {name: rows.where(rod=name, measure=where).curve("reach", "value") for name in RODS}
        for number, name in enumerate(RODS):
            (reach, value), (_, bare) = grown[name], grown[NONE]
            if name != NONE:
                curves.curve(axis, reach, (value - value[:, :1]) - (bare - bare[:, :1]), number, name, markersize=3)
        axis.axvline(config.reaches, color="black", linestyle=":", linewidth=0.8)
        axis.axhline(0, color="black", linewidth=0.5)
        axis.set(title=where, xlabel="reach")
    low, high = (pick(axis.get_ylim()[end] for axis in axes) for end, pick in enumerate((min, max)))
    for axis in axes:
        axis.set_ylim(low, high)
    axes[0].set_ylabel("change of the felt forearm\nagainst the bare hand, mm")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def error_figure(config: Config, rows: Rows) -> Figure:
    """Errors of reaches."""
    figure, (axis,) = curves.panels(1, size=(5.2, 3.2))
    for number, name in enumerate(RODS):
        reach, error = rows.where(rod=name, measure="error").curve("reach", "value")
        count = len(reach) // TARGETS * TARGETS
        x, y = (each[..., :count].reshape(*each.shape[:-1], -1, TARGETS).mean(-1) for each in (reach, error))
        curves.curve(axis, x, y, number, name)
    axis.axvline(config.reaches, color="black", linestyle=":", linewidth=0.8)
    axis.set(xlabel="reach", ylabel="error of the hand, cm", ylim=(0, None))
    axis.legend(frameon=False)
    return figure


STUDY = Study(
    name="body",
    part="tool",
    question="A rod in the hand: does it lengthen the forearm that is felt?",
    known="After 15 minutes of work with a tool of 60 cm, people feel their forearm to be longer; a tool of 20 cm, which "
    "serves nothing, changes nothing (Sposito et al. 2012). At first the arm is felt shorter, and slowly longer (Ganesh "
    "et al. 2014).",
    method="The hand holds a rod of .27 or .8 arm lengths (20 and 60 cm of an adult's arm), or nothing. The infant reaches "
    "200 times for 20 goal pictures in turn, which show its arm with the rod; then 200 times with the bare hand. The "
    "first movement goes to the pose that the winner recalls for the goal picture. Then the arm goes on under sight until "
    "it looks like the goal picture, and the map learns this picture and the felt joints (noise 1 degree; adults have .6 "
    "to 1.1, van Beers et al. 1998), by the online batch rule. Every 20 reaches, without a rod in sight: the felt "
    "forearm, that is, the length of a bare forearm whose really seen pictures are nearest to those that the felt joints "
    "let the map expect, in the poses of the reaches and in 100 other poses. The same measure "
    "is applied to the really seen rods, as an upper end of what a map can learn. Effects are against the same reaches with "
    "the bare hand; intervals are 95 % bootstrap intervals over the seeds.",
    changed=(
        "The long rod must have more effect than the short one. Before, it was enough that the interval of the long one's "
        "effect lay above 0 and that of the short one's did not; so three seeds met the criterion with +2.0 against +1.6 mm.",
    ),
    config=Config,
    prepare=prepare,
    judge=judge,
)
