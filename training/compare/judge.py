"""Scores the methods of Table 1 on the test split."""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import structs
from torch import Tensor
from tqdm import tqdm

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import further_senses
from agents.tools.files import replacing

from ..data.dataset import Dataset
from ..measure import metrics, paper
from ..measure.arms import RecordedArm, arm_of
from ..measure.error_tables import from_pictures
from ..measure.metrics import ERRORS, Truth
from ..measure.senses import SENSES, given, is_known, named, sources_of, true
from ..measure.statistics import table_row
from ..measure.two_eyes import two_eyes
from ..methods.method import JointPredictor, Method, Predictor, Trained, seen_by
from ..methods.registry import CONSTANT, present, size_of
from ..runs import folder as runs
from ..runs.device import Device, pick_device
from ..runs.metrics import Metrics, RecordedHand, Scores

Details = dict[str, dict[str, Scores]]
"""Scores of a method by mapping and subset of the test poses."""
_SUBSETS = ("all", "shows_hand")


@dataclass(frozen=True)
class JudgeConfig:
    """The options of scoring a run."""

    run: Path
    """The run's folder."""
    neighbors: int = 4
    """Number of neighbors that `knn` averages."""
    imagery: bool = False
    """Whether the agent's imagery, which takes minutes, is scored too."""
    device: Device = "auto"
    """The device."""

    def predictors(self, data: Dataset) -> list[tuple[Method, str, Predictor]]:
        """Every reading of the chosen methods, with its method and name."""
        trained = Trained(self.run, data, pick_device(self.device), self.neighbors)
        methods = present(self.run, slow=self.imagery)
        return [(method, name, read(trained)) for method in methods for name, read in method.readings.items()]


def judge(config: JudgeConfig) -> Metrics:
    """Scores every method on the test split; writes the scores to `metrics.json` and the samples' errors to `errors.npz`."""
    runs.record(config.run, Metrics(done={"evaluate": None}))  # invalidates earlier scores
    with runs.timed(config.run, "evaluate"):
        data = Dataset.open(runs.data_of(config.run))
        also = further_senses(config.run / AUTOENCODER)
        truth = truth_of(data, data.split("test"), also)
        found, details = Metrics(map_bytes=_sizes(config.run)), dict[str, Details]()
        found.recorded_hand = RecordedHand(truth.arm.remark) if isinstance(truth.arm, RecordedArm) else None
        kept: dict[str, metrics.Floats] = {}
        for method, name, predictor in tqdm(config.predictors(data), desc="evaluate", unit="method"):
            seen = as_seen_by(predictor, truth, data, data.split("test"))
            errors, details[name], found.queries_per_s[name] = score(predictor, seen, method.asked_by)
            found.table1[name] = table_row(errors)
            kept |= {f"{name} {mapping}": each for mapping, each in errors.items()}
            if method.asked_by is None and isinstance(predictor, JointPredictor):
                both = two_eyes(predictor.predict_from, truth)
                found.two_eyes |= {name: both} if both else {}
        for name, scores in details.items():
            found.details[name] = _with_skill(scores, details[CONSTANT])
            poses = {subset: from_pictures(details, subset).get(name) for subset in _SUBSETS}
            found.hand_error_cm[name] = {k: s.hand_error_cm for k, s in poses.items() if s and s.hand_error_cm}
            found.joint_error_deg[name] = {k: s.joint_error_deg for k, s in poses.items() if s}
    with replacing(config.run / ERRORS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **kept)  # type: ignore[arg-type]
    runs.record(config.run, found)
    return found


def _sizes(run: Path) -> dict[str, int]:
    """File sizes in bytes of the two maps of the paper, if they were trained."""
    return {name: size for name in paper.MAPS if (size := size_of(name, run)) is not None}


def truth_of(data: Dataset, samples: Any, also: Collection[str] = ()) -> Truth:
    """These samples as the truth for scoring predictions; `also` names further senses."""
    known, wanted, seen = given(data, samples, also), true(data, samples, also), data.backgrounds(samples)
    return Truth(known, wanted, data.shows_hands[samples], seen, arm_of(data))


def as_seen_by(predictor: Predictor, truth: Truth, data: Dataset, samples: Any) -> Truth:
    """The truth with pictures in the format that a model is given; what it predicts is compared in the truth's own format."""
    return replace(truth, given=given(data.squeezed_to(seen_by(predictor)), samples, truth.given))


def score(
    method: Predictor, truth: Truth, asked_by: Collection[str] | None = None
) -> tuple[dict[str, metrics.Floats], Details, dict[str, float]]:
    """Scores a method's predictions.

    Args:
        method: any model that Table 1 can contain; from several senses together only a `JointPredictor` predicts.
        truth: the samples.
        asked_by: the senses from which it predicts; None: all.

    Returns:
        Its errors by mapping, (n,) each, of the samples that have both senses; further scores by mapping and subset of these
        samples; and the number of samples per second, by source.
    """
    errors: dict[str, metrics.Floats] = {}
    details: Details = {}
    speed: dict[str, float] = {}
    scorers = {sense.name: sense.score for sense in SENSES if sense.name in truth.true}
    for source in sources_of(truth.given):
        if len(source) > 1 and not isinstance(method, JointPredictor):
            continue
        if asked_by is not None and not set(source) <= set(asked_by):
            continue
        asked = truth.of(np.all([is_known(truth.given[name]) for name in source], axis=0))
        if not len(asked):
            continue
        start = time.perf_counter()
        predicted = _predicted(method, {name: torch.from_numpy(asked.given[name]) for name in source})
        answers = {wanted: predicted[wanted].float().cpu().numpy() for wanted in scorers if wanted in predicted}
        if answers:
            speed[named(source)] = len(asked) / (time.perf_counter() - start)
        for wanted, each in answers.items():
            mapping, known = f"{named(source)}->{wanted}", is_known(asked.true[wanted])
            if not known.any():
                continue
            answer, scored = each[known], asked.of(known)
            errors[mapping] = metrics.sample_errors(answer, scored.true[wanted])
            details[mapping] = {
                subset: scorers[wanted](answer[rows], part.true[wanted], part)
                for subset, rows, part in _subsets(scored)
            }
    return errors, details, speed


def _predicted(method: Predictor, known: dict[str, Tensor]) -> dict[str, Tensor]:
    """The predictions from one sense, or of a `JointPredictor` from several: those of the other senses."""
    if len(known) == 1:
        return method.predict(*next(iter(known.items())))
    assert isinstance(method, JointPredictor)
    return {name: answer for name, answer in method.predict_from(known).items() if name not in known}


def _subsets(truth: Truth) -> Iterator[tuple[str, Any, Truth]]:
    for name, rows in zip(_SUBSETS, (np.full(len(truth), True), truth.shows_hand), strict=True):
        if rows.any():
            yield name, rows, truth.of(rows)


def _with_skill(details: Details, constant: Details) -> Details:
    """Adds the skill against the constant: 1 is perfect, 0 is no better than a constant prediction."""
    return {
        mapping: {
            subset: structs.replace(scores, skill=1 - scores.mae / constant[_target(mapping)][subset].mae)
            for subset, scores in subsets.items()
        }
        if _target(mapping) in constant
        else subsets
        for mapping, subsets in details.items()
    }


def _target(mapping: str) -> str:
    """The mapping to the same sense from itself: the constant predicts the same from any source."""
    wanted = mapping.split("->")[1]
    return f"{wanted}->{wanted}"
