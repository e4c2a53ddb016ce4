"""`infant-arm train-baseline color_regressor`: the CNN from pictures to joints, in color, as the agent sees."""

from dataclasses import dataclass

from agents.baselines.regressor import KIND, CnnRegressor
from infant_env.senses.vision import COLOR

from ...runs.metrics import Metrics
from ...runs.trained import Baseline
from ..regressor import Training
from ..skeleton import Stage, Work
from .gradient import BaselineConfig


@dataclass(frozen=True)
class Config(BaselineConfig):
    """Train a CNN from pictures in color to joints, a yardstick for what the agent sees."""


def _fit(work: Work[Config]) -> tuple[CnnRegressor, Metrics]:
    training = Training(work.config, work.data.squeezed_to(COLOR), work.here)
    training.fit(work.checkpoint, work.identity)
    return training.regressor.eval(), Metrics(baselines={_NAME: Baseline(training.curve, training.curve[-1])})


_NAME = "color_regressor"
STAGE = Stage(
    f"train-baseline {_NAME}", _NAME, f"{_NAME}.safetensors", KIND, Config, _fit,
    lambda run, _, device: CnnRegressor.load(run / f"{_NAME}.safetensors", device), moving_eye=True,
)  # fmt: skip
