"""`infant-arm imagery`: quality of the agent's thoughts before it moves: hypotheses, doubt, and disturbed pictures."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from agents.mind.imagination import Hypotheses, Imagination
from infant_env.body.model import ArmModel

from ..data.dataset import Dataset
from ..measure import metrics
from ..measure.arms import arm_of
from ..measure.probabilities import SAME_HAND, calibration_error, reliability_bins, right_ones
from ..runs import folder as runs
from ..runs.config import Count, OnCluster, RunConfig, Threads
from ..runs.device import cluster_of, pick_device, threads
from ..runs.in_turn import in_turn
from ..runs.metrics import Hand, HypothesisScores, HypothesisTable, ImageryReport, Metrics, StrangeScores
from ..runs.pool import Task, run_all
from ..show import tables
from ..train import calibration
from .disturbed_world import disturbances
from .goals import Hypotheses as HypothesisCount
from .goals import random_test_samples
from .true_eye import TrueEye

Floats = NDArray[np.float32]
AGES = 1.0, 6.0, 9.0, 18.0, 24.0
MOST_STRANGE = 40
"""Largest number of pictures of each kind that the body cannot show."""
MOST_DISTURBED = 200
"""Largest number of disturbed pictures of each kind."""


@dataclass(frozen=True)
class Config(RunConfig, OnCluster):
    """Measure the agent's hypotheses for test pictures, disturbed pictures, and pictures that its body cannot show."""

    goals: Count = 300
    """Number of test pictures that show the hand (those of `infant-arm reach`), and number of arbitrary test pictures."""
    hypotheses: HypothesisCount = 5
    """Hypotheses for each picture."""
    threads: Threads = 1
    """Processor threads."""


@in_turn("imagery", "measures the imagery")
def run(config: Config) -> ImageryReport:
    """Measures the hypotheses, prints three tables and adds them to `metrics.json`."""
    runs.record_config(config.run, "imagery", config)
    if cluster_of(config.cluster):
        run_all([Task("imagery", measure, config, config.run / "imagery.log")], config.run, 1, config.cluster)
    else:
        measure(config)
    report = runs.metrics_of(config.run, "imagery").imagery
    assert report is not None
    print(summary(report))
    return report


def measure(config: Config) -> None:
    """Measures the hypotheses and adds three tables to `metrics.json`."""
    data = Dataset.open(runs.data_of(config.run))
    data.check_seen_arm("imagery")
    calibration.STAGE.check(config.run, data)
    imagination = Imagination.load(config.run, pick_device(config.device))
    data = data.squeezed_to(imagination.format)
    random = np.random.default_rng(config.seed)
    shown, chosen = (
        random_test_samples(data, config.goals, config.seed, hidden_hands=hidden) for hidden in (False, True)
    )
    with runs.timed(config.run, "imagery"), threads(config.threads):
        found = imagination.hypotheses(data.pictures[chosen], config.hypotheses, data.felt_gaze[chosen])
        of_shown = None
        if len(shown):
            of_shown = imagination.hypotheses(data.pictures[shown], config.hypotheses, data.felt_gaze[shown])
        thought = HypothesisTable(
            show_the_hand=_worth(of_shown, shown, data) if of_shown else None, all=_worth(found, chosen, data)
        )
        report = ImageryReport(
            thought,
            impossible(imagination, found, chosen, data, random),
            *disturbed(imagination, shown[:MOST_DISTURBED], data, config.hypotheses, config.seed),
        )
    runs.record(config.run, Metrics(imagery=report))


def _worth(found: Hypotheses, chosen: NDArray[np.int64], data: Dataset) -> HypothesisScores:
    """Scores of hypotheses: how often they are right, and how well their probabilities are calibrated."""
    joints, probabilities = found.joints.cpu().numpy(), found.probabilities.cpu().numpy()
    right = right_ones(joints, chosen, data) & ~found.repeated.cpu().numpy()
    count = joints.shape[1]
    hands = None
    if arm_of(data).hands:
        hands = _hands(joints.reshape(-1, joints.shape[2]), chosen.repeat(count), data).reshape(-1, count)
    return HypothesisScores(
        pictures=len(chosen),
        count=count,
        hand_first=None if hands is None else float((hands[:, 0] <= SAME_HAND).mean()),
        hand_any=None if hands is None else float((hands <= SAME_HAND).any(1).mean()),
        pose_first=float(right[:, 0].mean()),
        pose_any=float(right.any(1).mean()),
        calibration_error=calibration_error(probabilities, right),
        reliability=reliability_bins(probabilities, right),
    )


def impossible(
    imagination: Imagination, found: Hypotheses, chosen: NDArray[np.int64], data: Dataset, random: np.random.Generator
) -> dict[str, StrangeScores]:
    """How well strangeness separates pictures that the body cannot show from those that it can (area under the ROC curve).

    There is a second score for poses that show the hand alone, because pictures that show hardly anything cannot be judged.
    Each picture comes with the gaze of the test picture from which it was made.
    """
    usual, hand = found.strangeness.cpu().numpy(), data.shows_hand[chosen]
    gazes = data.felt_gaze[chosen[:MOST_STRANGE]]
    made = strange_pictures(data, chosen, random)
    scores = {kind: imagination.hypotheses(pictures, 1, gazes).strangeness.cpu().numpy() for kind, pictures in made}
    scores["all of these"] = np.concatenate(list(scores.values()))
    result = {}
    for kind, score in scores.items():
        with_hand = np.resize(hand[:MOST_STRANGE], len(score))
        result[kind] = StrangeScores(
            auroc(score, usual),
            auroc(score[with_hand], usual[hand]) if with_hand.any() else None,
            float((score > 1).mean()),
        )
    result["test pictures"] = StrangeScores(None, None, float((usual > 1).mean()))
    return result


