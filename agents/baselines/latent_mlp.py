"""Supervised networks between the SOM-AE's latents and the joints: the same task without a map."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..networks.autoencoder import ConvAutoencoder
from ..tools import checkpoints

KIND = "latent_mlp"
_CHUNK = 500  # samples per forward pass outside of training


class LatentMlps:
    """Two small networks in place of the map: latents to joints, and joints to latents.

    The autoencoder is the SOM-AE's and does not change, so the difference from the SOM-AE is the map alone. Each direction
    has its own network; there is no network from joints to joints.

    Args:
        autoencoder: the trained autoencoder between pictures and standardized latents.
        joint_count: number of joints, J.
        width: units of each of the three hidden layers.
    """

    def __init__(self, autoencoder: ConvAutoencoder, joint_count: int = 5, width: int = 256) -> None:
        self.autoencoder, self.joint_count, self.width = autoencoder.eval(), joint_count, width
        sizes = autoencoder.latent_size, joint_count
        networks = {"to_joints": perceptron(*sizes, width), "to_latents": perceptron(*sizes[::-1], width)}
        self.networks = nn.ModuleDict(networks).to(autoencoder.background.device)

    def joints(self, latents: Tensor) -> Tensor:
        """Normalized joints in [0, 1], shape (B, J), for standardized latents, shape (B, D)."""
        joints: Tensor = self.networks["to_joints"](latents).sigmoid()
        return joints

    def latents(self, joints: Tensor) -> Tensor:
        """Standardized latents, shape (B, D), for normalized joints, shape (B, J)."""
        latents: Tensor = self.networks["to_latents"](2 * joints - 1)
        return latents

    def loss(self, latents: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, mean absolute error of the joints plus mean squared error of the latents; and the latter alone.

        Args:
            latents: standardized latents, shape (B, D).
            joints: normalized joints, shape (B, J).
        """
        latent_error = F.mse_loss(self.latents(joints), latents)
        return F.l1_loss(self.joints(latents), joints) + latent_error, latent_error

    @torch.inference_mode()
    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Predicts other modalities from one.

        Args:
            source: the known modality, `vision` or `proprioception`.
            samples: pictures (B, 64, 64) or normalized joints (B, J).

        Returns:
            `vision` (B, 64, 64), and for pictures also `proprioception` (B, J).
        """
        parts = samples.to(self.autoencoder.background.device).split(_CHUNK)
        if source == PROPRIOCEPTION:
            return {VISION: torch.cat([self.autoencoder.decode(self.latents(part)) for part in parts])}
        latents = torch.cat([self.autoencoder.encode(part) for part in parts])
        pictures = torch.cat([self.autoencoder.decode(part) for part in latents.split(_CHUNK)])
        return {VISION: pictures, PROPRIOCEPTION: self.joints(latents)}

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint of the two networks; `header` gives further entries of its header."""
        sizes = {"joint_count": self.joint_count, "width": self.width}
        checkpoints.write(Path(path), KIND, self.networks.state_dict(), {**(header or {}), **sizes})

    @classmethod
    def load(cls, path: str | Path, autoencoder: ConvAutoencoder) -> "LatentMlps":
        """Reads a checkpoint to the autoencoder's device.

        Raises:
            UserError: the file is missing or damaged, or its tensors do not fit these networks.
        """
        tensors, header = checkpoints.read(Path(path), KIND)
        with checkpoints.fitting(Path(path)):
            mlps = cls(autoencoder, header["joint_count"], header["width"])
        checkpoints.fill(Path(path), mlps.networks, tensors, autoencoder.background.device)
        return mlps


def perceptron(inputs: int, outputs: int, width: int) -> nn.Sequential:
    """Three hidden layers, (B, inputs) -> (B, outputs)."""
    hidden = [nn.Linear(inputs, width), nn.SiLU()]
    for _ in range(2):
        hidden += [nn.Linear(width, width), nn.SiLU()]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))
