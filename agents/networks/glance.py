"""`Glance`: where the arm seems to be at first sight, and how sure that is."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ..tools import checkpoints
from .expectation import Expectation

KIND = "glance"
_CHUNK = 500  # pictures at a time where nothing is trained
_GUESSES = 8  # of every picture
_LEAST_DOUBT = 0.005  # normalized joints: no guess is surer
_USUAL = 2.5  # a doubt that was not learned yet is e^-2.5 more
_APART = 0.7  # of logits: how the guesses differ before they have learned anything


class PictureReader(nn.Module):
    """Convolutions from a picture, less the empty view, to some numbers.

    Args:
        background: the picture without the arm, shape (64, 64), in [0, 1].
        joint_count: number of joints, J.
        width: channels of the finest feature maps.
    """

    kind: ClassVar[str]
    background: Tensor

    def __init__(self, background: Tensor, joint_count: int = 5, width: int = 16) -> None:
        super().__init__()
        self.joint_count, self.width = joint_count, width
        self.register_buffer("background", background.to(torch.float32).clone())
        self.layers = _layers(self.numbers(joint_count), width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @staticmethod
    @abstractmethod
    def numbers(joint_count: int) -> int:
        """How many numbers are read from a picture."""

    def read(self, images: Tensor) -> Tensor:
        """Pictures (B, 64, 64) -> (B, numbers)."""
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
            UserError: there is none, it is damaged, or its tensors are not those of this network.
        """
        return checkpoints.read_network(Path(path), cls.kind, cls, ("joint_count", "width"), device)


class Glance(PictureReader):
    """A few quick guesses at the pose in a picture; what they are unsure of is left to the imagination.

    Of a picture that shows the arm it knows every joint to a few degrees; of one that shows a fingertip it knows little, and
    says so; where two poses look alike it guesses both. That is what trying poses in the head starts from and is held to
    (`Imagination`): many poses fit a fingertip, and most of them are unlikely. It learns from what was seen, and from as much
    again that the generator imagines (after the wake-sleep algorithm, Hinton et al., 1995). It is no part of the paper.

    ```python
    expected = Glance.load("runs/paper/glance.safetensors").guess(pictures)  # (B, 64, 64) -> eight guesses each
    expected.likeliest  # normalized joints (B, J)
    ```
    """

    kind = KIND

    def __init__(self, background: Tensor, joint_count: int = 5, width: int = 16) -> None:
        super().__init__(background, joint_count, width)
        with torch.no_grad():
            *_, bias = self.layers.parameters()
            bias[: _GUESSES * joint_count].normal_(std=_APART)

    @staticmethod
    def numbers(joint_count: int) -> int:
        """Joints and doubts of every guess, and its share."""
        return _GUESSES * (2 * joint_count + 1)

    def forward(self, images: Tensor) -> Expectation:
        """What pictures (B, 64, 64) lead to expect, as it is trained."""
        each = _GUESSES * self.joint_count
        joints, doubts, shares = self.read(images).split([each, each, _GUESSES], 1)
        shape = len(images), _GUESSES, self.joint_count
        return Expectation(
            joints.sigmoid().view(shape), _LEAST_DOUBT + (doubts - _USUAL).exp().view(shape), shares.log_softmax(1)
        )

    @torch.inference_mode()
    def guess(self, images: Tensor) -> Expectation:
        """The poses that pictures seem to show.

        Args:
            images: shape (B, 64, 64), in [0, 1], any number of them.
        """
        self.eval()
        parts = [vars(self(part.to(self.background.device))).values() for part in images.split(_CHUNK)]
        return Expectation(*(torch.cat(values) for values in zip(*parts, strict=True)))


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
