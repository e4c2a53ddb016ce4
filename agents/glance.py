"""`Glance`: where the arm seems to be at first sight, and how sure that is of each joint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from . import checkpoints

KIND = "glance"
_CHUNK = 500  # pictures at a time where nothing is trained
_USUAL = 3.0  # a doubt that was not learned yet is e^-3, .05 of the joint's range


class PictureReader(nn.Module):
    """Convolutions from a picture, less the empty view, to some numbers for every joint.

    Args:
        background: the picture without the arm, shape (64, 64), in [0, 1].
        joint_count: number of joints, J.
        width: channels of the finest feature maps.
    """

    kind: ClassVar[str]
    numbers: ClassVar[int]
    """For every joint."""
    background: Tensor

    def __init__(self, background: Tensor, joint_count: int = 5, width: int = 16) -> None:
        super().__init__()
        self.joint_count, self.width = joint_count, width
        self.register_buffer("background", background.to(torch.float32).clone())
        self.layers = _layers(self.numbers * joint_count, width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def read(self, images: Tensor) -> Tensor:
        """Pictures (B, 64, 64) -> (B, numbers * J)."""
        told: Tensor = self.layers((images - self.background).unsqueeze(1)).float()
        return told

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint, with this in its header."""
        sizes = {"joint_count": self.joint_count, "width": self.width}
        checkpoints.write(Path(path), self.kind, self.state_dict(), {**(header or {}), **sizes})

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Reads a checkpoint.

        Raises:
            ValueError: there is none, it is damaged, or its tensors are not those of this network.
        """
        return checkpoints.read_network(Path(path), cls.kind, cls, ("joint_count", "width"), device)


class Glance(PictureReader):
    """A quick guess at the pose in a picture; what it is unsure of is left to the imagination.

    Of a picture that shows the arm it knows every joint to a few degrees; of one that shows a fingertip it knows little, and
    says so. That is what trying poses in the head starts from and is held to (`Imagination`): many poses fit a fingertip, and
    most of them are unlikely. It learns from what was seen, and from as much again that the generator imagines (after the
    wake-sleep algorithm, Hinton et al., 1995). It is no part of the paper.

    ```python
    joints, doubts = Glance.load("runs/paper/glance.safetensors").guess(pictures)  # (B, 64, 64) -> (B, J) each
    ```
    """

    kind, numbers = KIND, 2

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Joints and the logarithms of their doubts, as they are trained: pictures (B, 64, 64) -> (B, J) each."""
        told, doubts = self.read(images).chunk(2, 1)
        return told.sigmoid(), doubts - _USUAL

    @torch.inference_mode()
    def guess(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The poses that pictures seem to show.

        Args:
            images: shape (B, 64, 64), in [0, 1], any number of them.

        Returns:
            Normalized joints, shape (B, J), in [0, 1], and the error that is to be expected of each, same shape, above 0.
        """
        self.eval()
        parts = [self(part.to(self.background.device)) for part in images.split(_CHUNK)]
        joints, doubts = (torch.cat(part) for part in zip(*parts, strict=True))
        return joints, doubts.exp()


def _layers(outputs: int, width: int) -> nn.Sequential:
    """From differences of pictures from the background, (B, 1, 64, 64), to some numbers each, (B, outputs)."""
    return nn.Sequential(
        nn.PixelUnshuffle(2),  # (B, 4, 32, 32)
        *_convolution(4, width, kernel=3, stride=1),
        *_convolution(width, 2 * width, kernel=4, stride=2),  # (B, 2 width, 16, 16)
        *_convolution(2 * width, 4 * width, kernel=4, stride=2),  # (B, 4 width, 8, 8)
        *_convolution(4 * width, 8 * width, kernel=4, stride=2),  # (B, 8 width, 4, 4)
        nn.Flatten(),
        nn.Linear(8 * width * 16, 256),
        nn.SiLU(),
        nn.Linear(256, outputs),
    )


def _convolution(channels: int, wider: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, wider, kernel, stride, padding=1), nn.BatchNorm2d(wider), nn.SiLU()
