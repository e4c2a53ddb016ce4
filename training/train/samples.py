"""What the networks are trained on, as tensors."""

import torch
from torch import Tensor

from ..data.dataset import Dataset


def samples_of(data: Dataset, split: str, device: str | torch.device = "cpu") -> tuple[Tensor, Tensor]:
    """Pictures (N, 64, 64) and normalized joints (N, J) of a split."""
    rows = data.split(split)
    images, joints = (torch.from_numpy(values[rows]).to(device) for values in (data.pictures, data.normalized_joints))
    return images, joints
