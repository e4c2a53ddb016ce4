"""Trainings of the baselines in which an autoencoder and a map learn together: DESOM and Deep Neural Maps."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from agents.baselines.deep_map import C, DeepMap
from agents.baselines.desom import Desom, temperature_at
from agents.baselines.dnm import DeepNeuralMap
from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder
from agents.som import quality as map_quality
from agents.som_training import coarse_to_fine as som_training

from ...data.dataset import Dataset
from ...runs.distributed import Place
from ..autoencoder import joint_reader
from ..network import in_chunks, one_cycle
from .gradient import BaselineTraining


class DeepMapTraining(BaselineTraining):
    """An autoencoder and a map; as in `train-ae` the latents are also trained, a little, to tell the joints."""

    weight_decay: float
    map: DeepMap

    def report(self) -> dict[str, Any]:
        """What goes into `metrics.json`; the map's errors are those on samples of the validation split."""
        som, latents = (
            self.map.mind().som,
            in_chunks(self.map.autoencoder.encode, self.validation_images, self.here.device),
        )
        samples = {"vision": latents, "proprioception": self.validation_joints}
        quality = {"quantization_error": map_quality.quantization_error(som, samples)}
        if len(self.map.neurons) > 1:
            quality["topographic_error"] = map_quality.topographic_error(som, samples)
        return {**super().report(), "map": quality, "shape": list(self.map.shape)}

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        ranges, shape = torch.from_numpy(data.joint_ranges), (self.config.rows, self.config.columns)
        self.method = self.map = self._map(ranges, shape, here.device)
        reader = joint_reader(self.map.autoencoder.latent_size, len(ranges)).to(here.device)
        return {"map": self.map, "reader": reader}, self.weight_decay

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        images, joints = self.images[batch], self.joints[batch]
        raw, pictures = self.map.see(images)
        picture_error = (pictures - images).square().mean()
        joint_error = (self.networks["reader"](raw) - joints).abs().mean()
        map_error = self._map_error(raw, joints, self._done())
        loss = picture_error + self.config.gamma * map_error + self.config.joint_weight * joint_error
        return loss, picture_error

    @abstractmethod
    def _map(self, joint_ranges: Tensor, shape: tuple[int, int], device: torch.device) -> DeepMap:
        """What is trained, as it is at the start."""

    @abstractmethod
    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        """What gamma weighs, of raw latents (B, D) and normalized joints (B, J)."""


class DesomTraining(DeepMapTraining):
    """DESOM, from nothing. The temperature falls from a quarter of the map's side."""

    weight_decay = 0.0  # it would draw the neurons to the middle of the map
    map: Desom

    def _map(self, joint_ranges: Tensor, shape: tuple[int, int], device: torch.device) -> Desom:
        autoencoder = ConvAutoencoder(self.background)
        desom = Desom(autoencoder, joint_ranges, shape).to(device)
        generator = torch.Generator().manual_seed(self.config.seed)
        desom.start(in_chunks(autoencoder.raw_latents, self.images, device), self.joints, generator)
        return desom

    def _groups(self) -> list[dict[str, Any]]:
        """Neurons are moved faster than weights are changed: they have further to go."""
        (every,) = super()._groups()
        others = [parameter for parameter in every["params"] if parameter is not self.map.neurons]
        return [{"params": others, "times": 1.0}, {"params": [self.map.neurons], "times": self.config.neuron_rate}]

    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        last = self.config.last_temperature
        return self.map.distortion(raw, joints, temperature_at(done, max(max(self.map.shape) / 4, last), last))


class DnmTraining(DeepMapTraining):
    """Deep Neural Maps, from the run's autoencoder and a map that is trained on its latents as the SOM-AE's is."""

    weight_decay = 0.01
    map: DeepNeuralMap

    def _map(self, joint_ranges: Tensor, shape: tuple[int, int], device: torch.device) -> DeepNeuralMap:
        autoencoder = ConvAutoencoder.load(self.config.run / AUTOENCODER, device)
        samples = {"vision": in_chunks(autoencoder.encode, self.images, device), "proprioception": self.joints}
        som = som_training.train(samples, shape, C, self.config.seed)
        dnm = DeepNeuralMap(autoencoder, joint_ranges, shape).to(device)
        dnm.neurons = torch.cat([som.weights(name) for name in dnm.modalities.widths], 1)
        dnm.frequencies = dnm.mean_assignment(torch.cat(list(samples.values()), 1))
        return dnm

    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        features = self.map.features(raw, joints)
        divergence = self.map.divergence(features)
        sigma = som_training.sigma_for(self.map.shape, self.count)
        self.map.adapt(features.detach(), self.config.map_rate * one_cycle(done), sigma)
        return divergence
