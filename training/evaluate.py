"""`infant-arm evaluate`: Table 1 on the test split, beside honest yardsticks."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from agents.baselines.constant import Constant
from agents.baselines.deep_map import DeepMap
from agents.baselines.mmcm import ConvergenceMaps
from agents.baselines.nearest_neighbor import NearestNeighbors
from agents.generator import PictureGenerator
from agents.imagination import GENERATOR
from agents.som import Readout
from agents.som_autoencoder import SOM, SomAutoencoder

from . import metrics, paper, runs, tables
from .collect import arm_model
from .dataset import Dataset
from .metrics import MAPPINGS, SOURCES, Truth
from .train_baseline import METHODS, load_baseline, trained
from .train_generator import Draws
from .train_pixel_som import PIXEL_SOM, load_pixel_som
from .train_regressor import REGRESSOR, load_regressor

MAPS = {"som_ae": SOM, "som": PIXEL_SOM}


@dataclass(frozen=True)
class Config:
    """Compute Table 1 on the test split, beside honest yardsticks."""

    run: Path
    """The run's folder; holds the trained autoencoder and map, and the yardsticks that were trained."""
    neighbors: int = 8
    """How many neighbors `knn` averages."""
    seed: int = 0
    """Nothing is drawn here: the figures do not depend on it."""
    device: runs.Device = "auto"
    """Where to compute."""


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


def run(config: Config) -> dict[str, Any]:
    """Evaluates every method, prints Table 1 and what stands beside it, and adds them to `metrics.json`."""
    runs.record_config(config.run, "evaluate", config)
    with runs.timed(config.run, "evaluate"):
        data = Dataset.open(runs.data_of(config.run))
        truth = truth_of(data, data.split("test"))
        keys = ("table1", "hand_error_cm", "joint_error_deg", "details", "queries_per_s")
        results: dict[str, Any] = {key: {} for key in keys}
        for name, method in tqdm(list(methods(config, data)), desc="evaluate", unit="method"):
            results["table1"][name], results["details"][name], results["queries_per_s"][name] = score(method, truth)
        for name, details in results["details"].items():
            _add_skill(details, results["details"]["constant"])
            poses = details.get("vision->proprioception", {})
            for key in ("hand_error_cm", "joint_error_deg"):
                results[key][name] = {subset: scores[key] for subset, scores in poses.items()}
    sizes = {name: (config.run / file).stat().st_size for name, file in MAPS.items() if (config.run / file).exists()}
    runs.merge(config.run, "metrics.json", {**results, "map_bytes": sizes}, nested=False)
    print(summary(results))
    for name, command in {
        "regressor": "train-regressor",
        "som": "train-pixel-som",
        "generator": "train-generator",
    }.items():
        if name not in results["table1"]:
            print(f"{name}: not trained; `infant-arm {command} --data DATA --run {config.run}` adds it to the table")
    if missing := [name for name in METHODS if name not in results["table1"]]:
        print(
            f"{', '.join(missing)}: not trained; `infant-arm train-baseline --data DATA --run {config.run} --method NAME`"
        )
    return results


def methods(config: Config, data: Dataset) -> Iterator[tuple[str, Method]]:
    """Every method of Table 1 by its name in `metrics.json`; those that have to be trained where they were."""
    device = runs.pick_device(config.device)
    train = data.split("train")
    images = torch.from_numpy(data.gray[train]).to(device)
    joints = torch.from_numpy(data.normalized_joints[train]).to(device)
    mind = SomAutoencoder.load(config.run, device)
    yield "som_ae", Recall(mind, "winner")
    yield "som_ae_local_linear", Recall(mind, "local_linear")
    if (config.run / PIXEL_SOM).exists():
        yield "som", load_pixel_som(config.run, data, device)
    yield "constant", Constant(images, joints)
    yield "nearest_neighbor", NearestNeighbors(images, joints, k=1)
    yield "knn", NearestNeighbors(images, joints, k=min(config.neighbors, len(images)))
    if (config.run / REGRESSOR).exists():
        yield "regressor", load_regressor(config.run, device)
    if (config.run / GENERATOR).exists():
        yield "generator", Draws(PictureGenerator.load(config.run / GENERATOR, device))
    for name in trained(config.run):
        baseline = load_baseline(name, config.run, device)
        yield name, baseline
        if isinstance(baseline, DeepMap):
            yield f"{name}_local_linear", Recall(baseline.mind(), "local_linear")
        if isinstance(baseline, ConvergenceMaps):
            yield f"{name}_soft", baseline.with_readout("soft")


