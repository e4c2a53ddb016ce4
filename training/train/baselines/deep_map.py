"""The common part of DESOM and Deep Neural Maps: an autoencoder and a map that learn together."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from msgspec.structs import replace
from torch import Tensor, nn

from agents.baselines.deep_map import DeepMap
from agents.som import quality as map_quality
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...data.latents import in_chunks
from ...runs.config import NotNegative, Side
from ...runs.distributed import Place
from ...runs.trained import Baseline, MapQuality
from ..autoencoder import joint_reader
from .gradient import BaselineConfig, BaselineTraining


@dataclass(frozen=True)
class DeepMapConfig(BaselineConfig):
    """The common settings of both."""

    rows: Side = 100
    """Neurons per column of the map."""
    columns: Side = 100
    """Neurons per row of the map."""
    gamma: NotNegative = 1e-4
    """Weight of the map's error in the loss; the mean squared error of the pictures has weight 1."""
    joint_weight: NotNegative = 0.05
    """Weight of the error of the joints that are read from the latents, as in `train-ae`."""


class DeepMapTraining(BaselineTraining):
    """A training of an autoencoder and a map; as in `train-ae`, the loss contains joints that are read from the latents."""

    config: DeepMapConfig
    weight_decay: float
    map: DeepMap

    def report(self) -> Baseline:
        """The report for `metrics.json`; the map's errors are on samples of the validation split."""
        som = self.map.mind().som
        latents = in_chunks(self.map.autoencoder.encode, self.validation_images, self.here.device)
        samples = {VISION: latents, PROPRIOCEPTION: self.validation_joints}
        quality = MapQuality(
            map_quality.quantization_error(som, samples),
            map_quality.topographic_error(som, samples) if len(self.map.neurons) > 1 else None,
        )
        return replace(super().report(), map=quality, shape=list(self.map.shape))

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
        """Makes the model at the start of the training."""

    @abstractmethod
    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        """The error that gamma weighs, from raw latents (B, D), normalized joints (B, J) and the share of the training done."""
