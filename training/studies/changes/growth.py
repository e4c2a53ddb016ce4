"""The arm grows from 1 to 24 months: does a map that goes on learning keep up, and how long does it take the arm to be?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train
from agents.som_training.online import OnlineSom
from infant_env.body.built_in.anthropometry import Anthropometry
from infant_env.body.changes.change import BodyChange
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...measure.statistics import Interval, Resampling
from ...runs import folder as runs
from ..frame import curves
from ..frame.measured import folder_of, key_of
from ..frame.rows import Floats, Row, Rows
from ..frame.study import Criterion, Findings, Study, Table
from ..pieces.changed import Body, FeltLength, Kept, Poses, Recalls
from ..pieces.eye import Eye
from ..pieces.learners import FORGET
from ..pieces.samples import Samples
from .config import Config

MONTHS = range(1, 25)
SHARES = (0.05, 0.2, 1.0)
"""Poses of a later month as a share of those of the first one: 50, 200 and 1,000 of 1,000."""
MIDDLE = 1
"""Number of the share for which the criteria hold: 200 poses a month."""
FROZEN, SCRATCH, ONLINE, REPLAY, FORGETTING = (
    "frozen", "from scratch", "online", "online, self-replay", "online, forgetting",
)  # fmt: skip
LEARNERS: dict[str, Callable[[MultiModalSom], OnlineSom]] = {
    ONLINE: OnlineSom,
    REPLAY: partial(OnlineSom, replay=1.0),
    FORGETTING: partial(OnlineSom, forget=FORGET),
}
"""Maps that go on learning by the batch rule."""
WITHIN = 1.25


@dataclass(frozen=True)
class Month:
    """The arm of an age: its poses, and test poses that are the same for all ages."""

    body: Body
    arm_mm: float
    poses: Poses
    tests: Poses


def of_age(months: float, own: float) -> BodyChange:
    """An arm of this age on a body of another age."""
    then, now = (Anthropometry.at(age) for age in (months, own))
    return BodyChange(
        upper_arm=then.upper_arm_length / now.upper_arm_length,
        forearm=then.forearm_length / now.forearm_length,
        hand=(then.elbow_to_fingertip - then.forearm_length) / (now.elbow_to_fingertip - now.forearm_length),
    )


def length_mm(months: float) -> float:
    """From the shoulder to the fingertips."""
    measures = Anthropometry.at(months)
    return 1000 * (measures.upper_arm_length + measures.elbow_to_fingertip)


def prepare(config: Config) -> Callable[[int], Iterator[Row]]:
    """The arms of all months; their poses are the same for all seeds, as the run's are."""
    data, mind, samples = (
        Dataset.open(runs.data_of(config.run)), SomAutoencoder.load(config.run), Samples.of(config.run, "cpu"),
    )  # fmt: skip
    eye = Eye(data)
    kept = Kept(folder_of(STUDY, config) / "poses", key_of(replace(config, reaches=1, trials=1)))
    bodies = {month: Body(eye.of(of_age(month, data.body.age_months)), mind) for month in MONTHS}
    last = bodies[MONTHS[-1]]
    tests = kept("tests", lambda: last.new(config.tests, np.random.default_rng(0), hand=True)).joints
    ages = {}
    for month, body in tqdm(bodies.items(), desc="poses", unit="month"):
        own = kept(f"{month}_months", partial(body.new, config.poses, np.random.default_rng(month)))
        seen = kept(f"{month}_months_tests", partial(body.seen, tests))
        ages[month] = Month(body, length_mm(month), own, seen)
    felt = FeltLength(
        ages[1].tests.samples[PROPRIOCEPTION], {age.arm_mm: age.tests.samples[VISION] for age in ages.values()}
    )
    fit = partial(train, shape=samples.shape, c=samples.c)

    def seed_of(seed: int) -> Iterator[Row]:
        generator = torch.Generator().manual_seed(seed)
        first = fit(ages[1].poses.samples, seed=seed)
        counts = [max(1, round(share * config.poses)) for share in SHARES]
        grown = {(name, n): begin(first) for name, begin in LEARNERS.items() for n in counts}
        for month, age in ages.items():
            order = torch.randperm(config.poses, generator=generator)
            maps: dict[tuple[str, int], Recalls] = {(FROZEN, 0): first}
            for n in counts:
                new = age.poses.some(order[:n])
                maps[SCRATCH, n] = fit(new, seed=seed)
                for name in LEARNERS if month > 1 else ():
                    grown[name, n].update(new)
            for (name, n), som in (maps | grown).items():
                found = {"error_cm": age.body.error_cm(som, age.tests), "felt_mm": felt(som), "arm_mm": age.arm_mm}
                yield {"learner": name, "poses": float(n), "month": float(month), **found}

    return seed_of


