"""Base of DESOM and Deep Neural Maps: an autoencoder and a map that learn together, here with two modalities."""

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
from ..som.readout import Readout
from ..som.som import MultiModalSom
from ..tools import checkpoints
from ..tools.precision import fast_precision

C = {VISION: 4.0, PROPRIOCEPTION: 1.0}
"""Influence of the modalities on a query's winner, as in the SOM-AE; queries with one modality do not depend on it."""


class DeepMap(nn.Module):
    """An autoencoder, and neurons that hold standardized latents and normalized joints.

    Both published methods use pictures only; the extension to two modalities is not theirs. They use the squared Euclidean
    distance; here the distance is the mean of the modalities' mean squared errors, the squared form of Eq. 2-3 of Jülg et al.
    Latents are standardized, because otherwise the encoder can reduce the loss by shrinking them, until only the joints
    choose the winner.

    The trained map is read like the SOM-AE (Eq. 2-3), so the maps differ only in their training.

    Args:
        autoencoder: between pictures and latents; its training continues with the map.
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
        """Raw latents (B, D) of pictures (B, 64, 64), and the pictures drawn from them, for training."""
        with fast_precision(images.device):
            raw = self.autoencoder.raw_latents(images)
            return raw.float(), self.autoencoder.draw(raw).float()

    def squared_distances(self, features: Tensor) -> Tensor:
        """Mean of the modalities' mean squared errors between samples (B, D + J) and all neurons: (B, X*Y)."""
        root = self.modalities.scales(self.modalities.widths).to(features.device).sqrt()
        samples, neurons = features * root, self.neurons * root
        norms = samples.square().sum(1, keepdim=True) + neurons.square().sum(1)
        return (norms - 2 * samples @ neurons.T).clamp_min(0)

    def steps_from(self, winners: Tensor) -> tuple[Tensor, Tensor]:
        """Distances between neurons and winners (B,) in rows, (B, X, 1), and in columns, (B, 1, Y)."""
        rows, columns = (torch.arange(size, device=winners.device) for size in self.shape)
        down = (rows - winners[:, None] // self.shape[1]).abs()
        across = (columns - winners[:, None] % self.shape[1]).abs()
        return down[:, :, None], across[:, None]

    def mind(self) -> SomAutoencoder:
        """This model as a SOM-AE."""
        weights = self.modalities.split(self.neurons.detach().view(*self.shape, -1))
        return SomAutoencoder(self.autoencoder, MultiModalSom(weights, C), self.joint_ranges)

    @torch.inference_mode()
    def predict(self, source: str, samples: Tensor, readout: Readout = "winner") -> dict[str, Tensor]:
        """Recalls all modalities from one; see `SomAutoencoder.predict`."""
        return self.mind().predict(source, samples, readout)

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint; `header` gives further entries of its header."""
        sizes = {name: getattr(self.autoencoder, name) for name in ("latent_size", "width")}
        content = {**(header or {}), **sizes, "shape": list(self.shape)}
        checkpoints.write(Path(path), self.kind, self.state_dict(), content)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Reads a checkpoint.

        Raises:
            UserError: the file is missing or damaged, or its tensors do not fit this network.
        """
        tensors, header = checkpoints.read(Path(path), cls.kind)
        with checkpoints.fitting(Path(path)):
            background = tensors["autoencoder.background"]
            autoencoder = ConvAutoencoder(background, header["latent_size"], header["width"])
            network = cls(autoencoder, tensors["joint_ranges"], tuple(header["shape"]))
        return checkpoints.fill(Path(path), network, tensors, device)
