"""`infant-arm train-regressor`: the yardstick that shows how much a picture says about the pose."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from agents.baselines.regressor import KIND, CnnRegressor
from agents.tools.precision import fast_precision

from ..data.dataset import Dataset
from ..data.latents import CHUNK
from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Regressor
from .pictures import PictureTraining, gazes_of, moving_eye, validation_rows
from .skeleton import Stage, Work

REGRESSOR = "regressor.safetensors"
_WEIGHT_DECAY = 0.1
_WARM_UP = 0.15  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train a CNN from pictures to joints, a yardstick for vision -> proprioception."""


def run(config: Config) -> CnnRegressor:
    """Trains, reports and saves one regressor; see `Stage.run`."""
    return STAGE.run(config)


class Training(PictureTraining):
    """A regressor's training on the mean absolute error; the last epoch is kept."""

    kind = KIND
    measure, criterion = "mae", "validation_mae"
    status = "validation MAE {validation_mae:.4f}"

    def __init__(self, config: NetworkConfig, data: Dataset, here: Place) -> None:
        super().__init__(config, data, here)
        self.rates = self._one_cycle_rates()

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        background, eye = torch.from_numpy(data.background), moving_eye(data)
        self.regressor = CnnRegressor(background, self.joints.shape[1], eye=eye).to(here.device)
        rows = data.split("train"), validation_rows(data)
        self.gazes, self.validation_gazes = (gazes_of(data, each, here.device) for each in rows)
        return {"regressor": self.regressor}, _WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with fast_precision(self.here.device):
            loss = functional.l1_loss(self.regressor(self.images[batch], self.gazes[batch]), self.joints[batch])
        return loss, loss

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        if len(self.curve) + 1 == self.config.epochs:  # over all batches: up to a fifth less error
            update_bn(self._shown_together(), _OfPairs(self.regressor))
        predicted = self.regressor.predict(self.validation_images, self.validation_gazes)
        return {"validation_mae": float((predicted - self.validation_joints).abs().mean())}

    def _shown_together(self) -> Iterator[tuple[tuple[Tensor, Tensor]]]:
        """All training pictures and their gazes, in pairs of (n, *format.shape) and (n, G), as `update_bn` takes them."""
        return ((pair,) for pair in zip(self.images.split(CHUNK), self.gazes.split(CHUNK), strict=True))

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.config.seed)
        return [torch.randperm(self.count, generator=generator) for _ in range(epoch + 1)][-1]

    def _rate(self, epoch: int, batch: int, batches: int) -> float:
        return self.rates[epoch * batches + batch]

    def _one_cycle_rates(self) -> list[float]:
        """The learning rate of each step, by torch's own schedule."""
        steps, highest = self.config.epochs * self.steps_per_epoch, self.config.learning_rate
        optimizer = torch.optim.SGD([torch.zeros(1)], highest)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, highest, total_steps=steps + 1, pct_start=_WARM_UP, cycle_momentum=False
        )
        rates = []
        for _ in range(steps):
            rates.append(float(schedule.get_last_lr()[0]))
            optimizer.step()
            schedule.step()
        return rates


class _OfPairs(nn.Module):
    """A regressor that takes a picture and its gaze as one pair: `update_bn` gives a network one argument."""

    def __init__(self, regressor: CnnRegressor) -> None:
        super().__init__()
        self.regressor = regressor

    def forward(self, pair: tuple[Tensor, Tensor]) -> Tensor:
        """Pictures (n, *format.shape) and gazes (n, G) -> normalized joints (n, J)."""
        joints: Tensor = self.regressor(*pair)
        return joints


def _fit(work: Work[Config]) -> tuple[CnnRegressor, Metrics]:
    training = Training(work.config, work.data, work.here)
    training.fit(work.checkpoint, work.identity)
    regressor = training.regressor.eval()
    predicted = regressor.predict(training.validation_images, training.validation_gazes)
    errors = (predicted - training.validation_joints).cpu().abs().mean(dim=0).tolist()
    joint_mae = dict(zip(work.data.joint_names, errors, strict=True))
    return regressor, Metrics(regressor=Regressor(training.curve, joint_mae))


STAGE = Stage(
    "train-regressor", "regressor", REGRESSOR, KIND, Config, _fit,
    lambda run, _, device: CnnRegressor.load(run / REGRESSOR, device), moving_eye=True,
)  # fmt: skip
