"""`Glance`: a network that guesses the pose in a picture, says how sure it is, and tells the arm from what is not the arm."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ..tools import checkpoints
from .arm_colors import ArmColors
from .expectation import Expectation
from .moving_eye import MovingEye
from .segments import Segmenter, Segments

KIND = "glance"
_CHUNK = 500  # pictures per forward pass outside of training
_GUESSES = 8  # per picture
_LEAST_DOUBT = 0.005  # normalized joints
_FIRST_DOUBT = 2.5  # before training, doubts exceed the least one by about e^-2.5
_FIRST_DEVIATION = 0.7  # standard deviation of the guesses' logits before training
_BLOCKS = 0, 4, 7, 10, 13  # the first layer of each size of features, and of the numbers


class PictureReader(nn.Module):
    """Convolutions from a picture's difference from the background to a vector of numbers.

    Args:
        background: the picture without the arm, shape (64, 64), in [0, 1], or (3, 64, 64) in color; then all shapes (64, 64)
            below are this shape instead.
        joint_count: number of joints, J.
        width: channels of the finest feature maps.
        views: with 2, the network also reads the picture itself: in another room, the difference says little.
        eye: the eye, if it moves. Then the network is told the gaze, in [0, 1], and `background` is what the eye sees straight
            ahead.
        arms: number of arms; each has as many of the joints.
    """

    kind: ClassVar[str]
    background: Tensor

    def __init__(
        self,
        background: Tensor,
        joint_count: int = 5,
        width: int = 16,
        views: int = 1,
        eye: MovingEye | None = None,
        arms: int = 1,
    ) -> None:
        super().__init__()
        self.joint_count, self.width, self.views, self.arms = joint_count, width, views, arms
        self.register_buffer("background", background.to(torch.float32).clone())
        self._planes = (background.shape[0] if background.ndim == 3 else 1, *background.shape[-2:])
        told = 0 if eye is None else len(eye.directions)
        self.layers = _layers(views * self._planes[0] + told, self.numbers(joint_count, arms), width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.eye = eye

    @staticmethod
    @abstractmethod
    def numbers(joint_count: int, arms: int) -> int:
        """Number of outputs per picture."""

    def read(self, images: Tensor, gaze: Tensor | None = None) -> Tensor:
        """Pictures (B, 64, 64), and the gazes (B, 2) of an eye that moves (None: straight ahead) -> (B, numbers)."""
        return self._numbers_of(self._features(images, gaze)[-1])

    @abstractmethod
    def predict(self, images: Tensor, gaze: Tensor | None = None) -> Tensor:
        """The poses in any number of pictures.

        Args:
            images: shape (B, 64, 64), in [0, 1].
            gaze: where an eye that moves looked, in [0, 1], shape (B, 2); None: straight ahead.

        Returns:
            Normalized joints, shape (B, J), in [0, 1].
        """

    def _in_chunks(self, images: Tensor, gaze: Tensor | None) -> Iterator[list[Tensor]]:
        """Pictures (B, 64, 64), and their gazes (B, 2) if there are any, some at a time and on the network's device."""
        given = [images] if gaze is None else [images, gaze]
        for parts in zip(*(each.split(_CHUNK) for each in given), strict=True):
            yield [part.to(self.background.device) for part in parts]

    def _features(self, images: Tensor, gaze: Tensor | None) -> list[Tensor]:
        """The features of each size, the finest first: (B, width, 32, 32), (B, 2 width, 16, 16) and so on."""
        last = self._shown(images, gaze)
        features = []
        for start, end in pairwise(_BLOCKS):
            last = self.layers[start:end](last)
            features.append(last)
        return features

    def _shown(self, images: Tensor, gaze: Tensor | None) -> Tensor:
        """What the layers see of pictures, (B, channels, 64, 64)."""
        planes = -1, *self._planes
        if self.eye is None:
            difference = (images - self.background).view(planes)
        else:
            looked = images.new_full((len(images), len(self.eye.turns)), 0.5) if gaze is None else gaze
            difference = (images - self.eye.background(looked)).view(planes)
            difference = self.eye.with_directions(difference, looked)
        return torch.cat([difference, (images - 0.5).view(planes)][: self.views], 1)

    def _numbers_of(self, coarsest: Tensor) -> Tensor:
        outputs: Tensor = self.layers[_BLOCKS[-1] :](coarsest).float()
        return outputs

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint; `header` gives further entries of its header."""
        checkpoints.write(Path(path), self.kind, self.state_dict(), {**(header or {}), **self._sizes()})

    def _sizes(self) -> dict[str, Any]:
        """What a network of this shape is made from, besides its background."""
        return {"joint_count": self.joint_count, "width": self.width, "views": self.views}

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Reads a checkpoint.

        Raises:
            UserError: the file is missing or damaged, or its tensors do not fit this network.
        """
        tensors, header = checkpoints.read(Path(path), cls.kind)
        with checkpoints.fitting(Path(path)):
            return cls.of_file(tensors, header, device)

    @classmethod
    def of_file(cls, tensors: Mapping[str, Tensor], header: Mapping[str, Any], device: str | torch.device) -> Self:
        """The network of a file's tensors and header."""
        network = cls(tensors["background"], **cls._sizes_in(header), **cls._parts_in(tensors))
        return checkpoints.filled(network, tensors, device)

    @classmethod
    def _parts_in(cls, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        """What else a network is made from, among its tensors."""
        return {"eye": MovingEye.among(tensors)}

    @classmethod
    def _sizes_in(cls, header: Mapping[str, Any]) -> dict[str, Any]:
        """The sizes in a checkpoint's header; version 0.1 knew one view."""
        return {"joint_count": header["joint_count"], "width": header["width"], "views": header.get("views", 1)}


class Glance(PictureReader):
    """A few quick guesses at the pose in a picture; the `Imagination` refines them.

    If the picture shows the arm, the guesses are right to a few degrees in every joint. If it shows only a fingertip, their
    doubts are large. If two poses look alike, it guesses both. The imagination starts from these guesses and prefers poses
    near them: many poses fit a fingertip, and most of them are unlikely. The network learns from seen pictures and from as
    many pictures of the generator (after the wake-sleep algorithm, Hinton et al., 1995). From its features, it also tells the
    arm from the room and from new things. It is not part of the paper.

    ```python
    expected = Glance.load("runs/paper/glance.safetensors").guess(pictures)  # (B, 64, 64) -> eight guesses each
    expected.likeliest  # normalized joints (B, J)
    ```

    Args:
        background, joint_count, width, views, eye, arms: see `PictureReader`. It guesses at each arm by itself.
        segments: whether it tells the arm from the room and from new things; before version 0.2, it did not.
        colors: the colors of the arm, for the agent; None: not known.
    """

    kind = KIND

    def __init__(
        self,
        background: Tensor,
        joint_count: int = 5,
        width: int = 16,
        views: int = 2,
        segments: bool = True,
        eye: MovingEye | None = None,
        arms: int = 1,
        colors: ArmColors | None = None,
    ) -> None:
        super().__init__(background, joint_count, width, views, eye, arms)
        with torch.no_grad():
            *_, bias = self.layers.parameters()
            bias[: _GUESSES * joint_count].normal_(std=_FIRST_DEVIATION)
        self.segmenter = Segmenter([width * 2**size for size in range(len(_BLOCKS) - 1)]) if segments else None
        self.colors = colors

    @staticmethod
    def numbers(joint_count: int, arms: int) -> int:
        """Joints, doubts and shares of every guess."""
        return _GUESSES * (2 * joint_count + arms)

    def forward(self, images: Tensor, gaze: Tensor | None = None) -> Expectation:
        """The expectation for pictures (B, 64, 64), and the gazes (B, 2) of an eye that moves, for training."""
        return self._expectation(self._features(images, gaze)[-1])

    def with_segments(
        self, images: Tensor, segmented: slice, gaze: Tensor | None = None
    ) -> tuple[Expectation, Segments]:
        """The expectation for pictures (B, 64, 64), and the segments of some of them, for training."""
        features = self._features(images, gaze)
        for each in features:  # slices have slopes in another memory layout, in which batch normalization is slow
            each.register_hook(partial(torch.Tensor.contiguous, memory_format=torch.channels_last))
        assert self.segmenter is not None
        return self._expectation(features[-1]), self.segmenter([each[segmented] for each in features])

    def _expectation(self, coarsest: Tensor) -> Expectation:
        each = _GUESSES * self.joint_count
        joints, doubts, shares = self._numbers_of(coarsest).split([each, each, _GUESSES * self.arms], 1)
        shape = len(coarsest), self.arms, _GUESSES
        return Expectation(
            joints.sigmoid().view(*shape, -1),
            _LEAST_DOUBT + (doubts - _FIRST_DOUBT).exp().view(*shape, -1),
            shares.view(shape).log_softmax(2),
        )

    @torch.inference_mode()
    def guess(self, images: Tensor, gaze: Tensor | None = None) -> Expectation:
        """Guesses at the poses in any number of pictures.

        Args:
            images: shape (B, 64, 64), in [0, 1].
            gaze: where an eye that moves looked, in [0, 1], shape (B, 2); None: straight ahead.
        """
        self.eval()
        parts = [vars(self(*part)).values() for part in self._in_chunks(images, gaze)]
        return Expectation(*(torch.cat(values) for values in zip(*parts, strict=True)))

    def predict(self, images: Tensor, gaze: Tensor | None = None) -> Tensor:
        """The likeliest poses in pictures (B, 64, 64), seen at gazes (B, 2) in [0, 1]: normalized joints, (B, J)."""
        return self.guess(images, gaze).likeliest

    @torch.inference_mode()
    def segments(self, images: Tensor, gaze: Tensor | None = None) -> Segments | None:
        """What the pixels of pictures (B, 64, 64) show, with the gazes (B, 2) of an eye that moves; None if it cannot tell."""
        if self.segmenter is None:
            return None
        self.eval()
        segments: Segments = self.segmenter(self._features(images.to(self.background.device), gaze))
        return segments

    def _sizes(self) -> dict[str, Any]:
        return {**super()._sizes(), "segments": self.segmenter is not None, "arms": self.arms}

    @classmethod
    def _sizes_in(cls, header: Mapping[str, Any]) -> dict[str, Any]:
        told = {"segments": header.get("segments", False), "arms": header.get("arms", 1)}
        return {**super()._sizes_in(header), **told}

    @classmethod
    def _parts_in(cls, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        return {**super()._parts_in(tensors), "colors": ArmColors.among(tensors)}


def _layers(channels: int, outputs: int, width: int) -> nn.Sequential:
    """Layers from pictures with C channels, (B, C, 64, 64), to (B, outputs)."""
    return nn.Sequential(
        nn.PixelUnshuffle(2),  # (B, 4 C, 32, 32)
        *_convolution(4 * channels, width, kernel=3, stride=1),
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
