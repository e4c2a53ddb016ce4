"""Random numbers of the disturbed pictures, drawn on the CPU, so that they are the same on every device."""

import torch
from torch import Tensor

Random = torch.Generator


def uniform(count: int, random: Random, low: float = 0.0, high: float = 1.0, *sizes: int) -> Tensor:
    """Random numbers for each picture, (count, *sizes), by default (count, 1, 1, 1)."""
    return low + (high - low) * torch.rand((count, *(sizes or (1, 1, 1))), generator=random)
