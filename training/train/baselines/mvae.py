"""`infant-arm train-baseline mvae`: a multi-modal variational autoencoder."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from agents.baselines.mvae import KIND, SUBSETS, MultiModalVae
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...runs.config import Count, NotNegative
from ...runs.distributed import Place
from .gradient import WEIGHT_DECAY, BaselineConfig, BaselineTraining, baseline


@dataclass(frozen=True)
class Config(BaselineConfig):
    """Train a multi-modal variational autoencoder."""

    batch_size: Count = 32
    """Samples per step."""
    beta: NotNegative = 1.0
    """Weight of the divergence from the prior; with 1 the loss is the evidence lower bound."""


class Training(BaselineTraining):
    """A training of the autoencoder."""

    kind = KIND
    config: Config

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        self.vae = MultiModalVae(self.background, joint_count=self.joints.shape[1]).to(here.device)
        self.method = self.vae
        return {"vae": self.vae}, WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        noise = torch.randn(len(SUBSETS), len(batch), self.vae.latent_size, generator=self.noise)
        samples = {VISION: self.images[batch], PROPRIOCEPTION: self.joints[batch]}
        return self.vae.loss(samples, noise.to(self.here.device), self.config.beta)


STAGE = baseline(KIND, Config, Training, MultiModalVae.load)
