"""`infant-arm calibrate`: fits the probabilities of the agent's hypotheses to the validation split."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.mind.calibration import Calibration
from agents.mind.imagination import CALIBRATION, MOST, Imagination
from agents.mind.som_autoencoder import SOM, SomAutoencoder
from agents.tools import checkpoints

from ..measure.probabilities import calibration_error, right_ones
from ..runs import folder as runs
from ..runs.config import Count, StageConfig, Threads
from ..runs.metrics import Metrics
from ..runs.trained import Calibrated
from . import generator, glance, som
from .skeleton import Stage, Work

_NEEDS = (som.STAGE, generator.STAGE, glance.STAGE)


@dataclass(frozen=True)
class Config(StageConfig):
    """Fit the probabilities of the agent's hypotheses to the validation split."""

    samples: Count = 300
    """Number of validation pictures that the agent thinks of."""
    threads: Threads | None = 1
    """Processor threads."""


def run(config: Config) -> Calibration:
    """Thinks of validation pictures, fits, reports and saves; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[Calibration, Metrics]:
    config, data, device = work.config, work.data, work.device
    imagination = Imagination(
        SomAutoencoder.load(config.run, device),
        generator.STAGE.load(config.run, data, device),
        glance.STAGE.load(config.run, data, device),
    )
    chosen = np.random.default_rng(config.seed).permutation(data.split("validation"))[: config.samples]
    pictures, gazes = data.squeezed_to(imagination.format).pictures[chosen], data.felt_gaze[chosen]
    found = imagination.hypotheses(pictures, MOST, gazes)
    right = torch.from_numpy(right_ones(found.joints.cpu().numpy(), chosen, data))
    right &= ~found.repeated.cpu()
    costs = found.costs.masked_fill(found.repeated, torch.inf).cpu()
    calibration = Calibration.fit(costs, found.signs.cpu(), right)
    predicted = calibration.probabilities(costs, calibration.strangeness(found.signs.cpu()))
    error = calibration_error(predicted.numpy(), right.numpy())
    print(f"calibration: expected calibration error {error:.3f} on the samples of the fit")
    return calibration, Metrics(calibration=Calibrated(work.identity, len(chosen), error))


def _header(run: Path) -> Mapping[str, Any]:
    """Settings and files that the calibration depends on."""
    if found := Calibration.header(run / CALIBRATION):
        return found
    report = runs.metrics_of(run, "calibration").calibration
    of = report.of if report else {}
    if "config" in of or not of:
        return of
    # version 0.1 kept them in metrics.json, settings and files in one list; the data set stands in the map's header
    given = {stage.kind: of.get(stage.file) for stage in _NEEDS}
    return {"config": of, "dataset": checkpoints.read_header(run / SOM, som.STAGE.kind)["dataset"], **given}


STAGE = Stage(
    "calibrate", "calibration", CALIBRATION, "calibration", Config, _fit,
    lambda run, _, __: Calibration.load(run / CALIBRATION),
    needs=_NEEDS, sees=False, header=_header, moving_eye=True,
)  # fmt: skip
