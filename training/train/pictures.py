"""What the trainings of networks on pictures and poses have in common."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from agents.networks.autoencoder import arm_mask

from ..data.dataset import Dataset
from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from .network import NetworkTraining


class PictureTraining(NetworkTraining):
    """A training on the pictures and normalized joints of a data set; Muon trains the convolutions.

    Args:
        config: the command's config.
        data: the data set, in the format that the network sees.
        here: this process's place among those that train together.
    """

    measure, criterion = "mse", "validation_mse"
    status = "validation MSE {validation_mse:.5f}, arm MAE {arm_mae:.3f}"

    def __init__(self, config: NetworkConfig, data: Dataset, here: Place) -> None:
        self.images, self.joints = samples_of(data, "train", here.device)
        self.validation_images, self.validation_joints = samples_of(data, "validation", here.device)
        self.config = config
        torch.manual_seed(config.seed)
        networks, weight_decay = self._make(data, here)
        super().__init__(config, networks, weight_decay, len(self.images), here)

    def _matrix_layers(self) -> list[nn.Module]:
        layers = (layer for network in self.networks.values() for layer in network.modules())
        return [layer for layer in layers if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]

    @abstractmethod
    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        """Makes the networks; returns them by name, the one that is kept first, and the weight decay."""


def samples_of(data: Dataset, split: str, device: str | torch.device = "cpu") -> tuple[Tensor, Tensor]:
    """Pictures (N, *format.shape) and normalized joints, as they are felt, (N, J), of a split.

    Raises:
        UserError: the split is empty.
    """
    rows = data.split(split)
    images, joints = (
        torch.from_numpy(values[rows]).to(device) for values in (data.pictures, data.normalized_felt_joints)
    )
    return images, joints


def picture_errors(pictures: Tensor, images: Tensor, background: Tensor) -> dict[str, float]:
    """Errors of drawn pictures, against the true ones (N, *format.shape): squared, and absolute within [0, 1]."""
    errors = (pictures.clamp(0, 1) - images).abs()
    return {
        "validation_mse": float((pictures - images).square().mean()),
        "mae": float(errors.mean()),
        "arm_mae": float(errors[arm_mask(images, background)].mean()),
    }
