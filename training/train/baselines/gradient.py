"""The common part of the baselines' trainings; the errors of Table 1 decide which epoch is the best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...runs.config import NetworkConfig
from ...runs.distributed import Place
from ...runs.metrics import Metrics
from ...runs.trained import Baseline
from ..pictures import PictureTraining, picture_errors
from ..skeleton import Stage, Work

WEIGHT_DECAY = 0.01
_VALIDATED = 1_000  # samples of the validation split after each epoch; all of them would take a third of the time
C = TypeVar("C", bound="BaselineConfig")
T = TypeVar("T", bound="Trainable")


@dataclass(frozen=True)
class BaselineConfig(NetworkConfig):
    """The settings of every baseline; by default it trains no longer than the autoencoder."""


class Trainable(Protocol):
    """A method of Table 1 with a checkpoint."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Predicts other modalities from one."""

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint."""


class Training(Protocol):
    """A baseline's training."""

    method: Any
    """The model that is trained."""

    def fit(self, path: Path, identity: dict[str, Any]) -> None:
        """Trains with a progress bar; goes on from the checkpoint of an equal training, and writes one after every epoch."""

    def finish(self) -> None:
        """Chooses the weights to keep."""

    def report(self) -> Baseline:
        """The report for `metrics.json`."""


def baseline(
    name: str,
    config: type[C],
    training: Callable[[C, Dataset, Place], Training],
    load: Callable[[Path, torch.device], T],
    needs: tuple[Stage[Any, Any], ...] = (),
) -> Stage[C, T]:
    """The stage that trains one baseline.

    Args:
        name: the baseline's name in Table 1 and of its file.
        config: the class of its Config.
        training: makes a training.
        load: reads the checkpoint.
        needs: stages that must run before.
    """

    def fit(work: Work[C]) -> tuple[T, Metrics]:
        this = training(work.config, work.data, work.here)
        this.fit(work.checkpoint, work.identity)
        this.finish()
        return this.method, Metrics(baselines={name: this.report()})

    file, words = f"{name}.safetensors", f"train-baseline {name}"
    return Stage(words, name, file, name, config, fit, lambda run, _, device: load(run / file, device), needs=needs)


class BaselineTraining(PictureTraining):
    """The common part of the baselines' trainings.

    The best epoch has the smallest mean of Table 1's errors on samples of the validation split.
    """

    criterion = "overall"
    method: Trainable

    def __init__(self, config: BaselineConfig, data: Dataset, here: Place) -> None:
        self.background = torch.from_numpy(data.background).to(here.device)
        super().__init__(config, data, here)
        self.validation_images = self.validation_images[:_VALIDATED]
        self.validation_joints = self.validation_joints[:_VALIDATED]

    def _matrix_layers(self) -> list[nn.Module]:
        return []  # their settings were chosen with AdamW

    def finish(self) -> None:
        """Loads the best weights."""
        network = next(iter(self.networks.values()))
        network.load_state_dict(self.best)
        network.eval()

    def report(self) -> Baseline:
        """What goes into `metrics.json`."""
        return Baseline(self.curve, min(self.curve, key=lambda entry: entry[self.criterion]))

    def _train_epoch(self) -> float:
        self.step = len(self.curve) * self.steps_per_epoch  # from the curve, because it survives a kill
        self.noise = torch.Generator().manual_seed(self.config.seed * 100_003 + len(self.curve) + 50_000)
        return super()._train_epoch()

    def _done(self) -> float:
        """Share of the training that is done; each call counts one step."""
        self.step += 1
        return (self.step - 1) / (self.steps_per_epoch * self.config.epochs)

    def _validate(self) -> dict[str, float]:
        for network in self.networks.values():
            network.eval()
        return validation_errors(self.method, self.validation_images, self.validation_joints, self.background)


def validation_errors(method: Trainable, images: Tensor, joints: Tensor, background: Tensor) -> dict[str, float]:
    """The errors of Table 1 on validation samples, pictures (N, 64, 64) and normalized joints (N, J).

    Returns:
        The `picture_errors` of pictures from joints; `joint_mae` of joints from pictures; and `overall`, the mean absolute
        error over all mappings that the method predicts.
    """
    known = {VISION: images, PROPRIOCEPTION: joints}
    predicted = {source: method.predict(source, samples) for source, samples in known.items()}
    errors = [
        float((rows - known[wanted]).abs().mean()) for answers in predicted.values() for wanted, rows in answers.items()
    ]
    joint_mae = float((predicted[VISION][PROPRIOCEPTION] - joints).abs().mean())
    drawn = picture_errors(predicted[PROPRIOCEPTION][VISION], images, background)
    return {**drawn, "joint_mae": joint_mae, "overall": sum(errors) / len(errors)}
