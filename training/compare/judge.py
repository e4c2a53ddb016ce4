"""The methods of Table 1, and how they are scored on the test split."""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from agents.tools.files import replacing

from ..data.dataset import Dataset
from ..measure import metrics
from ..measure.metrics import ERRORS, Truth
from ..measure.senses import PICTURE_TO_JOINTS, SENSES, SOURCES, given
from ..measure.statistics import table_row
from ..methods.method import Method, Predictor, Trained
from ..methods.registry import CONSTANT, present
from ..runs import folder as runs
from ..runs.device import Device, pick_device


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


def judge(asked: Judgment) -> dict[str, Any]:
    """Scores every method of a run on the test split; adds that to `metrics.json`, and the samples' errors to `errors.npz`.

    Returns:
        `table1`, `hand_error_cm`, `joint_error_deg`, `details` and `queries_per_s`, each by method.
    """
    runs.merge(asked.run, "metrics.json", {"done": {"evaluate": None}})  # whatever was scored before is replaced
    with runs.timed(asked.run, "evaluate"):
        data = Dataset.open(runs.data_of(asked.run))
        truth = truth_of(data, data.split("test"))
        keys = ("table1", "hand_error_cm", "joint_error_deg", "details", "queries_per_s")
        found: dict[str, Any] = {key: {} for key in keys}
        kept: dict[str, metrics.Floats] = {}
        for method, name, predictor in tqdm(asked.predictors(data), desc="evaluate", unit="method"):
            errors, found["details"][name], found["queries_per_s"][name] = score(predictor, truth, method.asked_by)
            found["table1"][name] = table_row(errors)
            kept |= {f"{name} {mapping}": each for mapping, each in errors.items()}
        for name, details in found["details"].items():
            _add_skill(details, found["details"][CONSTANT])
            poses = details.get(PICTURE_TO_JOINTS, {})
            for key in ("hand_error_cm", "joint_error_deg"):
                found[key][name] = {subset: scores[key] for subset, scores in poses.items()}
    with replacing(asked.run / ERRORS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **kept)  # type: ignore[arg-type]
    runs.merge(asked.run, "metrics.json", found, nested=False)
    return found


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
) -> tuple[dict[str, metrics.Floats], dict[str, Any], dict[str, float]]:
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
    details: dict[str, Any] = {}
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
    for name, rows in (("all", np.full(len(truth), True)), ("shows_hand", truth.shows_hand)):
        if rows.any():
            yield name, rows, truth.of(rows)


def _add_skill(details: dict[str, Any], constant: dict[str, Any]) -> None:
    """Skill against the constant: 1 is perfect, 0 no better than always the same answer."""
    for mapping, subsets in details.items():
        for subset, scores in subsets.items():
            scores["skill"] = 1 - scores["mae"] / constant[mapping][subset]["mae"]
