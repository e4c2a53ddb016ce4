"""What DESOM and Deep Neural Maps share: an autoencoder and a map that go on learning together, here with two modalities."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..mind.som_autoencoder import SomAutoencoder
from ..networks.autoencoder import ConvAutoencoder
from ..som.modalities import Modalities
from ..som.som import MultiModalSom, Readout
from ..tools import checkpoints

C = {VISION: 4.0, PROPRIOCEPTION: 1.0}
"""Influence of the modalities on a query's winner, as in the SOM-AE; a query by one of them does not depend on it."""


class DeepMap(nn.Module):
    """An autoencoder, and neurons that hold standardised latents and normalized joints side by side.

    The extension to two modalities is this code's: both methods know pictures only. Where theirs have the squared Euclidean
    distance, here each modality's mean squared error counts alike, the squared form of Eq. 2-3 of Jülg et al. Latents are
    standardised, else a map is pleased most easily by an encoder that shrinks them until the joints alone choose the winner.

    Once trained it is read like the SOM-AE (Eq. 2-3), so that the maps differ in how they were learned and in nothing else.

    Args:
        autoencoder: between pictures and latents; trained on with the map.
        joint_ranges: lower and upper end of each joint's range, shape (J, 2), rad.
        shape: rows and columns of the map, (X, Y).

    Raises:
        UserError: the map has no neurons.
    """

    kind: ClassVar[str]
    joint_ranges: Tensor
    neurons: Tensor
    """Shape (X*Y, D + J); neuron (x, y) is row x * Y + y."""

    def __init__(self, autoencoder: ConvAutoencoder, joint_ranges: Tensor, shape: tuple[int, int]) -> None:
        super().__init__()
        if min(shape) < 1:
            raise UserError(f"got a map of {shape[0]}x{shape[1]} neurons, expected 1x1 or more")
        self.autoencoder, self.shape = autoencoder, shape
        self.register_buffer("joint_ranges", joint_ranges.to(torch.float32).clone())
        self.modalities = Modalities.of({VISION: autoencoder.latent_size, PROPRIOCEPTION: len(joint_ranges)})
        self.register_buffer("neurons", torch.zeros(shape[0] * shape[1], self.modalities.width))

    def see(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Raw latents (B, D) of pictures (B, 64, 64), and the pictures drawn from them, as they are trained."""
        with torch.autocast(images.device.type, torch.bfloat16):
            raw = self.autoencoder.raw_latents(images)
            return raw.float(), self.autoencoder.draw(raw).float()

    def squared_distances(self, features: Tensor) -> Tensor:
        """Mean over the modalities of the mean squared error, from samples (B, D + J) to all neurons: (B, X*Y)."""
        root = self.modalities.scales(self.modalities.widths).to(features.device).sqrt()
        samples, neurons = features * root, self.neurons * root
        norms = samples.square().sum(1, keepdim=True) + neurons.square().sum(1)
        return (norms - 2 * samples @ neurons.T).clamp_min(0)

    def steps_from(self, winners: Tensor) -> tuple[Tensor, Tensor]:
        """How many rows and columns the neurons are away from winners (B,): shapes (B, X, 1) and (B, 1, Y)."""
        rows, columns = (torch.arange(size, device=winners.device) for size in self.shape)
        down = (rows - winners[:, None] // self.shape[1]).abs()
        across = (columns - winners[:, None] % self.shape[1]).abs()
        return down[:, :, None], across[:, None]

    def mind(self) -> SomAutoencoder:
        """The same as a SOM-AE, with all that one can do with it."""
        weights = self.modalities.split(self.neurons.detach().view(*self.shape, -1))
        return SomAutoencoder(self.autoencoder, MultiModalSom(weights, C), self.joint_ranges)

    @torch.inference_mode()
    def predict(self, source: str, samples: Tensor, readout: Readout = "winner") -> dict[str, Tensor]:
        """From one modality to all; see `SomAutoencoder.predict`."""
        return self.mind().predict(source, samples, readout)

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint, with this in its header."""
        sizes = {name: getattr(self.autoencoder, name) for name in ("latent_size", "width")}
        content = {**(header or {}), **sizes, "shape": list(self.shape)}
        checkpoints.write(Path(path), self.kind, self.state_dict(), content)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Reads a checkpoint.

        Raises:
            UserError: there is none, it is damaged, or its tensors are not those of this network.
        """
        tensors, header = checkpoints.read(Path(path), cls.kind)
        background = tensors["autoencoder.background"]
        autoencoder = ConvAutoencoder(background, header["latent_size"], header["width"])
        network = cls(autoencoder, tensors["joint_ranges"], tuple(header["shape"]))
        return checkpoints.fill(Path(path), network, tensors, device)
