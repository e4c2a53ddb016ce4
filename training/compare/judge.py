"""The methods of Table 1, and how they are scored on the test split."""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import structs
from tqdm import tqdm

from agents.tools.files import replacing

from ..data.dataset import Dataset
from ..measure import metrics, paper
from ..measure.error_tables import from_pictures
from ..measure.metrics import ERRORS, Truth
from ..measure.senses import SENSES, SOURCES, given
from ..measure.statistics import table_row
from ..methods.method import Method, Predictor, Trained
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

    def predictors(self, data: Dataset) -> list[tuple[Method, str, Predictor]]:
        """Every reading of every method that is asked for, with its name."""
        trained = Trained(self.run, data, pick_device(self.device), self.neighbors)
        methods = present(self.run, slow=self.imagery)
        return [(method, name, read(trained)) for method in methods for name, read in method.readings.items()]


def judge(asked: Judgment) -> Metrics:
    """Scores every method of a run on the test split; adds that to `metrics.json`, and the samples' errors to `errors.npz`."""
    runs.record(asked.run, Metrics(done={"evaluate": None}))  # whatever was scored before is replaced
    with runs.timed(asked.run, "evaluate"):
        data = Dataset.open(runs.data_of(asked.run))
        truth = truth_of(data, data.split("test"))
        found, details = Metrics(map_bytes=_sizes(asked.run)), dict[str, Details]()
        kept: dict[str, metrics.Floats] = {}
        for method, name, predictor in tqdm(asked.predictors(data), desc="evaluate", unit="method"):
            errors, details[name], found.queries_per_s[name] = score(predictor, truth, method.asked_by)
            found.table1[name] = table_row(errors)
            kept |= {f"{name} {mapping}": each for mapping, each in errors.items()}
        for name, told in details.items():
            found.details[name] = _with_skill(told, details[CONSTANT])
            poses = {subset: from_pictures(details, subset).get(name) for subset in _SUBSETS}
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
        given=given(data, samples),
        shows_hand=data.shows_hand[samples],
        background=data.background,
        arm=data.arm,
    )


def score(
    method: Predictor, truth: Truth, sources: Collection[str] = SOURCES
) -> tuple[dict[str, metrics.Floats], Details, dict[str, float]]:
    """What a method's answers are worth.

    Args:
        method: whatever can be put into Table 1.
        truth: the samples.
        sources: the senses that it can be asked by.

    Returns:
        Its errors per mapping (N,); what stands beside them by subset of the samples; and how many it answers per second, by
        source.
    """
    errors: dict[str, metrics.Floats] = {}
    details: Details = {}
    speed: dict[str, float] = {}
    scorers = {sense.name: sense.score for sense in SENSES}
    for source in (name for name in SOURCES if name in sources):
        start = time.perf_counter()
        told = method.predict(source, torch.from_numpy(truth.given[source]))
        answers = {wanted: told[wanted].float().cpu().numpy() for wanted in SOURCES if wanted in told}
        if answers:
            speed[source] = len(truth) / (time.perf_counter() - start)
        for wanted, predicted in answers.items():
            mapping = f"{source}->{wanted}"
            errors[mapping] = metrics.sample_errors(predicted, truth.given[wanted])
            details[mapping] = {
                subset: scorers[wanted](predicted[rows], part.given[wanted], part)
                for subset, rows, part in _subsets(truth)
            }
    return errors, details, speed


def _subsets(truth: Truth) -> Iterator[tuple[str, Any, Truth]]:
    for name, rows in zip(_SUBSETS, (np.full(len(truth), True), truth.shows_hand), strict=True):
        if rows.any():
            yield name, rows, truth.of(rows)


def _with_skill(details: Details, constant: Details) -> Details:
    """Adds the skill against the constant: 1 is perfect, 0 no better than always the same answer."""
    return {
        mapping: {
            subset: structs.replace(scores, skill=1 - scores.mae / constant[mapping][subset].mae)
            for subset, scores in subsets.items()
        }
        for mapping, subsets in details.items()
    }
