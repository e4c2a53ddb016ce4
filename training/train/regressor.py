"""`infant-arm train-regressor`: the yardstick that says how much of a pose a picture tells."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from agents.baselines.regressor import KIND, CnnRegressor

from ..data.dataset import Dataset
from ..data.latents import CHUNK
from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Regressor
from .network import NetworkTraining
from .samples import samples_of
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


class Training(NetworkTraining):
    """A regressor's training under way, on the mean absolute error; the last epoch counts.

    Args:
        config: the command's config.
        data: the data set.
        here: where to compute.
    """

    kind = KIND
    measure, criterion = "mae", "validation_mae"
    told = "validation MAE {validation_mae:.4f}"

    def __init__(self, config: Config, data: Dataset, here: Place) -> None:
        self.images, self.joints = samples_of(data, "train", here.device)
        self.validation_images, self.validation_joints = samples_of(data, "validation", here.device)
        torch.manual_seed(config.seed)
        self.regressor = CnnRegressor(torch.from_numpy(data.background), self.joints.shape[1]).to(here.device)
        super().__init__(config, {"regressor": self.regressor}, _WEIGHT_DECAY, len(self.images), here)
        self.rates = self._one_cycle_rates()

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(self.here.device.type, torch.bfloat16):
            loss = functional.l1_loss(self.regressor(self.images[batch]), self.joints[batch])
        return loss, loss

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        if (
            len(self.curve) + 1 == self.settings.epochs
        ):  # statistics of the last few batches make errors up to a fifth larger
            update_bn(self.images.split(CHUNK), self.regressor)
        predicted = self.regressor.predict(self.validation_images)
        return {"validation_mae": float((predicted - self.validation_joints).abs().mean())}

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.settings.seed)
        return [torch.randperm(self.count, generator=generator) for _ in range(epoch + 1)][-1]

    def _rate(self, epoch: int, batch: int, batches: int) -> float:
        return self.rates[epoch * batches + batch]

    def _one_cycle_rates(self) -> list[float]:
        """The learning rate of each step, as torch's own schedule sets it."""
        steps, highest = self.settings.epochs * self.steps_per_epoch, self.settings.learning_rate
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


def _fit(work: Work[Config]) -> tuple[CnnRegressor, Metrics]:
    training = Training(work.config, work.data, work.here)
    training.fit(work.under_way, work.identity)
    regressor = training.regressor.eval()
    images, joints = samples_of(work.data, "validation")
    errors = (regressor.predict(images).cpu() - joints).abs().mean(dim=0).tolist()
    joint_mae = dict(zip(work.data.joint_names, errors, strict=True))
    return regressor, Metrics(regressor=Regressor(training.curve, joint_mae))


def _load(run: Path, _: Dataset, device: torch.device) -> CnnRegressor:
    return CnnRegressor.load(run / REGRESSOR, device)


STAGE = Stage("train-regressor", "regressor", REGRESSOR, KIND, Config, _fit, _load)
