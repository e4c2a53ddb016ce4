"""DESOM: an untrained autoencoder and a map learn together by gradient descent.

Forest, Lebbah, Azzag and Lacaille, "Deep embedded SOM: joint representation learning and self-organization", ESANN 2019, and
"Deep embedded self-organizing maps for joint representation learning and topology-preserving clustering", Neural Computing
and Applications 33, 2021. Departures: see `DeepMap`.
"""

import torch
from torch import Tensor, nn

from ..networks.autoencoder import ConvAutoencoder
from .deep_map import DeepMap

_MEMORY = 0.02  # share of a batch in the running mean and standard deviation of the latents


class Desom(DeepMap):
    """Its loss is the reconstruction error plus gamma times the distortion of the map.

    The authors' maps have 8x8 to 20x20 neurons. Every step compares each picture with each neuron and moves all neurons, so
    800x800 neurons (paper) are not feasible.

    Args:
        autoencoder: the untrained autoencoder.
        joint_ranges: lower and upper end of each joint's range, shape (J, 2), rad.
        shape: rows and columns of the map, (X, Y).
    """

    kind = "desom"

    def __init__(self, autoencoder: ConvAutoencoder, joint_ranges: Tensor, shape: tuple[int, int]) -> None:
        super().__init__(autoencoder, joint_ranges, shape)
        start = self.neurons
        del self.neurons
        self.neurons = nn.Parameter(start)

    @torch.no_grad()
    def start(self, raw_latents: Tensor, joints: Tensor, generator: torch.Generator) -> None:
        """Sets every neuron to a random training sample, as the authors do.

        Args:
            raw_latents: raw latents of all training pictures, shape (N, D).
            joints: normalized joints, shape (N, J).
            generator: random numbers on the CPU.
        """
        self.autoencoder.standardize(raw_latents)
        latents = (raw_latents - self.autoencoder.latent_mean) / self.autoencoder.latent_std
        chosen = torch.randint(len(joints), (len(self.neurons),), generator=generator).to(joints.device)
        self.neurons.copy_(torch.cat([latents, joints], 1)[chosen])

    def distortion(self, raw_latents: Tensor, joints: Tensor, temperature: float) -> Tensor:
        """Squared distances between samples and neurons, weighted by the neighborhood of each sample's winner.

        sum_k exp(-(steps from the winner to k)^2 / T^2) |z - w_k|^2, with steps along rows and columns (Manhattan);
        winners and weights have no gradient. In training, the latents are standardized over the batch, and a running mean
        and standard deviation are stored for later.

        Args:
            raw_latents: shape (B, D).
            joints: normalized joints, shape (B, J).
            temperature: T, in neurons.

        Returns:
            Mean over the samples, a scalar.
        """
        distances = self.squared_distances(torch.cat([self._standardized(raw_latents), joints], 1))
        down, across = self.steps_from(distances.argmin(1))
        neighborhood = torch.exp(-((down + across) / temperature).square()).flatten(1)  # (B, X*Y)
        return (neighborhood * distances).sum(1).mean()

    def _standardized(self, raw: Tensor) -> Tensor:
        running_mean, running_std = self.autoencoder.latent_mean, self.autoencoder.latent_std
        if not self.training or len(raw) < 2:
            return (raw - running_mean) / running_std
        mean, std = raw.mean(0), raw.std(0).clamp_min(1e-6)
        with torch.no_grad():
            running_mean.lerp_(mean, _MEMORY)
            running_std.lerp_(std, _MEMORY)
        return (raw - mean) / std


def temperature_at(done: float, first: float, last: float) -> float:
    """The temperature T after this share of the training: it falls exponentially from first to last."""
    return first * (last / first) ** done
