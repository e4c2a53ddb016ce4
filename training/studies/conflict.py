"""`infant-arm study conflict`: the arm is seen elsewhere than it is felt, as in the rubber-hand illusion; where is the hand?"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som.distances import Distance
from agents.som.som import MultiModalSom
from infant_env.senses.modalities import PROPRIOCEPTION

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.config import Count
from ..show import tables
from .frame import curves
from .frame.rows import Row, Rows
from .frame.study import Criterion, Findings, Study, StudyConfig, Table
from .pieces.displaced import displaced, drifts
from .pieces.eye import Eye
from .pieces.readouts import Asked, Probe, noisy
from .pieces.samples import Samples
from .pieces.weighed import Weighed

NOISES, GAPS = (1.0, 4.0, 10.0), tuple(range(0, 21, 2))
PAPER, L1, L2 = "L1 winner (paper)", "L1 winner, best influence", "L2 winner, best influence"
LINEAR, TAUGHT, AGENT = "local linear", "local linear, taught with noise", "the agent's hypotheses"
READOUTS, ALONE = (PAPER, L1, L2, LINEAR, TAUGHT, AGENT), "vision alone"
AGENT_GAPS = (0, 2, 4, 8, 12, 16, 20)
SIDES = {"left": 1, "right": -1}
POSTURE = "posture"
"""The true joints: what the map that was taught with noise recalls."""
WITHIN, SMALL, HALF = 0.10, 4, 0.5
SELECTING = 0.10
"""A readout selects a sense if its share of the gap is within this of 0, or of that from vision alone, at all noises."""


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study where the map places a hand that is seen elsewhere than it is felt (rubber hand)."""

    poses: Count = 40
    """New poses for each seed and side."""
    agent_poses: Count = 10
    """The first ones of them are also shown to the agent, whose hypotheses take a thousand times as long as a winner."""


def prepare(config: Config) -> Callable[[int], Iterator[Row]]:
    """The run's samples, mind and eye."""
    data, samples = Dataset.open(runs.data_of(config.run)), Samples.of(config.run, "cpu")
    mind, eye = SomAutoencoder.load(config.run), Eye(data)
    probe, agent = Probe(data, samples, eye), Weighed.of(config.run, data, eye)

    def seed_of(seed: int) -> Iterator[Row]:
        random = np.random.default_rng(seed)
        shown = {side: displaced(config.poses, GAPS, eye, mind, turn, random) for side, turn in SIDES.items()}
        few = {side: each.first(config.agent_poses) for side, each in shown.items()}
        found = {
            (side, gap): agent.hypotheses(few[side].pictures[gap]) for side in SIDES for gap in AGENT_GAPS if agent
        }
        maps: dict[Distance, MultiModalSom] = {"l1": samples.map(seed), "l2": samples.map(seed, "l2")}
        for side, each in shown.items():
            answers = {gap: Asked(maps["l1"])(vision=each.latents[gap]) for gap in GAPS}
            yield from drifts({"readout": ALONE, "noise": 0.0, "side": side}, each, answers, eye, (math.nan, math.nan))
        for degrees in NOISES:
            felt = {side: noisy(eye, each.joints, degrees, random) for side, each in shown.items()}
            for name, asked in readouts(samples, maps, probe, eye, degrees, seed, random).items():
                alone = probe.felt_cm(degrees, random, asked), probe.vision_cm(asked)
                for side, each in shown.items():
                    answers = {gap: asked(vision=each.latents[gap], proprioception=felt[side]) for gap in GAPS}
                    yield from drifts({"readout": name, "noise": degrees, "side": side}, each, answers, eye, alone)
            for side, each in few.items():
                if agent is None:
                    continue
                alone = probe.felt_cm(degrees, random), agent.vision_cm
                own = felt[side][: config.agent_poses]
                answers = {gap: agent(found[side, gap], own, degrees) for gap in AGENT_GAPS}
                yield from drifts({"readout": AGENT, "noise": degrees, "side": side}, each, answers, eye, alone)

    return seed_of


def readouts(
    samples: Samples,
    maps: Mapping[Distance, MultiModalSom],
    probe: Probe,
    eye: Eye,
    degrees: float,
    seed: int,
    random: np.random.Generator,
) -> dict[str, Asked]:
    """The readouts of maps, for one noise of the joints."""
    true = samples.train[PROPRIOCEPTION]
    felt = noisy(eye, true.numpy(), degrees, random)
    taught = samples.map(seed, "l2", **{PROPRIOCEPTION: felt, POSTURE: true})
    return {
        PAPER: Asked(maps["l1"]),
        L1: probe.with_best_influence(Asked(maps["l1"]), degrees, random),
        L2: probe.with_best_influence(Asked(maps["l2"]), degrees, random),
        LINEAR: Asked(maps["l1"], "local_linear"),
        TAUGHT: probe.with_best_influence(Asked(taught, "local_linear", POSTURE), degrees, random),
    }


