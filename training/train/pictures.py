"""What the trainings of networks on pictures and poses have in common."""

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.networks.autoencoder import arm_mask
from agents.networks.moving_eye import MovingEye

from ..data.dataset import Dataset
from ..data.files.index import PicturesOnDisk
from ..data.latents import Samples, Streamed, samples_on
from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from .network import NetworkTraining

VIEWS = 31, 21
"""Gazes across and down at which a moving eye's background is drawn: every 2 degrees, less than two pixels."""
VALIDATED = 20_000
"""Most validation samples of a data set that exceeds the memory."""


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
        self.validation_images, self.validation_joints = validation_of(data, here.device)
        self.config = config
        torch.manual_seed(config.seed)
        networks, weight_decay = self._make(data, here)
        super().__init__(config, networks, weight_decay, len(self.images), here)

    def _expect(self, batch: Tensor) -> None:
        if isinstance(self.images, Streamed):
            self.images.expect(batch[self.here.share(len(batch))])

    def _matrix_layers(self) -> list[nn.Module]:
        layers = (layer for network in self.networks.values() for layer in network.modules())
        return [layer for layer in layers if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]

    @abstractmethod
    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        """Makes the networks; returns them by name, the one that is kept first, and the weight decay."""


def moving_eye(data: Dataset) -> MovingEye | None:
    """The eye of a data set, with its views in the data set's format; None if it is held."""
    if data.body.gaze == "held":
        return None
    turns = torch.from_numpy(np.rad2deg(np.ptp(data.arm.gaze.ranges, axis=1)).astype(np.float32))
    return MovingEye(torch.from_numpy(data.views(*VIEWS)), torch.from_numpy(data.pixel_directions), turns)


def arms_of(data: Dataset) -> int:
    """Number of arms whose joints a data set holds."""
    return 2 if data.body.arms == "both" else 1


def gazes_of(data: Dataset, rows: NDArray[np.int64], device: str | torch.device = "cpu") -> Tensor:
    """The felt gazes of some samples, in [0, 1], (n, 2); (n, 0) of an eye that is held."""
    return torch.from_numpy(data.normalized_felt_gaze[rows]).to(device)


def samples_of(data: Dataset, split: str, device: str | torch.device = "cpu") -> tuple[Samples, Tensor]:
    """Pictures (N, *format.shape) and normalized joints, as they are felt, (N, J), of a split.

    Raises:
        UserError: the split is empty.
    """
    rows = data.split(split)
    return samples_on(data.pictures, rows, device), torch.from_numpy(data.normalized_felt_joints[rows]).to(device)


def validation_of(data: Dataset, device: str | torch.device = "cpu") -> tuple[Tensor, Tensor]:
    """As `samples_of`, of the samples that validate a training."""
    rows = validation_rows(data)
    images, joints = (torch.from_numpy(each[rows]) for each in (data.pictures, data.normalized_felt_joints))
    return images.to(device), joints.to(device)


def validation_rows(data: Dataset) -> NDArray[np.int64]:
    """The validation split; if the data set exceeds the memory, its first 20,000 samples."""
    rows = data.split("validation")
    return rows[:VALIDATED] if isinstance(data.pictures, PicturesOnDisk) else rows


def picture_errors(pictures: Tensor, images: Tensor, background: Tensor) -> dict[str, float]:
    """Errors of drawn pictures, against the true ones (N, *format.shape): squared, and absolute within [0, 1]."""
    errors = (pictures.clamp(0, 1) - images).abs()
    return {
        "validation_mse": float((pictures - images).square().mean()),
        "mae": float(errors.mean()),
        "arm_mae": float(errors[arm_mask(images, background)].mean()),
    }
