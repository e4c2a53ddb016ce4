"""`PictureGenerator`: a network that draws what the eye would see in a pose; the imagination compares such pictures."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infant_env.errors import UserError
from infant_env.senses.vision import LUMINANCE

from ..tools import checkpoints
from .autoencoder import upsampling
from .moving_eye import MovingEye

KIND = "generator"
_SIZES = "joint_count", "width", "points", "arms"
_PATCH, _SIDE = 4, 16  # side of a patch, in pixels, and of the feature maps, in patches


class PictureGenerator(nn.Module):
    """Poses to pictures, 64x64, without a map.

    A map only recalls its neurons. This network also draws the poses between them, so a pose can follow its gradient until
    its picture fits (Sec. 3 of the paper asks for an agent that imagines; the network is not in the paper). In addition to
    transposed convolutions, it learns the positions of some points of the arm in the picture and draws spots around them.
    These points move smoothly with the joints and are learned from few poses (after Jakab et al., NeurIPS 2018).

    Of two arms it paints one layer each, from the joints of that arm alone, and how near it is; the nearer layer hides the
    other. So it need not see all pairs of poses.

    ```python
    generator = PictureGenerator.load("runs/paper/generator.safetensors")
    pictures = generator.draw(joints)  # normalized (B, J) -> (B, 64, 64) in [0, 1]
    ```

    Args:
        background: the picture without the arm, shape (64, 64), in [0, 1], or (3, 64, 64) in color; then all shapes (64, 64)
            below are this shape instead.
        joint_count: number of joints, J.
        width: channels of the finest feature maps.
        points: number of an arm's points in the picture.
        arms: number of arms, A; each has J / A joints, and those of one arm follow those of the other.
        eye: the eye, if it moves. Then a pose is followed by its gaze, in [0, 1]: shapes (B, J) below are (B, J + 2), and
            `background` is what the eye sees straight ahead.

    Raises:
        UserError: a size is below 1, or the arms cannot have as many joints each.
    """

    background: Tensor
    places: Tensor

    def __init__(
        self,
        background: Tensor,
        joint_count: int = 5,
        width: int = 32,
        points: int = 32,
        eye: MovingEye | None = None,
        arms: int = 1,
    ) -> None:
        super().__init__()
        if min(joint_count, width, points, arms) < 1:
            raise UserError(
                f"got joint_count={joint_count}, width={width}, points={points} and arms={arms}, expected 1 or more each"
            )
        if joint_count % arms:
            raise UserError(f"got joint_count={joint_count} for {arms} arms, expected as many joints for each")
        self.joint_count, self.width, self.points, self.arms = joint_count, width, points, arms
        self.register_buffer("background", background.to(torch.float32).clone())
        self.register_buffer("places", (torch.arange(_SIDE) + 0.5) / _SIDE * 2 - 1)  # centers of patches, in [-1, 1]
        self.home = nn.Parameter(torch.rand(points, 2) * 2 - 1)
        which = arms if arms > 1 else 0  # it is told which arm it paints
        inputs = 5 * (joint_count // arms + (0 if eye is None else len(eye.turns))) + which
        colors = background.shape[0] if background.ndim == 3 else 1
        self.pointer = _pointer(inputs, points)
        self.canvas = _canvas(inputs, width)
        self.painter = _painter(width + points, width, colors if arms == 1 else colors + 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.eye = eye

    def draw(self, joints: Tensor) -> Tensor:
        """Pictures of what the eye would see in poses.

        Args:
            joints: normalized joints, shape (B, J), in [0, 1].

        Returns:
            Pictures, shape (B, 64, 64), in [0, 1].
        """
        pictures: Tensor = self(joints).clamp(0, 1)
        return pictures

    def forward(self, joints: Tensor) -> Tensor:
        """The pictures for training, (B, J) -> (B, 64, 64); not clamped, so pixels out of range keep their gradients."""
        difference = self._painted(_waves(joints)) if self.arms == 1 else self._of_layers(joints)
        return self.backgrounds(joints) + difference.view(len(joints), *self.background.shape)

    def backgrounds(self, joints: Tensor) -> Tensor:
        """What the eye sees without the arm, (B, J) -> (64, 64), or of an eye that moves (B, J + 2) -> (B, 64, 64)."""
        return self.background if self.eye is None else self.eye.background(joints[:, self.joint_count :])

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint; `header` gives further entries of its header."""
        sizes = {size: getattr(self, size) for size in _SIZES if size != "arms" or self.arms > 1}
        checkpoints.write(Path(path), KIND, self.state_dict(), {**(header or {}), **sizes})

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "PictureGenerator":
        """Reads a checkpoint.

        Raises:
            UserError: the file is missing or damaged, or its tensors do not fit this network.
        """
        tensors, header = checkpoints.read(Path(path), KIND)
        with checkpoints.fitting(Path(path)):
            return cls.of_file(tensors, header, device)

    @classmethod
    def of_file(
        cls, tensors: Mapping[str, Tensor], header: Mapping[str, Any], device: str | torch.device
    ) -> "PictureGenerator":
        """The generator of a file's tensors and header."""
        sizes = {size: header[size] for size in _SIZES if size in header}  # without `arms`, it has one
        network = cls(tensors["background"], **sizes, eye=MovingEye.among(tensors))
        return checkpoints.filled(network, tensors, device)

    def _of_layers(self, joints: Tensor) -> Tensor:
        """The difference from the background that several arms make, (B, J) -> (B, C, 64, 64)."""
        count, arms = len(joints), self.arms
        own = joints[:, : self.joint_count].reshape(count * arms, -1)
        gaze = joints[:, self.joint_count :].repeat_interleave(arms, 0)
        which = torch.eye(arms, device=joints.device).repeat(count, 1)
        layers = self._painted(torch.cat([_waves(torch.cat([own, gaze], 1)), which], 1))
        layers = layers.view(count, arms, *layers.shape[1:])
        nearness = functional.pad(layers[:, :, -1], (0, 0, 0, 0, 1, 0))  # that of the background is 0
        return (nearness.softmax(1)[:, 1:, None] * layers[:, :, :-1]).sum(1)

    def _painted(self, inputs: Tensor) -> Tensor:
        """One arm's difference from the background, and how near several arms are: (B, C or C + 1, 64, 64)."""
        features = self.canvas(inputs)  # (B, width, 16, 16)
        spots = self._spots(self.pointer(inputs).float().view(len(inputs), -1, 4))
        painted: Tensor = self.painter(torch.cat([features, spots.to(features.dtype)], 1)).float()
        return painted

    def _spots(self, points: Tensor) -> Tensor:
        """Position, width and strength of each point, (B, P, 4) -> a Gaussian spot per point, (B, P, 16, 16)."""
        x, y = (self.home + points[..., :2]).unsqueeze(-1).unbind(2)  # (B, P, 1)
        width, strength = (0.5 * points[..., 2, None] - 1.2).exp(), 1 + points[..., 3, None]
        across, down = (torch.exp(-0.5 * ((self.places - at) / width) ** 2) for at in (x, y))  # (B, P, 16)
        return (strength * down)[..., None] * across[..., None, :]


