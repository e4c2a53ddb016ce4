"""`ConvAutoencoder`: pictures to latents and back (paper, Sec. 2.3)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from infant_env.errors import UserError
from infant_env.senses.modalities import VISION, VISION_LEFT

from ..tools import checkpoints
from .moving_eye import background_at, with_directions

KIND = "autoencoder"
ARM_DIFFERS_BY = 2 / 255
"""A pixel shows the arm if it differs from the background by more than this."""

_ALSO = "also"  # entry of a file's header: the names of its further senses
_FINEST = 16  # rows and columns of the finest feature map
_PATCH = 4  # side, in pixels of a 64x64 picture, of the square that one position of this map covers


class ConvAutoencoder(nn.Module):
    """Pictures of the arm, 64x64, to latents of size 8, and back (paper: e and d in Sec. 2.3).

    The paper gives the sizes and the loss (mean squared reconstruction error), but no layers. Departures from the paper:
    The static background is subtracted before encoding and added after decoding; this halves the training time, and the
    latents describe only the arm. Latents are standardized by the training set's mean and standard deviation. The finest
    feature maps have one position per 4x4 pixels (the pixels of a patch are channels), which is fast.

    ```python
    autoencoder = ConvAutoencoder.load("runs/paper/autoencoder.safetensors")
    latents = autoencoder.encode(images)  # (B, 64, 64) -> (B, 8)
    images = autoencoder.decode(latents)  # and back
    ```

    If the eye moves, so does the background. Then encoder and decoder are told the gaze: the background at this gaze is
    subtracted and added, and the encoder knows where each pixel of the arm lies in the head.

    Args:
        background: the picture without the arm, shape (64, 64), in [0, 1]. For other formats it is (16k, 16k), or
            (3, 16k, 16k) in color; then all shapes (64, 64) below are this shape instead.
        latent_size: number of latents, D (paper: 8).
        width: channels of the finest feature maps; the coarser ones have two and four times as many.
        left: the left eye's picture without the arm, if both eyes see: one network serves both.
        directions: only if the eye moves: directions of the pixels while the gaze is straight, degrees to the left and down,
            shape (2, 64, 64). Then `background` and `left` hold views at A x B gazes, shape (A, B, 64, 64).
        turns: degrees between the ends of the gaze's ranges, shape (2,).

    Raises:
        UserError: the background has another shape, or a size is below 1.
    """

    background: Tensor
    background_left: Tensor | None
    directions: Tensor | None
    turns: Tensor | None
    latent_mean: Tensor
    latent_std: Tensor

    def __init__(
        self,
        background: Tensor,
        latent_size: int = 8,
        width: int = 32,
        left: Tensor | None = None,
        directions: Tensor | None = None,
        turns: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.picture_shape = tuple(background.shape if directions is None else background.shape[2:])
        *color, rows, columns = self.picture_shape
        if color not in ([], [3]) or rows != columns or rows % _FINEST:
            raise UserError(
                f"got a background of shape {tuple(background.shape)}, expected (64, 64); preprocess it with "
                "infant_env.to_gray"
            )
        if latent_size < 1 or width < 1:
            raise UserError(f"got latent_size={latent_size} and width={width}, expected 1 or more each")
        self.latent_size, self.width, self.told = latent_size, width, 0 if directions is None else 2
        given = {"background": background, "background_left": left, "directions": directions, "turns": turns}
        for name, values in given.items():
            self.register_buffer(name, None if values is None else values.to(torch.float32).clone())
        self.register_buffer("latent_mean", torch.zeros(latent_size))
        self.register_buffer("latent_std", torch.ones(latent_size))
        self._planes = (3 if color else 1, rows, columns)
        colors, patch = self._planes[0], rows // _FINEST
        self.further = nn.ModuleDict()
        """Autoencoders of further pictures by the name of their sense, such as `color`, with latents of their own."""
        self.encoder = picture_encoder(latent_size, width, colors + self.told, patch)
        self.decoder = picture_decoder(latent_size + self.told, width, colors, patch)
        for part in (self.encoder, self.decoder):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def eyes(self) -> tuple[str, ...]:
        """The modalities whose pictures its own network encodes: `vision`, and `vision_left` if both eyes see."""
        return (VISION,) if self.background_left is None else (VISION, VISION_LEFT)

    @property
    def senses(self) -> tuple[str, ...]:
        """All modalities whose pictures it encodes: those of `eyes` and of `further`."""
        return *self.eyes, *self.further

    def shape_of(self, sense: str) -> tuple[int, ...]:
        """The shape of one of a sense's pictures, (64, 64) or (3, 64, 64)."""
        return self._of(sense).picture_shape

    def _of(self, sense: str) -> "ConvAutoencoder":
        """The autoencoder of a sense."""
        return self.further[sense] if sense in self.further else self  # type: ignore[return-value]  # noqa: SIM401 (no `get`)

    def background_of(self, eye: str, gaze: Tensor | None = None) -> Tensor:
        """What is subtracted from an eye's pictures, shape (64, 64); of an eye that moves (B, 64, 64), or (1, 64, 64).

        Args:
            eye: `vision` or `vision_left`.
            gaze: the gazes of an eye that moves, in [0, 1], shape (B, 2); None: straight ahead.

        Raises:
            UserError: there is no such eye.
        """
        if eye not in self.eyes:
            raise UserError(f"got pictures of {eye!r}, expected one of {list(self.eyes)}")
        seen = self.background if eye == VISION or self.background_left is None else self.background_left
        return seen if self.directions is None else background_at(seen, self._gaze(gaze, 1))

    def encode(self, images: Tensor, gaze: Tensor | None = None, eye: str = VISION) -> Tensor:
        """Standardized latents of pictures.

        Args:
            images: shape (B, 64, 64), in [0, 1].
            gaze: where an eye that moves looked, in [0, 1], shape (B, 2); None: straight ahead.
            eye: the eye that sees them, `vision` or `vision_left`, or a further sense.

        Returns:
            Latents, shape (B, D); over the training set each has mean 0 and standard deviation 1.
        """
        if eye in self.further:
            return self._of(eye).encode(images, gaze)
        return (self.raw_latents(images, gaze, eye) - self.latent_mean) / self.latent_std

    def decode(self, latents: Tensor, gaze: Tensor | None = None, eye: str = VISION) -> Tensor:
        """Pictures of standardized latents.

        Args:
            latents: shape (B, D).
            gaze: where an eye that moves would look, in [0, 1], shape (B, 2); None: straight ahead.
            eye: the eye that would see them, or a further sense.

        Returns:
            Pictures, shape (B, 64, 64), in [0, 1].
        """
        if eye in self.further:
            return self._of(eye).decode(latents, gaze)
        return self.draw(latents * self.latent_std + self.latent_mean, gaze, eye).clamp(0, 1)

    def raw_latents(self, images: Tensor, gaze: Tensor | None = None, eye: str = VISION) -> Tensor:
        """The network's latents before standardization, shape (B, D)."""
        difference = (images - self.background_of(eye, gaze)).view(len(images), *self._planes)
        if self.directions is not None and self.turns is not None:
            difference = with_directions(difference, self.directions, self.turns, self._gaze(gaze, len(images)))
        latents: Tensor = self.encoder(difference)
        return latents

    def forward(self, images: Tensor, gaze: Tensor | None = None) -> Tensor:
        """The reconstruction for training, (B, 64, 64) -> (B, 64, 64); see `draw`."""
        return self.draw(self.raw_latents(images, gaze), gaze)

    def draw(self, raw_latents: Tensor, gaze: Tensor | None = None, eye: str = VISION) -> Tensor:
        """Pictures of raw latents, (B, D) -> (B, 64, 64); not clamped, so pixels out of range keep their gradients."""
        difference: Tensor = self.decoder(self.with_gaze(raw_latents, gaze))  # (B, 1, 64, 64)
        return self.background_of(eye, gaze) + difference.view(len(raw_latents), *self.picture_shape)

    def with_gaze(self, raw_latents: Tensor, gaze: Tensor | None = None) -> Tensor:
        """Raw latents and the gaze in [-1, 1], if the eye moves: (B, D) -> (B, D + 2)."""
        if not self.told:
            return raw_latents
        return torch.cat([raw_latents, 2 * self._gaze(gaze, len(raw_latents)).to(raw_latents) - 1], 1)

    def _gaze(self, gaze: Tensor | None, count: int) -> Tensor:
        return self.latent_mean.new_full((count, 2), 0.5) if gaze is None else gaze.to(self.latent_mean)

    def standardize(self, raw_latents: Tensor) -> None:
        """Sets the mean and standard deviation of `encode` and `decode` to those of raw latents, shape (N, D)."""
        self.latent_mean.copy_(raw_latents.mean(dim=0))
        self.latent_std.copy_(raw_latents.std(dim=0).clamp_min(1e-6))

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint.

        Args:
            path: the file, usually `autoencoder.safetensors`.
            header: further entries of the file's header, in JSON's types.
        """
        sizes: dict[str, Any] = {"latent_size": self.latent_size, "width": self.width}
        further = {_ALSO: list(self.further)} if self.further else {}
        checkpoints.write(Path(path), KIND, self.state_dict(), {**(header or {}), **sizes, **further})

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "ConvAutoencoder":
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
    ) -> "ConvAutoencoder":
        """The autoencoder of a file's tensors and header."""
        network = cls._like(tensors, header)
        for name in header.get(_ALSO, ()):
            network.further[name] = cls._like(checkpoints.named(f"further.{name}", tensors), header)
        return checkpoints.filled(network, tensors, device)

    @classmethod
    def _like(cls, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> "ConvAutoencoder":
        """A new network with the shapes of these tensors."""
        further = (tensors.get(name) for name in ("background_left", "directions", "turns"))
        return cls(tensors["background"], header["latent_size"], header["width"], *further)


def further_senses(path: str | Path) -> tuple[str, ...]:
    """The further senses of a saved autoencoder, such as `color`.

    Raises:
        UserError: the file is missing or damaged.
    """
    return tuple(checkpoints.read_header(Path(path), KIND).get(_ALSO, ()))


def arm_mask(images: Tensor, background: Tensor) -> Tensor:
    """Mask of the pixels that show the arm, (..., 64, 64) -> bool of the same shape."""
    return (images - background).abs() > ARM_DIFFERS_BY


def picture_encoder(outputs: int, width: int, colors: int = 1, patch: int = _PATCH) -> nn.Sequential:
    """Layers from pictures without background, (B, colors, 16 patch, 16 patch), to (B, outputs)."""
    return nn.Sequential(
        nn.PixelUnshuffle(patch),  # (B, colors * patch**2, 16, 16)
        nn.Conv2d(colors * patch**2, width, 3, padding=1),
        nn.SiLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # (B, 2 width, 8, 8)
        nn.SiLU(),
        nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),  # (B, 4 width, 4, 4)
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(4 * width * 16, 8 * width),
        nn.SiLU(),
        nn.Linear(8 * width, outputs),
    )


def picture_decoder(latent_size: int, width: int, colors: int = 1, patch: int = _PATCH) -> nn.Sequential:
    """Layers from latents, (B, D), to pictures without background, (B, colors, 16 patch, 16 patch)."""
    return nn.Sequential(
        nn.Linear(latent_size, 8 * width),
        nn.SiLU(),
        nn.Linear(8 * width, 4 * width * 16),
        nn.SiLU(),
        *upsampling(width),
        nn.Conv2d(width, colors * patch**2, 3, padding=1),
        nn.PixelShuffle(patch),  # (B, colors, 16 patch, 16 patch)
    )


def upsampling(width: int) -> tuple[nn.Module, ...]:
    """Layers from numbers, (B, 64 width), to feature maps, (B, width, 16, 16)."""
    return (
        nn.Unflatten(1, (4 * width, 4, 4)),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1),  # (B, 2 width, 8, 8)
        nn.SiLU(),
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),  # (B, width, 16, 16)
        nn.SiLU(),
    )