def judge(config: Config, rows: Rows) -> Findings:
    """Which readouts select, fuse and infer."""
    vision = near(rows.where(readout=ALONE)).mean("share")
    names = [name for name in READOUTS if rows.where(readout=name)]
    kinds = {name: kind(rows.where(readout=name), vision) for name in names}
    words = {word: [name for name in names if kinds[name] == word] for word in dict.fromkeys(kinds.values())}
    near_ones = [near(rows.where(readout=PAPER, noise=noise)) for noise in NOISES]
    shares, fused = (", ".join(tables.number(each.mean(what), 2) for each in near_ones) for what in ("share", "fused"))
    came_out = [
        f"The paper's readout, the winner of Eq. 2 with its L1 distance, {kinds[PAPER]}: with joint noise of 1, 4 "
        f"and 10 degrees, its hand follows the seen one by {shares} of a small gap; fusion by reliability follows by "
        f"{fused}.",
        *(f"{word[0].upper()}{word[1:]}: {'; '.join(each)}." for word, each in words.items()),
    ]
    criteria = [each for name in names for each in criteria_of(name, rows.where(readout=name))]
    touch = "the map of the paper has no touch, and no map of this project feels a stroke on the hand"
    criteria.append(
        Criterion(
            "touch", "vision alone as synchronous, more than asynchronous stroking (Rohde et al. 2011)", touch, None
        )
    )
    return Findings(
        came_out,
        criteria,
        {"shares": share_figure(rows), "reliability": reliability_figure(rows)},
        {
            "shares": "Share of the gap by which the recalled hand follows the seen hand, against the gap (seen to "
            "the left: positive), for three noises of the joints. Gray: people's share at 20 cm, at most half of "
            "that at small gaps. Bands: standard deviation of the seeds. Black, dotted: from the picture alone.",
            "reliability": "a: the share at gaps up to 4 cm against that of fusion by reliability; each readout at "
            "noises of 1, 4 and 10 degrees. Gray: within .10. b: the drift at 4 degrees, both sides; dotted: the "
            "seen hand.",
        },
        {"The senses alone, and the shares of the gap": table(rows)},
    )


def near(rows: Rows) -> Rows:
    """The rows of small gaps."""
    return Rows(row for row in rows if float(row["gap_cm"]) <= SMALL)


def deviation(own: Rows) -> float:
    """The largest difference from fusion by reliability, over noises and small gaps."""
    worst = 0.0
    for noise in NOISES:
        rows = near(own.where(noise=noise))
        worst = max(worst, float(np.abs(rows.curve("gap_cm", "share")[1].mean(0) - rows.mean("fused")).max()))
    return worst


def fall(own: Rows) -> float:
    """The share at the largest gap, relative to its peak: the largest of all noises; 1 where hardly anything drifts."""
    left = []
    for noise in NOISES:
        share = own.where(noise=noise).curve("gap_cm", "share")[1].mean(0)
        left.append(share[-1] / share.max() if share.max() >= SELECTING else 1.0)
    return float(max(left))


def kind(own: Rows, vision: float) -> str:
    """Whether a readout selects, fuses or infers; vision alone has this share of small gaps."""
    shares = [near(own.where(noise=noise)).mean("share") for noise in NOISES]
    if all(abs(share - vision) <= SELECTING for share in shares):
        return "selects vision"
    if all(min(abs(share), abs(share - vision)) <= SELECTING for share in shares):
        return "selects a sense"
    if fall(own) <= HALF:
        return "infers a common cause"
    return "fuses by reliability" if deviation(own) <= WITHIN else "neither selects nor fuses by reliability"


def criteria_of(name: str, own: Rows) -> Iterator[Criterion]:
    """Fusion and its end."""
    off, left = deviation(own), fall(own)
    fusion = f"s_p^2 / (s_p^2 + s_v^2) +- .10, gaps up to {SMALL} cm, all noises (Ernst and Banks 2002)"
    yield Criterion(f"{name}: fusion", fusion, f"off by up to {tables.number(off, 2)}", off <= WITHIN)
    end = "at most half of its peak at 20 cm, all noises (ownership falls over 12 to 43 cm, Kalckert and Ehrsson 2014)"
    yield Criterion(f"{name}: end of fusion", end, f"{tables.number(left, 2)} of its peak is left", left <= HALF)


def table(rows: Rows) -> Table:
    """The senses alone, and the shares, by readout and noise."""
    header = ["readout", "noise, degrees", "s_p, cm", "s_v, cm", "fusion", "share, up to 4 cm", "share, 20 cm"]
    lines = []
    for name in rows.kinds("readout"):
        for noise in NOISES if name != ALONE else ():
            own = rows.where(readout=name, noise=noise)
            found = (*(own.mean(what) for what in ("s_p_cm", "s_v_cm", "fused")), near(own).mean("share"))
            last = own.where(gap_cm=float(GAPS[-1])).mean("share")
            lines.append([name, f"{noise:g}", *(tables.number(value, 2) for value in (*found, last))])
    return header, lines