def judge(config: Config, rows: Rows) -> Findings:
    """Who keeps up with growth, and how long the arm is felt."""
    counts = [float(max(1, round(share * config.poses))) for share in SHARES]
    some, most = counts[MIDDLE], counts[-1]
    base = rows.where(learner=SCRATCH, poses=most)
    times = {name: ratio(rows.where(learner=name, poses=some), base) for name in LEARNERS}
    lags = {name: lag(rows.where(learner=name, poses=some), base) for name in LEARNERS}
    best = min(times, key=lambda name: times[name].mean())
    frozen = ratio(rows.where(learner=FROZEN), base)
    came_out = [
        f"With {some:g} poses a month, the best way to go on learning ({best}) keeps the hand's error at "
        f"{times[best].mean():.2f} times that of a map from scratch, over 23 months; a map that does not learn ends at "
        f"{frozen[-1]:.1f} times.",
        f"Against a map from scratch, the arm is felt {', '.join(f'{words(own)} ({name})' for name, own in lags.items())}.",
    ]
    figures = {"growth": growth_figure(rows, counts), "felt": felt_figure(rows, counts)}
    captions = {
        "growth": "Error of the hand by age, for three numbers of poses a month. Gray: up to 1.25 times a map from "
        f"scratch with {most:g} poses of the month. Bands: standard deviation of the seeds.",
        "felt": "Length of the arm that the felt joints let the map expect, minus the true length. Gray: ahead of "
        "growth, as at 8 to 16 years.",
    }
    criteria = [*keeping_up(some, most, times), *lagging(some, lags)]
    return Findings(came_out, criteria, figures, captions, {"Means over the months 2 to 24": table(rows, counts)})


def keeping_up(some: float, most: float, times: Mapping[str, Floats]) -> Iterator[Criterion]:
    """Whether errors stay within 1.25 times those of a map from scratch, which learned more poses."""
    expected = f"at most {WITHIN:g} times that of a map from scratch ({most:g} poses) in every month"
    for name, own in times.items():
        found = f"{own.mean():.2f} times, {own.max():.2f} times in the worst month"
        yield Criterion(f"error, {some:g} poses a month: {name}", expected, found, bool(own.max() <= WITHIN))


def lagging(some: float, lags: Mapping[str, Interval]) -> Iterator[Criterion]:
    """Whether the felt arm is ahead of growth."""
    expected = "ahead of growth, above 0 mm (8 to 16 years, Experimental Brain Research 2021)"
    for name, own in lags.items():
        found = f"{own.mean:+.1f} mm ({own.low:+.1f} to {own.high:+.1f})"
        yield Criterion(f"felt length, {some:g} poses a month: {name}", expected, found, own.low > 0)


def words(own: Interval) -> str:
    """How much longer or shorter."""
    return f"{abs(own.mean):.0f} mm {'longer' if own.mean > 0 else 'shorter'}"


def later(rows: Rows) -> Rows:
    """Without the first month, in which all know the same poses."""
    return Rows(row for row in rows if float(row["month"]) > MONTHS[0])


def ratio(own: Rows, base: Rows) -> Floats:
    """Errors as multiples of others, month by month from the second one, (23,)."""
    mine, other = (later(each).curve("month", "error_cm")[1].mean(0) for each in (own, base))
    return np.asarray(mine / other)


def lag(own: Rows, base: Rows) -> Interval:
    """Felt length against that of a map from scratch, which removes what the measure itself adds, mm; 95 % interval."""
    mine, other = (later(each).curve("month", "felt_mm")[1].mean(1) for each in (own, base))
    gaps = (mine - other).astype(np.float32)[:, None]
    return Resampling(*gaps.shape).interval(gaps)


