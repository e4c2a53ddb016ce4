"""`infant-arm train-baseline dnm`: Deep Neural Maps."""

from dataclasses import dataclass
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from agents.baselines.deep_map import C
from agents.baselines.dnm import DeepNeuralMap
from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder
from agents.som_training import coarse_to_fine as som_training
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.latents import in_chunks
from ...runs.config import Positive
from .. import autoencoder
from ..network import one_cycle
from .deep_map import DeepMapConfig, DeepMapTraining
from .gradient import baseline


@dataclass(frozen=True)
class Config(DeepMapConfig):
    """Train Deep Neural Maps: the run's autoencoder and a map over its latents learn further, together."""

    learning_rate: Positive = 5e-4
    """Highest learning rate of AdamW."""
    map_rate: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """Highest rate of Kohonen's rule."""


class Training(DeepMapTraining):
    """A training of Deep Neural Maps, from the run's autoencoder and a map that is trained like that of the SOM-AE."""

    weight_decay = 0.01
    kind = DeepNeuralMap.kind
    config: Config
    method: DeepNeuralMap
    map: DeepNeuralMap

    def _map(self, joint_ranges: Tensor, shape: tuple[int, int], device: torch.device) -> DeepNeuralMap:
        own = ConvAutoencoder.load(self.config.run / AUTOENCODER, device)
        samples = {VISION: in_chunks(own.encode, self.images, device), PROPRIOCEPTION: self.joints}
        som = som_training.train(samples, shape, C, self.config.seed)
        dnm = DeepNeuralMap(own, joint_ranges, shape).to(device)
        dnm.neurons = torch.cat([som.weights(name) for name in dnm.modalities.widths], 1)
        dnm.frequencies = dnm.mean_assignment(torch.cat(list(samples.values()), 1))
        return dnm

    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        features = self.map.features(raw, joints)
        divergence = self.map.divergence(features)
        sigma = som_training.sigma_for(self.map.shape, self.count)
        self.map.adapt(features.detach(), self.config.map_rate * one_cycle(done), sigma)
        return divergence


STAGE = baseline(DeepNeuralMap.kind, Config, Training, DeepNeuralMap.load, needs=(autoencoder.STAGE,))