def luminance(pictures: Tensor) -> Tensor:
    """The luminance of pictures in color, (B, 3, 64, 64) -> (B, 64, 64); gray ones stay as they are."""
    return pictures if pictures.ndim == 3 else torch.tensordot(pictures, pictures.new_tensor(LUMINANCE), ([1], [0]))


def _waves(joints: Tensor) -> Tensor:
    """Normalized joints with two sines and two cosines of each, (B, J) -> (B, 5 J)."""
    centered = 2 * joints - 1
    angles = 0.75 * math.pi * centered
    return torch.cat([centered, *(wave(k * angles) for k in (1, 2) for wave in (torch.sin, torch.cos))], 1)


def _pointer(inputs: int, points: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(), nn.Linear(256, 4 * points))


def _canvas(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 512),
        nn.SiLU(),
        nn.Linear(512, 512),
        nn.SiLU(),
        nn.Linear(512, 4 * width * 16),
        nn.SiLU(),
        *upsampling(width),
    )


def _painter(channels: int, width: int, planes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.SiLU(),
        nn.Conv2d(width, width, 3, padding=1),
        nn.SiLU(),
        nn.Conv2d(width, planes * _PATCH**2, 3, padding=1),
        nn.PixelShuffle(_PATCH),  # (B, planes, 64, 64)
    )
