"""`infant-arm train-baseline desom`: the deep embedded self-organizing map."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from agents.baselines.desom import Desom, temperature_at
from agents.networks.autoencoder import ConvAutoencoder

from ...data.latents import in_chunks
from ...runs.config import Positive
from .deep_map import DeepMapConfig, DeepMapTraining
from .gradient import baseline


@dataclass(frozen=True)
class Config(DeepMapConfig):
    """Train DESOM: an autoencoder and a map learn together, both untrained at the start."""

    learning_rate: Positive = 2e-3
    """Highest learning rate of AdamW."""
    last_temperature: Positive = 0.5
    """Radius T of the neighborhood at the end, in neurons."""
    neuron_rate: Positive = 20.0
    """Learning rate of the neurons, relative to that of the weights."""


class Training(DeepMapTraining):
    """A training of DESOM; the temperature begins at a quarter of the map's side and falls."""

    weight_decay = 0.0  # it would draw the neurons to the middle of the map
    kind = Desom.kind
    config: Config
    method: Desom
    map: Desom

    def _map(self, joint_ranges: Tensor, shape: tuple[int, int], device: torch.device) -> Desom:
        autoencoder = ConvAutoencoder(self.background)
        desom = Desom(autoencoder, joint_ranges, shape).to(device)
        generator = torch.Generator().manual_seed(self.config.seed)
        desom.start(in_chunks(autoencoder.raw_latents, self.images, device), self.joints, generator)
        return desom

    def _groups(self) -> list[dict[str, Any]]:
        """The neurons get a higher learning rate than the weights, because they have further to go."""
        (every,) = super()._groups()
        others = [parameter for parameter in every["params"] if parameter is not self.map.neurons]
        return [{"params": others, "times": 1.0}, {"params": [self.map.neurons], "times": self.config.neuron_rate}]

    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        last = self.config.last_temperature
        return self.map.distortion(raw, joints, temperature_at(done, max(max(self.map.shape) / 4, last), last))


STAGE = baseline(Desom.kind, Config, Training, Desom.load)
