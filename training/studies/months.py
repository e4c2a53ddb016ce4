"""`infant-arm study months`: from 1 to 24 months, in light and in the dark: how does the infant reach?"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som_training.coarse_to_fine import train
from infant_env.senses.acuity import acuity_at
from infant_env.senses.modalities import PROPRIOCEPTION
from infant_env.senses.sense import JOINTS, of_age

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.config import Count
from ..show import tables
from .frame import curves
from .frame.measured import folder_of, key_of
from .frame.rows import Row, Rows
from .frame.study import Criterion, Findings, Study, StudyConfig, Table
from .pieces.changed import Body, Kept, Poses, seeing
from .pieces.eye import Eye
from .pieces.reaching import Reach, Reacher
from .pieces.readouts import noisy
from .pieces.samples import Samples

MONTHS = (1, 2, 3, 4, 5, 6, 9, 12, 24)
GOALS = 200
"""New poses of each age, in which the hand is seen: goals, and what the controller is measured on, half each."""
LIGHT, DARK = "light", "dark"
ByAge = dict[str, dict[int, float]]
"""Measure -> age in months -> mean of the seeds."""
MEASURES = {
    "contacts": "contacts within 2 cm, share",
    "units": "movement units",
    "single": "reaches with a single peak, share",
    "unit_ms": "duration of a unit, ms",
    "in_view": "hand within 15° of the gaze, share of the time",
}


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study how the infant reaches from 1 to 24 months, in light and in the dark."""

    reaches: Count = 200
    """Reaches in light and in the dark, for each age and seed."""
    babbled: Count = 1000
    """Poses that the map of each age learns."""


@dataclass(frozen=True)
class Age:
    """The body of an age, the poses that its map learns, those on which the controller is measured, and the goals."""

    body: Body
    poses: Poses
    validation: Poses
    goals: Poses


def prepare(config: Config) -> Callable[[int], Iterator[Row]]:
    """The bodies of all ages; their poses are the same for all seeds, as the run's are."""
    mind, samples = SomAutoencoder.load(config.run), Samples.of(config.run, "cpu")
    eye = Eye(Dataset.open(runs.data_of(config.run)))
    kept = Kept(folder_of(STUDY, config) / "poses", key_of(replace(config, reaches=1)))  # any number of reaches
    ages = {month: of_month(month, eye, mind, config, kept) for month in tqdm(MONTHS, desc="poses", unit="age")}

    def seed_of(seed: int) -> Iterator[Row]:
        for month, age in ages.items():
            random = np.random.default_rng([seed, month])
            noise = of_age(age.body.eye.arm.body)[JOINTS].noise
            felt = noisy(age.body.eye, age.poses.samples[PROPRIOCEPTION].numpy(), noise, random)
            som = train({**age.poses.samples, PROPRIOCEPTION: felt}, samples.shape, samples.c, seed)
            reacher = Reacher(age.body, som, age.validation, seed)
            for name in (LIGHT, DARK):
                found = [one(reacher, age, name == LIGHT, random) for _ in range(config.reaches)]
                yield {"month": float(month), "seen": name, "readout": reacher.readout, **summary(found)}

    return seed_of


def of_month(month: int, eye: Eye, mind: SomAutoencoder, config: Config, kept: Kept) -> Age:
    """The body of an age, with the acuity of this age, and its poses."""
    own = eye.of(float(month), acuity_at(month))
    body, half = Body(own, seeing(mind, own)), min(GOALS, config.babbled) // 2

    def new(name: str, count: int, number: int) -> Poses:
        random = np.random.default_rng([month, number])
        return kept(f"{month}_months_{name}", lambda: body.new(count, random, hand=number > 0))

    return Age(body, new("babbled", config.babbled, 0), new("validation", half, 1), new("goals", half, 2))


def one(reacher: Reacher, age: Age, light: bool, random: np.random.Generator) -> Reach:
    """A reach from a random pose for a random goal."""
    row = torch.tensor([int(random.integers(len(age.goals.joints)))])
    start, seed = age.body.eye.valid_pose(random), int(random.integers(2**31))
    return reacher(next(iter(age.goals.some(row).values())), age.goals.hands[row[0]], start, light, seed)


