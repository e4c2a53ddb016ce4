"""What the trainings of DESOM and Deep Neural Maps share: an autoencoder and a map that learn together."""

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
from ...runs.config import check_not_negative
from ...runs.distributed import Place
from ...runs.trained import Baseline, MapQuality
from ..autoencoder import joint_reader
from .gradient import BaselineConfig, BaselineTraining


@dataclass(frozen=True)
class DeepMapConfig(BaselineConfig):
    """What both are trained with."""

    rows: int = 100
    """Neurons per column of the map."""
    columns: int = 100
    """Neurons per row of the map."""
    gamma: float = 1e-4
    """Weight of the map's error in the loss, beside the mean squared error of the pictures."""
    joint_weight: float = 0.05
    """How much the latents are also trained to tell the joints, as in `train-ae`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self, "gamma", "joint_weight")


class DeepMapTraining(BaselineTraining):
    """An autoencoder and a map; as in `train-ae` the latents are also trained, a little, to tell the joints."""

    config: DeepMapConfig
    weight_decay: float
    map: DeepMap

    def report(self) -> Baseline:
        """What goes into `metrics.json`; the map's errors are those on samples of the validation split."""
        som, latents = (
            self.map.mind().som,
            in_chunks(self.map.autoencoder.encode, self.validation_images, self.here.device),
        )
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
        """What is trained, as it is at the start."""

    @abstractmethod
    def _map_error(self, raw: Tensor, joints: Tensor, done: float) -> Tensor:
        """What gamma weighs, of raw latents (B, D) and normalized joints (B, J)."""