def share_figure(rows: Rows) -> Figure:
    """Shares against the gap, a panel for each noise."""
    figure, axes = curves.panels(len(NOISES), size=(3.5, 3.6))
    for axis, noise in zip(axes, NOISES, strict=True):
        for sign in SIDES.values():
            axis.fill_between([17.5 * sign, 21.0 * sign], 0, HALF, color=curves.BAND, linewidth=0, zorder=0)
        for number, name in enumerate(each for each in (*READOUTS, ALONE) if rows.where(readout=each)):
            own = rows.where(readout=name, noise=0.0 if name == ALONE else noise)
            for side, sign in SIDES.items():
                gaps, values = own.where(side=side).curve("gap_cm", "share")
                style = {"color": "black", "linestyle": ":", "marker": ""} if name == ALONE else {}
                curves.curve(
                    axis, sign * gaps, values, number % len(READOUTS), name if side == "left" else None, **style
                )
        axis.axhline(0, color="black", linewidth=0.5)
        axis.set(
            title=f"joints ± {noise:g} degrees", xlabel="gap, cm (right: negative)", xlim=(-21, 21), ylim=(-0.25, 1.35)
        )
    axes[0].set_ylabel("share of the gap")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def reliability_figure(rows: Rows) -> Figure:
    """Measured and predicted shares, and the drift in cm."""
    figure, (left, right) = curves.panels(2, size=(4.4, 3.6))
    ends = np.array([0.0, 1.0])
    left.fill_between(ends, ends - WITHIN, ends + WITHIN, color=curves.BAND, linewidth=0, zorder=0)
    for number, name in enumerate(name for name in READOUTS if rows.where(readout=name)):
        own = [near(rows.where(readout=name, noise=noise)) for noise in NOISES]
        x = np.array([each.mean("fused") for each in own])
        curves.curve(left, x, np.stack([each.by_seed("share") for each in own], 1), number, name)
        curves.curve(right, *rows.where(readout=name, noise=4.0).curve("gap_cm", "drift_cm"), number)
    right.plot([0, 20], [0, 20], ":", color="black", linewidth=1)
    left.set(xlabel="share of fusion by reliability", ylabel="share, gaps up to 4 cm", xlim=(0, 1), ylim=(-0.2, 1.3))
    right.set(xlabel="gap, cm", ylabel="drift, cm", xlim=(0, 21))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


STUDY = Study(
    name="conflict",
    question="The arm is seen elsewhere than it is felt: where is the hand?",
    known="People weigh vision and felt posture by their reliability (Ernst and Banks 2002), as long as both may "
    "have one cause: ownership of a rubber hand falls over 12, 27.5 and 43 cm (Kalckert and Ehrsson 2014), but not "
    "between 8 and 24 cm (Motyka and Litwin). Vision alone makes the felt hand drift as much as synchronous "
    "stroking; only asynchronous stroking prevents it (Rohde et al. 2011). Children are pulled more than adults "
    "(Cowie et al. 2013). The winner of Eq. 2 has the least weighted absolute difference; in one dimension, this is "
    "always at one of two senses that disagree, and never between them.",
    method="In new poses, the eye really sees the arm turned about the shoulder, so that the hand is 2 to 20 cm "
    "beside the felt one (a shifted arm is no pose of the body, so that not even vision alone finds it). Joints are "
    "felt with a noise of 1 degree (adults near the body: .6 to 1.1, van Beers et al. 1998), 4 (adults, position "
    "matching, n = 334) or 10 (early childhood, 9.7 in the same study). Each readout is asked for the hand from "
    "both senses. The drift is how far the answer moves towards the seen hand, against the answer without a "
    "displacement. s_v and s_p are the standard deviations of the hand that the same readout recalls from the "
    "picture alone and from the felt joints alone, on validation poses. Best influence: the influence of vision, of "
    "1/1024 to 1024, by which the hand has the least error on validation poses without a displacement, for each "
    "noise. The map that was taught with noise learned from felt joints with this noise, and recalls the true ones; "
    "its influence is the best one too. The agent's hypotheses for the picture are weighed with the felt joints by "
    "the rule of Bayes, with the agent's own probabilities, one case being that none is right. A readout selects if "
    "its shares are within .10 of 0, or of that from vision alone, at all noises; it infers a common cause if they "
    "fall to half of their peak at 20 cm; else it fuses if they are within .10 of fusion by reliability at small "
    "gaps.",
    changed=(
        "The standard deviation from the felt joints alone is now measured through the readout, as that from vision is. "
        "Before, it was the noise of the joints alone; with that, the L2 winner was off from fusion by .61 instead of .09, "
        "and the map that was taught with noise by .22 instead of .10.",
        "A readout selects vision if it follows as far as the picture alone does; before, if it followed wholly.",
        "A readout that infers need not fuse at small gaps; before, the agent had no word.",
    ),
    config=Config,
    prepare=prepare,
    judge=judge,
)