def table(rows: Rows, counts: list[float]) -> Table:
    """All learners."""
    header = ["learner", "poses a month", "error, cm", "share of the arm", "at 24 months, cm", "felt minus true, mm"]
    base, lines = rows.where(learner=SCRATCH, poses=counts[-1]), []
    for name, n in [(FROZEN, 0.0), *((name, n) for name in (*LEARNERS, SCRATCH) for n in counts)]:
        own = rows.where(learner=name, poses=n)
        some = later(own)
        share = np.mean([float(row["error_cm"]) / float(row["arm_mm"]) * 10 for row in some])
        last = own.where(month=float(MONTHS[-1])).mean("error_cm")
        gap = some.mean("felt_mm") - later(base).mean("arm_mm")
        lines.append(
            [name, f"{n:g}", f"{some.mean('error_cm'):.2f}", f"{100 * share:.1f} %", f"{last:.2f}", f"{gap:+.1f}"]
        )
    return header, lines


def growth_figure(rows: Rows, counts: list[float]) -> Figure:
    """Errors by age, a panel for each number of poses a month."""
    figure, axes = curves.panels(len(counts), size=(3.6, 3.4))
    month, base = rows.where(learner=SCRATCH, poses=counts[-1]).curve("month", "error_cm")
    for axis, n in zip(axes, counts, strict=True):
        axis.fill_between(month, 0, WITHIN * base.mean(0), color=curves.BAND, linewidth=0, zorder=0)
        for number, name in enumerate((FROZEN, *LEARNERS, SCRATCH)):
            own = rows.where(learner=name, poses=0.0 if name == FROZEN else n)
            curves.curve(axis, *own.curve("month", "error_cm"), number, name, markersize=3)
        axis.set(title=f"{n:g} poses a month", xlabel="age, months", ylim=(0, None), xticks=range(0, 25, 6))
    top = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(0, top)
    axes[0].set_ylabel("error of the hand, cm")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


def felt_figure(rows: Rows, counts: list[float]) -> Figure:
    """Felt lengths minus true ones by age."""
    figure, axes = curves.panels(len(counts), size=(3.6, 3.4))
    for axis, n in zip(axes, counts, strict=True):
        for number, name in enumerate((FROZEN, *LEARNERS, SCRATCH)):
            own = rows.where(learner=name, poses=0.0 if name == FROZEN else n)
            month, felt = own.curve("month", "felt_mm")
            curves.curve(axis, month, felt - own.curve("month", "arm_mm")[1], number, name, markersize=3)
        axis.axhline(0, color="black", linewidth=0.5)
        axis.set(title=f"{n:g} poses a month", xlabel="age, months", xticks=range(0, 25, 6))
    low, high = (pick(axis.get_ylim()[end] for axis in axes) for end, pick in enumerate((min, max)))
    for axis in axes:
        axis.set_ylim(low, max(high, 20))
        axis.axhspan(0, max(high, 20), color=curves.BAND, linewidth=0, zorder=0)
    axes[0].set_ylabel("felt minus true length, mm")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


STUDY = Study(
    name="body",
    part="growth",
    question="The arm grows: does the map keep up, and how long does it feel the arm to be?",
    known="An infant's arm measures 264, 341 and 394 mm at 1, 12 and 24 months; it grows by 7.0, later by 4.4 mm a "
    "month. A map that was trained at 12 months brings 77 % of the hands within 2 cm at 12 months, 59 % at 9 and 20 % "
    "at 18 (measured with this project). At ages 8 to 16, the felt hand is ahead of growth (Experimental Brain "
    "Research 2021); no study asked infants.",
    method="Upper arm, forearm and hand have the lengths of each month from 1 to 24 (AnthroKids), on the run's body "
    "and in front of the run's eye, so that the run's autoencoder serves all ages. The map learns 1,000 poses of the "
    "first month, and then each month 50, 200 or 1,000 new ones: not at all (frozen), by the online batch rule, with "
    "self-replay, with forgetting (a sample loses .1 % of its weight with each new one), or as a new map of the "
    "month's poses alone (from scratch). All maps have the size and the influences of the run's. The error of the "
    "hand is that of the pose which the winner recalls from the picture, for 100 new poses that are the same at all "
    "ages. All seeds share these poses; they differ in the maps and in the poses that are chosen. "
    "The felt length is the length of the arm whose really seen pictures are nearest to those that the felt "
    "joints let the map expect. The criterion of 1.25 times holds against a map from scratch with 1,000 poses, five "
    "times as many as the map that goes on learning gets. Lags are against the same map, which removes what the "
    "measure itself adds; intervals are 95 % bootstrap intervals over the seeds.",
    config=Config,
    prepare=prepare,
    judge=judge,
)