def summary(found: list[Reach]) -> dict[str, float]:
    """Means over reaches; movement units of those with a contact, as studies of infants count them."""
    touched = [each for each in found if each.contact]
    lasted = [each.unit_ms for each in touched if not np.isnan(each.unit_ms)]
    return {
        "contacts": len(touched) / len(found),
        "units": float(np.mean([each.units for each in touched])) if touched else float("nan"),
        "single": float(np.mean([each.units <= 1 for each in touched])) if touched else float("nan"),
        "unit_ms": float(np.mean(lasted)) if lasted else float("nan"),
        "in_view": float(np.mean([each.in_view for each in found])),
    }


def judge(config: Config, rows: Rows) -> Findings:
    """How reaching changes with age."""
    light, dark = ({name: at_age(rows.where(seen=seen), name) for name in MEASURES} for seen in (LIGHT, DARK))
    some = 1, 6, 24
    ends = ", ".join(f"{share(light['contacts'][month])} ({share(dark['contacts'][month])})" for month in some)
    units = ", ".join(f"{light['units'][month]:.1f}" for month in some)
    came_out = [
        f"At 1, 6 and 24 months, {ends} of the reaches in light (in the dark) come within 2 cm of the goal, with "
        f"{units} movement units in light.",
        "What changes with age here is the body, the acuity and the delay of the eye; the poses that are learned, and the noise "
        "of the joints, are the same at all ages.",
    ]
    return Findings(
        came_out,
        list(milestones(light, dark)),
        {"months": month_figure(rows)},
        {
            "months": "Reaching by age, in light and in the dark. Gray: infants. Bands: standard deviation of the seeds. "
            "Movement units are those of reaches that end in a contact."
        },
        {"Reaching by age: light / dark": table(light, dark)},
    )


def milestones(light: ByAge, dark: ByAge) -> Iterator[Criterion]:
    """Held against infants."""
    contacts, view, units = (light[name] for name in ("contacts", "in_view", "units"))
    onset = next((month for month in MONTHS if contacts[month] >= 0.5), None)
    found = "never" if onset is None else f"at {onset} months"
    yield Criterion(
        "reaching begins: half of the reaches touch", "at 3.5 to 5 months, not before", found, onset in (4, 5)
    )
    found, expected = f"{units[4]:.2f} to {units[9]:.2f}", "fall, here by a tenth or more (von Hofsten 1991)"
    yield held("movement units, 4 to 9 months", expected, found, units[9] - 0.9 * units[4], -math.inf, 0)
    single, expected = light["single"][24], "75 % +- 10 (n = 9, Konczak and Dichgans 1997)"
    yield held("reaches with a single peak, 24 months", expected, f"{100 * single:.0f} %", single, 0.65, 0.85)
    lasting = float(np.mean([light["unit_ms"][month] for month in (5, 6, 9)]))
    expected = "about 200 ms, here 150 to 250 (Fetters and Todd 1987)"
    yield held("duration of a movement unit, 5 to 9 months", expected, f"{lasting:.0f} ms", lasting, 150, 250)
    both = contacts[6], dark["contacts"][6]
    found, expected = (
        f"{share(both[0])} in light, {share(both[1])} in the dark",
        "does not matter, here contacts within 10 % (Clifton et al. 1994)",
    )
    yield held("sight of the hand, 6 months", expected, found, both[0] - both[1] if any(both) else math.nan, -0.1, 0.1)
    regard = max(view[2], view[3])
    found = f"{share(regard)} at 2 or 3 months, {share(view[4])} at 4"
    most = regard > view[4] and regard >= max(view.values())
    yield Criterion("hand in view", "most at 2 or 3 months, less at 4 (hand regard)", found, most)


def share(value: float) -> str:
    """A share in whole percent."""
    return tables.percent(value)


def held(what: str, expected: str, found: str, value: float, low: float, high: float) -> Criterion:
    """A criterion of a value between limits; without a single contact it is not measured."""
    if math.isnan(value):
        return Criterion(what, expected, "no contact", None)
    return Criterion(what, expected, found, bool(low <= value <= high))