def strange_pictures(
    data: Dataset, chosen: NDArray[np.int64], random: np.random.Generator
) -> Iterator[tuple[str, Floats]]:
    """Pictures that the body cannot show, (n, *format.shape) for each kind, made from the first samples at their gazes."""
    first = chosen[:MOST_STRANGE]
    some = data.pictures[first]
    yield "noise", random.random(some.shape, np.float32)
    yield "empty view", (data.backgrounds(first) + random.normal(0, 1e-3, some.shape)).clip(0, 1).astype(np.float32)
    if data.body.arms != "both":  # the other arm can show it
        yield "mirrored", np.ascontiguousarray(some[..., ::-1])
    yield "upside down", np.ascontiguousarray(some[..., ::-1, :])
    yield "negative", 1 - some
    if data.body.mjcf or data.recorded:
        return  # another body has no age
    poses = np.hstack([data.normalized_joints[first], data.normalized_gaze[first]])
    for age in AGES:
        if age != data.body.age_months:
            eye = TrueEye(ArmModel.of(replace(data.body, age_months=age)), data.eye_size, data.acuity, data.format)
            yield f"age {age:g} months", _seen(eye, poses)


def _seen(eye: TrueEye, poses: Floats) -> Floats:
    """What an eye sees of normalized poses, each followed by the gaze of an eye that moves."""
    pictures = eye(torch.from_numpy(poses)).numpy()
    eye.close()
    return pictures


def auroc(strange: Floats, usual: Floats) -> float:
    """Probability that a strange picture scores above a usual one, ties counted half."""
    gaps = np.sign(strange[:, None] - usual)
    return float((gaps.mean() + 1) / 2)


def disturbed(
    imagination: Imagination, chosen: NDArray[np.int64], data: Dataset, count: int, seed: int
) -> tuple[dict[str, Hand], dict[str, float]]:
    """Of disturbed pictures, the hand's errors in the first hypothesis (only kinematics), and the error of all probabilities."""
    hands, calibration = dict[str, Hand](), dict[str, float]()
    for kind, pictures in disturbances(data, chosen, seed) if len(chosen) else ():
        found = imagination.hypotheses(pictures, count, data.felt_gaze[chosen])
        joints, probabilities = found.joints.cpu().numpy(), found.probabilities.cpu().numpy()
        right = right_ones(joints, chosen, data) & ~found.repeated.cpu().numpy()
        hands[kind] = metrics.hand_summary(_hands(joints[:, 0], chosen, data))
        calibration[kind] = calibration_error(probabilities, right)
    return hands, calibration


def _hands(joints: Floats, chosen: NDArray[np.int64], data: Dataset) -> Floats:
    """Distance of the hand in these poses (n, J), rad, from that in the samples, meters."""
    arm = arm_of(data)
    normalized = arm.normalize(joints).astype(np.float32)
    return metrics.hand_errors(normalized, data.normalized_joints[chosen], arm, data.shows_hands[chosen])


def _share(value: float | None) -> str:
    return "-" if value is None else tables.percent(value)


Table = tuple[str, list[str], list[list[str]]]
"""A table's title, header and rows."""


def summary(report: ImageryReport) -> str:
    """The three tables for the terminal."""
    return "\n\n".join(f"{title}\n{tables.as_text(head, rows)}" for title, head, rows in three_tables(report))


def three_tables(report: ImageryReport) -> list[Table]:
    """The tables of hypotheses, of impossible pictures and of disturbed pictures."""
    keys = ("hand_first", "hand_any", "pose_first", "pose_any")
    thought = [
        [
            f"{name}: {found.pictures}",
            *(_share(getattr(found, key)) for key in keys),
            tables.number(found.calibration_error, 3),
        ]
        for name, found in (("show the hand", report.hypotheses.show_the_hand), ("all", report.hypotheses.all))
        if found is not None
    ]
    header = ["pictures", "hand < 2 cm, first", "among all", "pose < 10 deg too, first", "among all", "ECE"]
    strange = [
        [kind, tables.number(v.auroc, 3), tables.number(v.auroc_hand, 3), tables.percent(v.called)]
        for kind, v in report.impossible.items()
    ]
    disturbed = [
        [
            kind,
            f"{v.median:.2f}",
            *map(tables.percent, (v.within_1, v.within_2, v.within_5)),
            tables.number(report.disturbed_calibration.get(kind), 3),
        ]
        for kind, v in report.disturbed.items()
    ]
    count = report.hypotheses.all.count
    shown = [
        (
            "Disturbed pictures that show the hand: the first hypothesis, without a look",
            ["pictures", "median cm", "< 1 cm", "< 2 cm", "< 5 cm", "ECE"],
            disturbed,
        )
    ]
    return [
        (f"Test pictures: {count} hypotheses each", header, thought),
        (
            "Goals that its body cannot show",
            ["pictures", "AUROC", "where the hand shows", "called impossible"],
            strange,
        ),
        *(shown if disturbed else []),
    ]
