"""The methods of Table 1, and how they are scored on the test split."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from agents.baselines.constant import Constant
from agents.baselines.deep_map import DeepMap
from agents.baselines.mmcm import ConvergenceMaps
from agents.baselines.nearest_neighbor import NearestNeighbors
from agents.mind.imagination import GENERATOR, GLANCE, Imagination
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.generator import PictureGenerator
from agents.networks.glance import Glance
from agents.som.som import Readout
from agents.tools.files import replacing

from ..data.dataset import Dataset
from ..measure import metrics
from ..measure.metrics import ERRORS, SOURCES, Truth
from ..runs import folder as runs
from ..train.baselines.command import load_baseline, trained
from ..train.baselines.config import Name
from ..train.generator import Draws
from ..train.pixel_som import PIXEL_SOM, load_pixel_som
from ..train.regressor import REGRESSOR, Answers, load_regressor

"""Absolute errors of every test sample, by method and mapping: arrays `METHOD SOURCE->WANTED`, shape (N,)."""
_AT_ONCE = 64  # pictures that are imagined together


class Method(Protocol):
    """Whatever can be put into Table 1."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From pictures or normalized joints to all modalities that it can tell."""


@dataclass(frozen=True)
class Recall:
    """A SOM-AE with one of its readouts, as a method."""

    mind: SomAutoencoder
    readout: Readout

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """See `SomAutoencoder.predict`."""
        return self.mind.predict(source, samples, self.readout)


@dataclass(frozen=True)
class Imagery:
    """The SOM-AE as the agent uses it: the map's candidates are tried in the head, and poses are drawn by the generator.

    From joints to joints it is the identity, by construction, as the local linear readout.
    """

    imagination: Imagination

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From pictures (B, 64, 64) its likeliest hypothesis and the picture of that; of joints (B, J) their picture."""
        samples = samples.to(self.imagination.mind.device)
        if source == "vision":
            parts = tqdm(samples.split(_AT_ONCE), desc="imagery", leave=False)
            joints = torch.cat([self.imagination.hypotheses(part, 1).joints[:, 0] for part in parts])
        else:
            joints = self.imagination.mind.denormalize(samples)
        pictures = torch.cat([self.imagination.draw(part) for part in joints.split(_AT_ONCE)])
        return {"vision": pictures, "proprioception": self.imagination.mind.normalize(joints)}


@dataclass(frozen=True)
class Judgment:
    """What of a run is to be scored, and how."""

    run: Path
    """The run's folder."""
    neighbors: int = 4
    """How many neighbors `knn` averages."""
    imagery: bool = False
    """Whether the agent's imagery, which takes minutes, is one of the methods."""
    device: runs.Device = "auto"
    """Where to compute."""


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
        for name, method in tqdm(list(methods(asked, data)), desc="evaluate", unit="method"):
            errors, found["details"][name], found["queries_per_s"][name] = score(method, truth)
            found["table1"][name] = metrics.table_row(errors)
            kept |= {f"{name} {mapping}": each for mapping, each in errors.items()}
        for name, details in found["details"].items():
            _add_skill(details, found["details"]["constant"])
            poses = details.get("vision->proprioception", {})
            for key in ("hand_error_cm", "joint_error_deg"):
                found[key][name] = {subset: scores[key] for subset, scores in poses.items()}
    with replacing(asked.run / ERRORS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **kept)  # type: ignore[arg-type]
    runs.merge(asked.run, "metrics.json", found, nested=False)
    return found


def methods(asked: Judgment, data: Dataset) -> Iterator[tuple[str, Method]]:
    """Every method of Table 1 by its name in `metrics.json`; those that have to be trained where they were."""
    run, device = asked.run, runs.pick_device(asked.device)
    train = data.split("train")
    images = torch.from_numpy(data.pictures[train]).to(device)
    joints = torch.from_numpy(data.normalized_joints[train]).to(device)
    yield from readings("som_ae", run, data, device).items()
    if asked.imagery:
        yield "som_ae_imagery", Imagery(Imagination.load(run, device))
    if (run / PIXEL_SOM).exists():
        yield from readings("som", run, data, device).items()
    yield "constant", Constant(images, joints)
    yield "nearest_neighbor", NearestNeighbors(images, joints, k=1)
    yield "knn", NearestNeighbors(images, joints, k=min(asked.neighbors, len(images)))
    networks = {"regressor": REGRESSOR, "generator": GENERATOR, "glance": GLANCE}
    for name in (*(name for name, file in networks.items() if (run / file).exists()), *trained(run)):
        yield from readings(name, run, data, device).items()


def readings(method: str, run: Path, data: Dataset, device: torch.device) -> dict[str, Method]:
    """One trained method of a run, in every way that Table 1 reads it; by their names there, the plainest first.

    Raises:
        UserError: it was not trained in that folder, or is damaged.
    """
    if method == "som_ae":
        mind = SomAutoencoder.load(run, device)
        return {"som_ae": Recall(mind, "winner"), "som_ae_local_linear": Recall(mind, "local_linear")}
    if method == "som":
        return {"som": load_pixel_som(run, data, device)}
    if method == "regressor":
        return {"regressor": load_regressor(run, device)}
    if method == "generator":
        return {"generator": Draws(PictureGenerator.load(run / GENERATOR, device))}
    if method == "glance":
        glance = Glance.load(run / GLANCE, device)
        return {"glance": Answers(lambda pictures: glance.guess(pictures).likeliest)}
    baseline = load_baseline(cast(Name, method), run, device)
    found: dict[str, Method] = {method: baseline}
    if isinstance(baseline, DeepMap):
        found[f"{method}_local_linear"] = Recall(baseline.mind(), "local_linear")
    if isinstance(baseline, ConvergenceMaps):
        found[f"{method}_soft"] = baseline.with_readout("soft")
    return found


def truth_of(data: Dataset, samples: Any) -> Truth:
    """What predictions for these samples are held against."""
    return Truth(
        images=data.pictures[samples],
        joints=data.normalized_joints[samples],
        shows_hand=data.shows_hand[samples],
        background=data.background,
        arm=data.arm,
    )


def score(method: Method, truth: Truth) -> tuple[dict[str, metrics.Floats], dict[str, Any], dict[str, float]]:
    """A method's errors per mapping (N,), what stands beside them by subset of the test poses, and its speed by source."""
    errors: dict[str, metrics.Floats] = {}
    details: dict[str, Any] = {}
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


def _scores(wanted: str, predicted: metrics.Floats, truth: Truth) -> dict[str, Any]:
    return metrics.picture_scores(predicted, truth) if wanted == "vision" else metrics.joint_scores(predicted, truth)


def _subsets(truth: Truth) -> Iterator[tuple[str, Any, Truth]]:
    for name, rows in (("all", np.full(len(truth.joints), True)), ("shows_hand", truth.shows_hand)):
        yield (
            name,
            rows,
            replace(truth, images=truth.images[rows], joints=truth.joints[rows], shows_hand=truth.shows_hand[rows]),
        )


def _add_skill(details: dict[str, Any], constant: dict[str, Any]) -> None:
    """Skill against the constant: 1 is perfect, 0 no better than always the same answer."""
    for mapping, subsets in details.items():
        for subset, scores in subsets.items():
            scores["skill"] = 1 - scores["mae"] / constant[mapping][subset]["mae"]