def at_age(rows: Rows, name: str) -> dict[int, float]:
    """Means over the seeds that have a value, by age."""
    values = rows.curve("month", name)[1]
    known = ~np.isnan(values)
    means = np.where(known, values, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)
    return dict(zip(MONTHS, means.tolist(), strict=True))


def table(light: ByAge, dark: ByAge) -> Table:
    """All ages."""
    lines = [[f"{month}", *(cell(light[name][month], dark[name][month]) for name in MEASURES)] for month in MONTHS]
    return ["months", *MEASURES.values()], lines


def cell(*values: float) -> str:
    """Values in light and in the dark."""
    return " / ".join(
        "-" if math.isnan(value) else f"{value:.0f}" if value > 20 else f"{value:.2f}" for value in values
    )


def month_figure(rows: Rows) -> Figure:
    """The measures by age."""
    figure, axes = curves.panels(len(MEASURES), size=(3.7, 2.9))
    for axis, (name, label) in zip(axes, MEASURES.items(), strict=True):
        for number, seen in enumerate((LIGHT, DARK)):
            curves.curve(axis, *rows.where(seen=seen).curve("month", name), number, seen)
        axis.set(xlabel="age, months", ylabel=label.replace(", ", ",\n"), xscale="log", xlim=(0.9, 28))
        axis.set_xticks(MONTHS, [str(month) for month in MONTHS])
        axis.minorticks_off()
    contacts, units, single, lasting, view = axes
    contacts.axvspan(3.5, 5, color=curves.BAND, zorder=0, linewidth=0)
    single.fill_between([20, 28], 0.65, 0.85, color=curves.BAND, zorder=0, linewidth=0)
    lasting.fill_between([5, 9], 150, 250, color=curves.BAND, zorder=0, linewidth=0)
    view.axvspan(2, 3, color=curves.BAND, zorder=0, linewidth=0)
    for axis, top in ((contacts, 1), (single, 1), (view, 1)):
        axis.set_ylim(0, top)
    units.set_ylim(0, None)
    lasting.set_ylim(0, None)
    figure.legend(*contacts.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


STUDY = Study(
    name="months",
    question="From 1 to 24 months, in light and in the dark: how does the infant reach?",
    known="Infants watch their hands from 2 to 3 months, and less at 4. They reach from 3.5 to 5 months. At 6 months, sight of "
    "the hand does not matter (Clifton et al. 1994). The number of movement units falls from 19 to 31 weeks (von Hofsten "
    "1991); a unit takes about 200 ms at 5 to 9 months (Fetters and Todd 1987). At 2 years, 75 % of the reaches have a single "
    "peak of speed (n = 9, Konczak and Dichgans 1997). The model to beat has two joints (Caligiore et al. 2014).",
    method="At nine ages, the body has the sizes, masses, strength and joint ranges of its age, its eye the acuity and the "
    "delay, its joints the noise (9.7 degrees) and the delay (19.5 ms) of its age, all from the literature. Nothing else "
    "changes with age: at each one, a map of the run's size learns 1,000 poses with the run's autoencoder, which is told what "
    "the eye of this age sees without the arm, and with noisy joints (all seeds share the poses). "
    "The goal is a picture of the own hand there; the reach "
    "starts from a random pose, in real physics. The first movement sets the servos' targets to the recalled pose (equilibrium "
    "points, as Thelen et al. 1996 describe infants' control), so that the speed's course is that of the body. When the arm "
    "rests, and the eye (light) or the joints (dark) have had their delay to show it there, the map recalls the present pose "
    "from the picture and the felt joints, or from the felt joints alone, and the targets change by a share of the gap to the "
    "goal. Share and readout (winner or local linear) follow from 100 validation poses: the n-th share is that of a Kalman "
    "filter of a constant error. A reach ends within 2 cm of the goal or after 2 s (an assumption). A movement unit has a peak "
    "of the hand's speed at least 1 cm/s above its minima (Clifton et al. 1994) and above a fifth of the highest speed (Konczak "
    "and Dichgans 1997), sampled at 25 Hz. In view is a hand within 15 degrees of the gaze (BabyBench 2025).",
    config=Config,
    prepare=prepare,
    judge=judge,
)
