"""What the trainings of the baselines have in common: networks that are validated by Table 1 itself."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...runs.config import NetworkConfig
from ...runs.distributed import Place
from ...runs.metrics import Metrics
from ...runs.trained import Baseline
from ..network import NetworkTraining, picture_errors
from ..skeleton import Stage, Work

WEIGHT_DECAY = 0.01
_VALIDATED = 1_000  # samples of the validation split after each epoch; all of them would take a third of the time
C = TypeVar("C", bound="BaselineConfig")
T = TypeVar("T", bound="Trainable")
T_co = TypeVar("T_co", bound="Trainable", covariant=True)


@dataclass(frozen=True)
class BaselineConfig(NetworkConfig):
    """What every baseline is trained with; by default for no longer than the autoencoder."""


class Trainable(Protocol):
    """A method of Table 1 that can be put on disk."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From one modality to all that it can tell."""

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint."""


class Training(Protocol[T_co]):
    """A baseline's training under way."""

    @property
    def method(self) -> T_co:
        """What is trained."""

    def fit(self, path: Path, identity: dict[str, Any]) -> None:
        """Goes on from the checkpoint of an equal training, writes one after every epoch, shows a bar."""

    def finish(self) -> None:
        """Chooses what is kept."""

    def report(self) -> Baseline:
        """What goes into `metrics.json`."""


def baseline(
    name: str,
    config: type[C],
    training: Callable[[C, Dataset, Place], Training[T]],
    load: Callable[[Path, torch.device], T],
    needs: tuple[Stage[Any, Any], ...] = (),
) -> Stage[C, T]:
    """The stage that trains one baseline.

    Args:
        name: its name in Table 1; also that of its file.
        config: its Config.
        training: makes a training at its start.
        load: reads the checkpoint.
        needs: what it begins with, apart from the data set.
    """

    def fit(work: Work[C]) -> tuple[T, Metrics]:
        under_way = training(work.config, work.data, work.here)
        under_way.fit(work.under_way, work.identity)
        under_way.finish()
        return under_way.method, Metrics(baselines={name: under_way.report()})

    def read(run: Path, _: Dataset, device: torch.device) -> T:
        return load(run / file, device)

    file = f"{name}.safetensors"
    return Stage(f"train-baseline {name}", name, file, name, config, fit, read, needs=needs)


class BaselineTraining(NetworkTraining):
    """What the baselines' trainings have in common.

    The epoch that is kept is the one with the least mean of Table 1's errors on samples of the validation split.

    Args:
        config: the command's config.
        data: the data set.
        here: where to compute.
    """

    criterion = "overall"
    method: Trainable

    def __init__(self, config: BaselineConfig, data: Dataset, here: Place) -> None:
        (self.images, self.joints), (self.validation_images, self.validation_joints) = (
            tuple(torch.from_numpy(values[split]).to(here.device) for values in (data.pictures, data.normalized_joints))
            for split in (data.split("train"), data.split("validation")[:_VALIDATED])
        )
        if not len(self.validation_images):
            raise UserError("a split of the data set is empty; collect 5 samples or more")
        torch.manual_seed(config.seed)
        self.config = config
        self.background = torch.from_numpy(data.background).to(here.device)
        networks, weight_decay = self._make(data, here)
        super().__init__(config, networks, weight_decay, len(self.images), here)

    def finish(self) -> None:
        """Takes the best weights."""
        network = next(iter(self.networks.values()))
        network.load_state_dict(self.best)
        network.eval()

    def report(self) -> Baseline:
        """What goes into `metrics.json`."""
        return Baseline(self.curve, min(self.curve, key=lambda entry: entry[self.criterion]))

    @abstractmethod
    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        """Sets `method`; gives what is trained, the network that is kept first, and its weight decay."""

    def _train_epoch(self) -> float:
        self.step = len(self.curve) * self.steps_per_epoch  # no counter survives a kill, the curve does
        self.noise = torch.Generator().manual_seed(self.settings.seed * 100_003 + len(self.curve) + 50_000)
        return super()._train_epoch()

    def _done(self) -> float:
        """Share of the training that is done; counts the steps."""
        self.step += 1
        return (self.step - 1) / (self.steps_per_epoch * self.settings.epochs)

    def _validate(self) -> dict[str, float]:
        for network in self.networks.values():
            network.eval()
        return validation_errors(self.method, self.validation_images, self.validation_joints, self.background)


def validation_errors(method: Trainable, images: Tensor, joints: Tensor, background: Tensor) -> dict[str, float]:
    """Table 1 on validation samples, pictures (N, 64, 64) and normalized joints (N, J).

    Returns:
        What `picture_errors` says of the pictures drawn from joints; `joint_mae` of the joints read off pictures; and
        `overall`, the mean absolute error over all mappings that the method answers.
    """
    known = {VISION: images, PROPRIOCEPTION: joints}
    told = {source: method.predict(source, samples) for source, samples in known.items()}
    errors = [
        float((rows - known[wanted]).abs().mean()) for answers in told.values() for wanted, rows in answers.items()
    ]
    joint_mae = float((told[VISION][PROPRIOCEPTION] - joints).abs().mean())
    drawn = picture_errors(told[PROPRIOCEPTION][VISION], images, background)
    return {**drawn, "joint_mae": joint_mae, "overall": sum(errors) / len(errors)}
