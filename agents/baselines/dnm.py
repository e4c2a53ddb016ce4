"""Deep Neural Maps: a trained autoencoder and a trained map are refined together.

Pesteie, Abolmaesumi and Rohling, "Deep neural maps", ICLR workshop 2018 (the paper's [4]). The loss moves each latent toward
its nearest neurons, as in deep embedded clustering (Xie et al., ICML 2016), and the map follows by Kohonen's rule.
Departures, in addition to those of `DeepMap`: the cluster frequencies f are a running mean over the batches, not a regular
pass over all pictures; Kohonen's step is a sum over the batch, limited to the step of a single sample.
"""

import torch
from torch import Tensor

from ..networks.autoencoder import ConvAutoencoder
from ..som_training.neighborhoods import gaussian
from .deep_map import DeepMap

_MEMORY = 0.02  # share of a batch in the running frequencies
_CHUNK = 500  # samples per forward pass outside of training


class DeepNeuralMap(DeepMap):
    """Its loss is the reconstruction error plus gamma times the divergence KL(P || Q) of assignments.

    Every step compares each picture with each neuron, so 800x800 neurons (paper) are not feasible. The divergence also falls
    when the latents spread, so their standard deviation ends above 1.

    Args:
        autoencoder: the trained autoencoder; the mean and standard deviation of its latents stay fixed.
        joint_ranges: lower and upper end of each joint's range, shape (J, 2), rad.
        shape: rows and columns of the map, (X, Y).
    """

    kind = "dnm"
    frequencies: Tensor
    """f, the running mean of Q, shape (X*Y,)."""

    def __init__(self, autoencoder: ConvAutoencoder, joint_ranges: Tensor, shape: tuple[int, int]) -> None:
        super().__init__(autoencoder, joint_ranges, shape)
        self.register_buffer("frequencies", torch.full((len(self.neurons),), 1 / len(self.neurons)))

    def features(self, raw_latents: Tensor, joints: Tensor) -> Tensor:
        """The features that are compared with neurons: standardized latents and normalized joints, (B, D + J)."""
        return torch.cat([(raw_latents - self.autoencoder.latent_mean) / self.autoencoder.latent_std, joints], 1)

    @torch.no_grad()
    def mean_assignment(self, features: Tensor) -> Tensor:
        """f of samples, (N, D + J) -> (X*Y,), the first value of its running mean."""
        parts = features.split(_CHUNK)
        return torch.stack([assignment(self.squared_distances(part)).sum(0) for part in parts]).sum(0) / len(features)

    def divergence(self, features: Tensor) -> Tensor:
        """KL(P || Q), mean over the samples; P has no gradient.

        Args:
            features: shape (B, D + J).

        Returns:
            Nats, a scalar.
        """
        assigned = assignment(self.squared_distances(features))
        with torch.no_grad():
            if self.training:
                self.frequencies.lerp_(assigned.mean(0), _MEMORY)
            wanted = target(assigned, self.frequencies)
        return (wanted * (wanted / assigned).log()).sum(1).mean()

    @torch.no_grad()
    def adapt(self, features: Tensor, rate: float, sigma: float) -> None:
        """Applies Kohonen's rule: neurons around each sample's winner move toward the sample.

        w_k += rate * sum_i h_ik (x_i - w_k) / max(1, sum_i h_ik), with a Gaussian h around the winner of sample i.

        Args:
            features: shape (B, D + J).
            rate: learning rate, from 0 to 1.
            sigma: radius of the Gaussian, in neurons.
        """
        down, across = self.steps_from(self.squared_distances(features).argmin(1))
        reached = gaussian(down.square() + across.square(), sigma).flatten(1)  # (B, X*Y)
        total = reached.sum(0)[:, None]
        step = (reached.T @ features - total * self.neurons) / total.clamp(min=1)
        self.neurons = self.neurons + rate * step  # a new tensor: the loss still needs the old one


def assignment(squared_distances: Tensor) -> Tensor:
    """Q: Student's t with one degree of freedom over the neurons, (B, K) -> (B, K), rows sum to 1."""
    near = 1 / (1 + squared_distances)
    return near / near.sum(1, keepdim=True)


def target(assigned: Tensor, frequencies: Tensor) -> Tensor:
    """P: Q^2 / f, normalized; sharper than Q, with more weight on neurons that seldom win. (B, K) and (K,) -> (B, K)."""
    sharpened = assigned.square() / frequencies
    return sharpened / sharpened.sum(1, keepdim=True)
