"""`infant-arm calibrate`: what the agent's hypotheses are worth, from the validation split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from agents.mind.calibration import Calibration
from agents.mind.imagination import CALIBRATION, GENERATOR, GLANCE, TRIALS, Imagination
from agents.mind.som_autoencoder import SOM, SomAutoencoder
from agents.networks.generator import PictureGenerator
from agents.networks.glance import Glance
from agents.tools import checkpoints

from ..data.dataset import Dataset
from ..measure import metrics
from ..runs import folder as runs
from .network import threads

SAME_POSE, SAME_HAND = 10.0, 0.02
"""A hypothesis is right when all joints are within so many degrees and the hand within so many metres."""


@dataclass(frozen=True)
class Config:
    """Fit the probabilities of the agent's hypotheses to the validation split."""

    run: Path
    """The run's folder; holds the trained autoencoder, map, generator and glance."""
    samples: int = 300
    """How many validation pictures to think of."""
    seed: int = 0
    """Seed of their choice."""
    device: runs.Device = "auto"
    """Where to compute."""
    threads: int = 1
    """Processor threads."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "samples")


def run(config: Config) -> Calibration:
    """Thinks of validation pictures, fits, saves and reports; does nothing when the same was done already."""
    files = [config.run / name for name in (SOM, GENERATOR, GLANCE)]
    trained = {file.name: checkpoints.content_hash(file) for file in files if file.exists()}
    key, done = {**runs.settings(config), **trained}, runs.read(config.run, "metrics.json").get("calibration", {})
    if (config.run / CALIBRATION).exists() and done.get("of") == key:
        print(f"calibration: {config.run / CALIBRATION} is there already")
        return Calibration.load(config.run / CALIBRATION)
    runs.record_config(config.run, "calibrate", config)
    data, device = Dataset.open(runs.data_of(config.run)), runs.pick_device(config.device)
    imagination = Imagination(
        SomAutoencoder.load(config.run, device),
        PictureGenerator.load(config.run / GENERATOR, device),
        Glance.load(config.run / GLANCE, device),
    )
    with runs.timed(config.run, "calibrate"), threads(config.threads):
        chosen = np.random.default_rng(config.seed).permutation(data.split("validation"))[: config.samples]
        found = imagination.hypotheses(data.pictures[chosen], TRIALS[-1][0])
        right = torch.from_numpy(right_ones(found.joints.cpu().numpy(), chosen, data))
        right &= ~found.repeated.cpu()
        costs = found.costs.masked_fill(found.repeated, torch.inf).cpu()
        calibration = Calibration.fit(costs, found.signs.cpu(), right)
        calibration.save(config.run / CALIBRATION)
    told = calibration.probabilities(costs, calibration.strangeness(found.signs.cpu()))
    report = {
        "of": key,
        "samples": len(chosen),
        "validation_calibration_error": calibration_error(told.numpy(), right.numpy()),
    }
    runs.merge(config.run, "metrics.json", {"calibration": report})
    error = report["validation_calibration_error"]
    print(f"calibration: expected calibration error {error:.3f} on what it was fitted to")
    return calibration


def right_ones(joints: NDArray[np.float32], samples: NDArray[np.int64], data: Dataset) -> NDArray[np.bool_]:
    """Which hypotheses (B, K, J), in rad, are the pose of the samples (B,): (B, K)."""
    true = np.repeat(data.joints[samples][:, None], joints.shape[1], 1)
    arm = data.arm
    normalized = [arm.normalize(poses.reshape(-1, poses.shape[2])).astype(np.float32) for poses in (joints, true)]
    hands = metrics.hand_errors(normalized[0], normalized[1], arm)
    turned = np.degrees(np.abs(joints - true)).max(2)
    return (turned <= SAME_POSE) & (hands.reshape(turned.shape) <= SAME_HAND)


def calibration_error(told: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015): mean gap between probability and frequency over equal bins.

    Args:
        told: probabilities, any shape.
        right: whether it was so, same shape.
        bins: of equal width.
    """
    rows = reliability(told, right, bins)
    return sum(count * abs(mean - share) for count, mean, share in rows) / max(told.size, 1)


def reliability(told: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10) -> list[tuple[int, float, float]]:
    """Of each bin of probabilities that holds any: how many, their mean, and the share that was right."""
    at = np.minimum((told.ravel() * bins).astype(int), bins - 1)
    groups = [(told.ravel()[at == k], right.ravel()[at == k]) for k in range(bins)]
    return [(len(t), float(t.mean()), float(r.mean())) for t, r in groups if len(t)]
