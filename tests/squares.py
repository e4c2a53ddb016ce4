"""Pictures that anyone can read: a dark square, and where it is."""

import torch
from torch import Tensor

BACKGROUND = torch.full((64, 64), 0.6)


def squares(count: int) -> tuple[Tensor, Tensor]:
    """Pictures of a dark square, and where it is: its row and column, scaled to [0, 1]."""
    places = torch.rand(count, 2, generator=torch.Generator().manual_seed(count))
    images = BACKGROUND.repeat(count, 1, 1)
    for image, (row, column) in zip(images, (places * 48).long().tolist(), strict=True):
        image[row : row + 16, column : column + 16] = 0.1
    return images, places
