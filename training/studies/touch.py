"""`infant-arm study touch`: an infant touches itself with closed eyes; what does it learn by which way of babbling?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.config import Count, Side
from ..show import tables
from .frame import curves
from .frame.rows import Row, Rows
from .frame.study import Criterion, Findings, Study, StudyConfig, Table
from .pieces.skin import Memory, Movement, Skin

RANDOM, GOAL, PROGRESS = "random", "goal", "progress"
WAYS = (RANDOM, GOAL, PROGRESS)
MOUTH, LATER = ("mouth", "lip"), ("ear", "temple")
SPREAD, EXPLORING = 0.1, 0.2
"""Standard deviation of goal babbling, share of a joint's range; share of movements that are random all the same."""
RECENT = 10
"""Goals of a region over which progress is measured, against as many before."""
CHECKS = (0.125, 0.25, 0.5, 1.0)
BETWEEN = (0.4, 0.6)
REGIONS = {
    "face": ("eye", "nose", "cheek", "mouth", "lip", "chin", "jaw"),
    "head": ("head", "forehead", "crown", "hair", "temple", "ear"),
}
REGIONS |= {"trunk": ("waist", "chest", "ribs", "belly", "hips"), "leg": ("thigh", "shank", "knee", "foot")}


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study what an infant learns that touches itself, by the way in which it babbles."""

    movements: Count = 400
    """Movements of each way of babbling."""
    side: Side = 40
    """Rows and columns of the map of contacts."""
    pressed: Count = 150
    """Patches that are pressed in each test, at most; the hand of an infant of 12 months can reach 114."""


def prepare(config: Config) -> Callable[[int], Iterator[Row]]:
    """The run's body."""
    skin = Skin(Dataset.open(runs.data_of(config.run)).arm)
    checks = {round(share * config.movements) for share in CHECKS}
    tested = skin.reachable[:: -(-len(skin.reachable) // config.pressed)]

    def seed_of(seed: int) -> Iterator[Row]:
        for way in WAYS:
            random, memory, touched = np.random.default_rng([seed, 1]), Memory(skin), np.zeros(len(skin.names), bool)
            choose, views = Babbling(way, skin, memory, random), 0
            skin.reset(seed)
            for number in range(1, config.movements + 1):
                moved = choose.move()
                memory.add(moved)
                views += moved.in_view
                what: Row = {"way": way, "movements": number}
                if moved.patch is not None and not touched[moved.patch]:
                    touched[moved.patch] = True
                    yield {**what, "measure": "first", "part": skin.names[moved.patch], "value": float(number)}
                if number in checks:
                    own = memory.successes(tested, config.side, seed)
                    measures = {
                        "success": own.mean(),
                        "touched": touched[skin.reachable].mean(),
                        "patches, BabyBench": skin.parts(touched),
                        "hand in view, BabyBench": views / number,
                        "without a touch": 1 - len(memory.contacts) / number,
                    }
                    for name, value in measures.items():
                        yield {**what, "measure": name, "part": "", "value": float(value)}

    return seed_of


class Babbling:
    """A way of choosing movements."""

    def __init__(self, way: str, skin: Skin, memory: Memory, random: np.random.Generator) -> None:
        self._way, self._skin, self._memory, self._random = way, skin, memory, random
        self._regions = [[p for p in skin.patches if region(skin.names[p]) == name] for name in (*REGIONS, "rest")]
        self._regions = [patches for patches in self._regions if patches]
        self._errors: list[list[float]] = [[] for _ in self._regions]

    def move(self) -> Movement:
        """The next movement."""
        if self._way == RANDOM or not self._memory.contacts or self._random.random() < EXPLORING:
            return self._skin.move(self._skin.valid_pose(self._random), self._skin.any_pose(self._random))
        number = self._region()
        goal = self._skin.places[int(self._random.choice(self._regions[number]))]
        known, (low, high) = self._memory.nearest(goal), self._skin.arm.joint_ranges.T
        pose = known.joints + SPREAD * (high - low) * self._random.standard_normal(len(low))
        moved = self._skin.move(known.come, np.clip(pose, low, high))
        error = 1.0 if moved.patch is None else float(np.linalg.norm(self._skin.places[moved.patch] - goal))
        self._errors[number].append(error)
        return moved

    def _region(self) -> int:
        """The region of the next goal: by the number of its patches, or by the progress in it."""
        if self._way == GOAL or self._random.random() < EXPLORING:
            sizes = np.array([len(patches) for patches in self._regions], float)
            return int(self._random.choice(len(sizes), p=sizes / sizes.sum()))
        return int(np.argmax([progress(errors) for errors in self._errors]))


def progress(errors: Sequence[float]) -> float:
    """How much the last errors differ from those before; a region with few goals promises most."""
    if len(errors) < 2 * RECENT:
        return 1.0
    return abs(float(np.mean(errors[-RECENT:]) - np.mean(errors[-2 * RECENT : -RECENT])))


def region(name: str) -> str:
    """The region of the body to which a patch belongs, by its name."""
    return next(
        (key for key, words in REGIONS.items() if any(part.startswith(words) for part in name.split("_"))), "rest"
    )


def first_touch(own: Rows, words: Sequence[str], never: float) -> float:
    """The number of movements until a part was touched first: the mean of the seeds; `never` where it was not."""
    seeds = dict.fromkeys(own.kinds("seed"), never)
    for row in own.where(measure="first"):
        if any(word in str(row["part"]).split("_") for word in words):
            seeds[row["seed"]] = min(seeds[row["seed"]], float(row["value"]))
    return float(np.mean(list(seeds.values())))


def judge(config: Config, rows: Rows) -> Findings:
    """What each way of babbling brings, and in which order parts are touched."""
    never = float(config.movements + 1)
    last = {way: rows.where(way=way, movements=config.movements) for way in WAYS}
    success = {way: last[way].where(measure="success").mean("value") for way in WAYS}
    order = {way: tuple(first_touch(rows.where(way=way), words, never) for words in (MOUTH, LATER)) for way in WAYS}
    silent = last[RANDOM].where(measure="without a touch").mean("value")
    best = max(WAYS, key=lambda way: success[way])
    mouth, later = order[RANDOM]
    found = f"mouth after {mouth:.0f}, ears and temples after {later:.0f} movements ({never:.0f}: not touched)"
    shares = ", ".join(f"{way} {tables.percent(success[way])}" for way in WAYS)
    return Findings(
        [
            f"After {config.movements} movements with closed eyes, the infant touches these shares of the patches "
            f"that its hand can reach, if they are pressed: {shares}. {best.capitalize()} babbling is best.",
            f"Random babbling touches the {found}; {tables.percent(silent)} of its movements end without a touch.",
        ],
        [
            Criterion("order of parts, random babbling", "mouth before ears and temples (Chinn)", found, mouth < later),
            Criterion(
                "movements without a touch, random babbling",
                "half of the time (DiMercurio et al. 2018), within .1",
                tables.number(silent, 2),
                BETWEEN[0] <= silent <= BETWEEN[1],
            ),
        ],
        {"success": figure(rows)},
        {
            "success": "a: share of the patches that a hand can reach which the infant touches if they are pressed, "
            "by the number of movements. b: share that was touched at all. c: share of movements that end without a "
            "touch; gray: infants, half of the time. Bands: standard deviation of the seeds."
        },
        {f"After {config.movements} movements": table(rows, last, order)},
    )


def table(rows: Rows, last: dict[str, Rows], order: dict[str, tuple[float, ...]]) -> Table:
    """All measures at the end."""
    names = list(dict.fromkeys(row["measure"] for row in rows if row["measure"] != "first"))
    header = ["babbling", *map(str, names), "mouth, movements", "ears and temples, movements"]
    lines = []
    for way in WAYS:
        shares = [tables.number(last[way].where(measure=name).mean("value"), 2) for name in names]
        lines.append([way, *shares, *(f"{number:.0f}" for number in order[way])])
    return header, lines


def figure(rows: Rows) -> Figure:
    """The measures against the number of movements."""
    drawn, axes = curves.panels(3, size=(3.5, 3.2))
    titles = {"success": "touched when pressed", "touched": "touched at all", "without a touch": "without a touch"}
    curves.band(axes[2], *BETWEEN)
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for number, way in enumerate(WAYS):
            curves.curve(axis, *rows.where(way=way, measure=name).curve("movements", "value"), number, way)
        axis.set(title=title, xlabel="movements", ylim=(0, 1))
    axes[0].set_ylabel("share")
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return drawn


STUDY = Study(
    name="touch",
    question="An infant touches itself with closed eyes: what does it learn by which way of babbling?",
    known="Young infants touch themselves up to 200 times a session, on 18 areas, with both hands; half of the time "
    "is between touches (DiMercurio et al. 2018). From 2 to 11 months they find the mouth before the ears and "
    "temples (Chinn, n = 24). A robot that chooses goals learns its arm faster than one that babbles at random, and "
    "faster still by its progress (Baranes and Oudeyer 2013). BabyBench 2025 scores the share of the body that each "
    "hand touched, and the time in which a hand is in view.",
    method="The arm moves in real physics, its eyes closed: to a valid pose, and from there straight to another, "
    "until the body stops it. Random babbling draws both poses. Goal babbling draws a patch of the skin, and moves "
    "as in the remembered contact nearest to it, with a noise of a tenth of each joint's range; one in five "
    "movements is random. Progress babbling does the same, but takes the patch from the region of the body (face, "
    "head, trunk, leg, the rest) in which its last ten errors differ most from the ten before. A small map learns "
    "touched places and felt joints; then every patch that the hand can reach is pressed once, and the infant moves "
    "to the pose that the winner recalls. It succeeds if this patch feels the hand most. Sizes and shares are round "
    "numbers, and were not chosen by the result.",
    config=Config,
    prepare=prepare,
    judge=judge,
)