def truth_of(data: Dataset, samples: Any) -> Truth:
    """What predictions for these samples are held against."""
    return Truth(
        images=data.gray[samples],
        joints=data.normalized_joints[samples],
        shows_hand=data.shows_hand[samples],
        background=data.background,
        arm=arm_model(data.info["config"]),
    )


def score(method: Method, truth: Truth) -> tuple[dict[str, Any], dict[str, Any], dict[str, float]]:
    """A method's row of Table 1, per mapping and subset of the test poses what stands beside it, and its speed by source."""
    errors, details, speed = {}, {}, {}
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
    return metrics.table_row(errors), details, speed


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


def summary(results: dict[str, Any]) -> str:
    """Table 1 and the figures beside it, for the terminal."""
    parts = [
        "Table 1: mean absolute error on the test split, mean ± standard deviation",
        tables.as_text(*table1(results["table1"])),
        "\nPictures (all test poses / those that show the hand): error over the arm's pixels, overlap, skill against constant",
        tables.as_text(*pictures(results["details"])),
        "\nHand, from the joints recalled from a picture (all test poses / those that show the hand)",
        tables.as_text(*hands(results["details"])),
        "\nJoints from a picture, normalized mean absolute error (all test poses)",
        tables.as_text(*per_joint(results["details"])),
        *remarks(results["table1"]),
    ]
    return "\n".join(parts)


def table1(rows: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of Table 1, the paper's columns first."""
    names = [f"{source}->{wanted}" for source, wanted in MAPPINGS]
    header = ["method", *(n.replace("proprioception", "joints") for n in names), "overall"]
    theirs = [
        [name, *(f"{tables.number(m, 3)}±{tables.number(s, 3)}" for m, s in row)] for name, row in paper.ERRORS.items()
    ]
    ours = [[name, *(_cell(row.get(key)) for key in (*names, "overall"))] for name, row in rows.items()]
    return header, theirs + ours


def _cell(entry: dict[str, float] | None) -> str:
    return "-" if entry is None else f"{tables.number(entry['mae'])}±{tables.number(entry['std'])}"


def pictures(details: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """What whole-frame errors hide: the error over the arm's pixels, the arms' overlap, the skill against the constant."""
    keys = {"arm_mae": "arm MAE", "arm_iou": "IoU", "skill": "skill"}
    header = ["method", *(f"{source}->v {label}" for source in ("v", "j") for label in keys.values())]
    rows = []
    for name, mappings in details.items():
        told = [mappings.get(f"{source}->vision", {}) for source in SOURCES]
        if any(told):
            rows.append([name, *(_both(scores, key) for scores in told for key in keys)])
    return header, rows


def hands(details: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """How far the hand would be, in centimetres, if the arm took the pose that was recalled from a picture."""
    keys = {"mean": "mean cm", "median": "median cm", "within_1": "< 1 cm", "within_2": "< 2 cm", "within_5": "< 5 cm"}
    rows = []
    for name, mappings in details.items():
        scores = {k: s["hand_error_cm"] for k, s in mappings.get("vision->proprioception", {}).items()}
        rows.append([name, *(_both(scores, key) for key in keys)])
    return ["method", *keys.values()], rows


def _both(subsets: dict[str, Any], key: str) -> str:
    return " / ".join(tables.number(scores[key], 3 if key.endswith("mae") else 2) for scores in subsets.values()) or "-"


def per_joint(details: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Which joints a picture tells: normalized error per joint from vision."""
    told = {
        n: m["vision->proprioception"]["all"]["joint_mae"] for n, m in details.items() if "vision->proprioception" in m
    }
    joints = list(next(iter(told.values())))
    header = ["method", *(joint.replace("_", " ") for joint in joints)]
    return header, [[name, *(tables.number(mae[j], 3) for j in joints)] for name, mae in told.items()]


def remarks(rows: dict[str, Any]) -> list[str]:
    """Says openly where a yardstick beats the SOM-AE's best readout."""
    lines = []
    for source, wanted in MAPPINGS:
        mapping = f"{source}->{wanted}"
        ours = min(rows[name][mapping]["mae"] for name in ("som_ae", "som_ae_local_linear"))
        better = [
            n for n, row in rows.items() if not n.startswith("som_ae") and row.get(mapping, {}).get("mae", 1) < ours
        ]
        if better:
            lines.append(f"{mapping}: better than the SOM-AE: {', '.join(better)}.")
    return lines
