"""The trained baselines' trainings under way: what each of them minimises; the epochs are those of all networks."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from agents.baselines.latent_mlp import LatentMlps
from agents.baselines.mvae import SUBSETS, MultiModalVae
from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder
from infant_env.errors import UserError

from ...data.dataset import Dataset
from ...runs.distributed import Place
from ..network import NetworkTraining, in_chunks, picture_errors
from .config import Config, Schedule

_WEIGHT_DECAY = 0.01
_VALIDATED = 1_000  # samples of the validation split after each epoch; all of them would take a third of the time


class Trainable(Protocol):
    """A method of Table 1 that can be put on disk."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From one modality to all that it can tell."""

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint."""


class BaselineTraining(NetworkTraining):
    """What the baselines' trainings have in common.

    The epoch that is kept is the one with the least mean of Table 1's errors on samples of the validation split.

    Args:
        config: the command's config.
        schedule: its epochs and learning rate, the method's own where it gives none.
        data: the data set.
        here: where to compute.
    """

    criterion = "overall"
    method: Trainable

    def __init__(self, config: Config, schedule: Schedule, data: Dataset, here: Place) -> None:
        (self.images, self.joints), (self.validation_images, self.validation_joints) = (
            tuple(torch.from_numpy(values[split]).to(here.device) for values in (data.pictures, data.normalized_joints))
            for split in (data.split("train"), data.split("validation")[:_VALIDATED])
        )
        if not len(self.validation_images):
            raise UserError("a split of the data set is empty; collect 5 samples or more")
        torch.manual_seed(config.seed)
        self.kind, self.config = config.method, config
        self.background = torch.from_numpy(data.background).to(here.device)
        networks, weight_decay = self._make(data, here)
        super().__init__(schedule, networks, weight_decay, len(self.images), here)

    def finish(self) -> None:
        """Takes the best weights."""
        network = next(iter(self.networks.values()))
        network.load_state_dict(self.best)
        network.eval()

    def report(self) -> dict[str, Any]:
        """What goes into `metrics.json`."""
        return {"epochs": self.curve, "best": min(self.curve, key=lambda entry: entry[self.criterion])}

    @abstractmethod
    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        """Sets `method`; gives what is trained, the network that is kept first, and its weight decay."""

    def _train_epoch(self) -> float:
        self.step = len(self.curve) * self._steps  # no counter survives a kill, the curve does
        self.noise = torch.Generator().manual_seed(self.settings.seed * 100_003 + len(self.curve) + 50_000)
        return super()._train_epoch()

    @property
    def _steps(self) -> int:
        return math.ceil(self.count / self.settings.batch_size)

    def _done(self) -> float:
        """Share of the training that is done; counts the steps."""
        self.step += 1
        return (self.step - 1) / (self._steps * self.settings.epochs)

    def _validate(self) -> dict[str, float]:
        for network in self.networks.values():
            network.eval()
        return validation_errors(self.method, self.validation_images, self.validation_joints, self.background)


class LatentMlpTraining(BaselineTraining):
    """Two networks between the run's latents and the joints; its `train_mse` is that of the latents."""

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        autoencoder = ConvAutoencoder.load(self.config.run / AUTOENCODER, here.device)
        self.latents = in_chunks(autoencoder.encode, self.images, here.device)
        self.method = self.mlps = LatentMlps(autoencoder, self.joints.shape[1])
        return {"mlps": self.mlps.networks}, _WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        return self.mlps.loss(self.latents[batch], self.joints[batch])


class MvaeTraining(BaselineTraining):
    """A multi-modal VAE, from nothing."""

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        self.vae = MultiModalVae(self.background, joint_count=self.joints.shape[1]).to(here.device)
        self.method = self.vae
        return {"vae": self.vae}, _WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        noise = torch.randn(len(SUBSETS), len(batch), self.vae.latent_size, generator=self.noise)
        samples = {"vision": self.images[batch], "proprioception": self.joints[batch]}
        return self.vae.loss(samples, noise.to(self.here.device), self.config.beta)


def validation_errors(method: Trainable, images: Tensor, joints: Tensor, background: Tensor) -> dict[str, float]:
    """Table 1 on validation samples, pictures (N, 64, 64) and normalized joints (N, J).

    Returns:
        What `picture_errors` says of the pictures drawn from joints; `joint_mae` of the joints read off pictures; and
        `overall`, the mean absolute error over all mappings that the method answers.
    """
    known = {"vision": images, "proprioception": joints}
    told = {source: method.predict(source, samples) for source, samples in known.items()}
    errors = [
        float((rows - known[wanted]).abs().mean()) for answers in told.values() for wanted, rows in answers.items()
    ]
    joint_mae = float((told["vision"]["proprioception"] - joints).abs().mean())
    drawn = picture_errors(told["proprioception"]["vision"], images, background)
    return {**drawn, "joint_mae": joint_mae, "overall": sum(errors) / len(errors)}
