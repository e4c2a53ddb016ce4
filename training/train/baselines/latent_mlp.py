"""`infant-arm train-baseline latent_mlp`: plain supervised learning between the run's latents and the joints."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from agents.baselines.latent_mlp import KIND, LatentMlps
from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder

from ...data.dataset import Dataset
from ...data.latents import in_chunks
from ...runs.config import Count, Positive
from ...runs.distributed import Place
from .. import autoencoder
from .gradient import WEIGHT_DECAY, BaselineConfig, BaselineTraining, baseline


@dataclass(frozen=True)
class Config(BaselineConfig):
    """Train two small networks between the run's latents and the joints; they show what the map adds or costs."""

    epochs: Count = 60
    """How often the training sees every sample."""
    learning_rate: Positive = 4e-3
    """Highest learning rate of AdamW."""


class Training(BaselineTraining):
    """A training of both networks; `train_mse` is the error of the latents."""

    kind = KIND
    config: Config

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        own = ConvAutoencoder.load(self.config.run / AUTOENCODER, here.device)
        self.latents = in_chunks(own.encode, self.images, here.device)
        self.method = self.mlps = LatentMlps(own, self.joints.shape[1])
        return {"mlps": self.mlps.networks}, WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        return self.mlps.loss(self.latents[batch], self.joints[batch])


def _load(path: Path, device: torch.device) -> LatentMlps:
    return LatentMlps.load(path, ConvAutoencoder.load(path.with_name(AUTOENCODER), device))


STAGE = baseline(KIND, Config, Training, _load, needs=(autoencoder.STAGE,))
