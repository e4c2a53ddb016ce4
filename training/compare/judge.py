"""The methods of Table 1, and how they are scored on the test split."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import structs
from tqdm import tqdm

from agents.tools.files import replacing

from ..data.collect import arm_model
from ..data.dataset import Dataset
from ..measure import metrics, paper
from ..measure.error_tables import of_poses
from ..measure.metrics import ERRORS, SOURCES, Truth
from ..methods.method import Predictor, Trained
from ..methods.registry import CONSTANT, present, size_of
from ..runs import folder as runs
from ..runs.device import Device, pick_device
from ..runs.metrics import Metrics, Scores

Details = dict[str, dict[str, Scores]]
"""A method's scores by mapping and subset of the test poses."""
_SUBSETS = ("all", "shows_hand")


@dataclass(frozen=True)
class Judgment:
    """What of a run is to be scored, and how."""

    run: Path
    """The run's folder."""
    neighbors: int = 4
    """How many neighbors `knn` averages."""
    imagery: bool = False
    """Whether the agent's imagery, which takes minutes, is one of the methods."""
    device: Device = "auto"
    """Where to compute."""

    def predictors(self, data: Dataset) -> list[tuple[str, Predictor]]:
        """Every reading of every method that is asked for, by its name."""
        trained = Trained(self.run, data, pick_device(self.device), self.neighbors)
        methods = present(self.run, slow=self.imagery)
        return [(name, read(trained)) for method in methods for name, read in method.readings.items()]


def judge(asked: Judgment) -> Metrics:
    """Scores every method of a run on the test split; adds that to `metrics.json`, and the samples' errors to `errors.npz`."""
    runs.record(asked.run, Metrics(done={"evaluate": None}))  # whatever was scored before is replaced
    with runs.timed(asked.run, "evaluate"):
        data = Dataset.open(runs.data_of(asked.run))
        truth = truth_of(data, data.split("test"))
        found, details = Metrics(map_bytes=_sizes(asked.run)), dict[str, Details]()
        kept: dict[str, metrics.Floats] = {}
        for name, method in tqdm(asked.predictors(data), desc="evaluate", unit="method"):
            errors, details[name], found.queries_per_s[name] = score(method, truth)
            found.table1[name] = metrics.table_row(errors)
            kept |= {f"{name} {mapping}": each for mapping, each in errors.items()}
        for name, told in details.items():
            found.details[name] = _with_skill(told, details[CONSTANT])
            poses = {subset: of_poses(details, subset).get(name) for subset in _SUBSETS}
            found.hand_error_cm[name] = {k: s.hand_error_cm for k, s in poses.items() if s and s.hand_error_cm}
            found.joint_error_deg[name] = {k: s.joint_error_deg for k, s in poses.items() if s}
    with replacing(asked.run / ERRORS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **kept)  # type: ignore[arg-type]
    runs.record(asked.run, found)
    return found


def _sizes(run: Path) -> dict[str, int]:
    """Bytes of the paper's own two maps, where they were trained."""
    return {name: size for name in paper.MAPS if (size := size_of(name, run)) is not None}


def truth_of(data: Dataset, samples: Any) -> Truth:
    """What predictions for these samples are held against."""
    return Truth(
        images=data.pictures[samples],
        joints=data.normalized_joints[samples],
        shows_hand=data.shows_hand[samples],
        background=data.background,
        arm=arm_model(data.info["config"]),
    )


def score(method: Predictor, truth: Truth) -> tuple[dict[str, metrics.Floats], Details, dict[str, float]]:
    """A method's errors per mapping (N,), what stands beside them by subset of the test poses, and its speed by source."""
    errors: dict[str, metrics.Floats] = {}
    details: Details = {}
    speed: dict[str, float] = {}
    for source in SOURCES:
        start = time.perf_counter()
        told = method.predict(source, torch.from_numpy(truth.given(source)))
        answers = {wanted: answer.float().cpu().numpy() for wanted, answer in told.items()}
        if answers:
            speed[source] = len(truth.joints) / (time.perf_counter() - start)
        for wanted, predicted in answers.items():
            mapping = f"{source}->{wanted}"
            errors[mapping] = metrics.sample_errors(predicted, truth.given(wanted))
            details[mapping] = {
                subset: _scores(wanted, predicted[rows], part) for subset, rows, part in _subsets(truth) if rows.any()
            }
    return errors, details, speed


def _scores(wanted: str, predicted: metrics.Floats, truth: Truth) -> Scores:
    return metrics.picture_scores(predicted, truth) if wanted == "vision" else metrics.joint_scores(predicted, truth)


def _subsets(truth: Truth) -> Iterator[tuple[str, Any, Truth]]:
    for name, rows in zip(_SUBSETS, (np.full(len(truth.joints), True), truth.shows_hand), strict=True):
        yield (
            name,
            rows,
            replace(truth, images=truth.images[rows], joints=truth.joints[rows], shows_hand=truth.shows_hand[rows]),
        )


def _with_skill(details: Details, constant: Details) -> Details:
    """Adds the skill against the constant: 1 is perfect, 0 no better than always the same answer."""
    return {
        mapping: {
            subset: structs.replace(scores, skill=1 - scores.mae / constant[mapping][subset].mae)
            for subset, scores in subsets.items()
        }
        for mapping, subsets in details.items()
    }
