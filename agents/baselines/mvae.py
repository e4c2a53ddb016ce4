"""MVAE: a variational autoencoder with one Gaussian latent space for both modalities, and a product of experts as posterior.

Wu and Goodman, "Multimodal generative models for scalable weakly-supervised learning", NeurIPS 2018. Departures:

- Pictures have a Gaussian likelihood and joints a Laplacian one. Each has the variance that fits the batch best (Rybkin et al.,
  "Simple and effective VAE training with calibrated decoders", ICML 2021), so no weights need tuning.
- The joints' likelihood is scaled to as many dimensions as a picture has (Shi et al., "Variational mixture-of-experts
  autoencoders", NeurIPS 2019); otherwise 4096 pixels would outweigh five joints.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..networks.autoencoder import picture_decoder, picture_encoder
from ..tools import checkpoints
from ..tools.precision import fast_precision
from .latent_mlp import perceptron

KIND = "mvae"
SUBSETS = ((VISION,), (PROPRIOCEPTION,), (VISION, PROPRIOCEPTION))
"""Sets of known modalities in the loss: all subsets of the two modalities, so no sampling of subsets is needed."""
Gaussian = tuple[Tensor, Tensor]
"""Mean and log-variance, shape (B, D) each."""
_CHUNK = 500  # samples per forward pass outside of training
_FLOOR = 1e-4  # added to errors before their logarithm
_LARGEST_LOG_VARIANCE = 12.0  # log-variances are clipped to plus and minus this


class MultiModalVae(nn.Module):
    """Recalls pictures and joints from one or both; encoder and decoder have the size of the SOM-AE's.

    Args:
        background: the picture without the arm, shape (64, 64), in [0, 1].
        latent_size: dimensions of the latent space, D (the paper's autoencoder: 8).
        joint_count: number of joints, J.
        width: channels of the finest feature maps.
    """

    background: Tensor

    def __init__(self, background: Tensor, latent_size: int = 8, joint_count: int = 5, width: int = 32) -> None:
        super().__init__()
        self.latent_size, self.joint_count, self.width = latent_size, joint_count, width
        self.register_buffer("background", background.to(torch.float32).clone())
        self.encoders = nn.ModuleDict(
            {
                VISION: picture_encoder(2 * latent_size, width),
                PROPRIOCEPTION: perceptron(joint_count, 2 * latent_size, 8 * width),
            }
        )
        self.decoders = nn.ModuleDict(
            {
                VISION: picture_decoder(latent_size, width),
                PROPRIOCEPTION: perceptron(latent_size, joint_count, 8 * width),
            }
        )

    def expert(self, modality: str, samples: Tensor) -> Gaussian:
        """The Gaussian over latents from one modality: pictures (B, 64, 64) or normalized joints (B, J)."""
        known = (samples - self.background).unsqueeze(1) if modality == VISION else 2 * samples - 1
        mean, log_variance = self.encoders[modality](known).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-_LARGEST_LOG_VARIANCE, _LARGEST_LOG_VARIANCE)

    def decode(self, latents: Tensor) -> dict[str, Tensor]:
        """Pictures (B, 64, 64), not clamped, and normalized joints (B, J) from latents (B, D)."""
        difference = self.decoders[VISION](latents).float().squeeze(1)
        return {
            VISION: self.background + difference,
            PROPRIOCEPTION: self.decoders[PROPRIOCEPTION](latents).float().sigmoid(),
        }

    def loss(self, samples: Mapping[str, Tensor], noise: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
        """The negative evidence lower bound per pixel, summed over all subsets of known modalities.

        Args:
            samples: `vision` (B, 64, 64) and `proprioception` (B, J).
            noise: standard normal numbers, shape (3, B, D), one set per subset in `SUBSETS`.
            beta: weight of the divergence from the prior; 1 gives the bound itself.

        Returns:
            The loss, and the pictures' mean squared error over all subsets.
        """
        with fast_precision(noise.device):
            experts = {name: self.expert(name, rows) for name, rows in samples.items()}
        posteriors = [product_of_experts(experts[name] for name in subset) for subset in SUBSETS]
        latents = torch.cat([mean + (v / 2).exp() * e for (mean, v), e in zip(posteriors, noise, strict=True)])
        with fast_precision(noise.device):
            decoded = {name: rows.chunk(len(SUBSETS)) for name, rows in self.decode(latents).items()}
        squared = torch.stack([(p - samples[VISION]).square().mean() for p in decoded[VISION]])  # (3,)
        absolute = torch.stack([(p - samples[PROPRIOCEPTION]).abs().mean() for p in decoded[PROPRIOCEPTION]])
        divergence = torch.stack([divergence_from_prior(posterior) for posterior in posteriors])
        nats = (squared + _FLOOR).log() / 2 + (absolute + _FLOOR).log() + beta * divergence / self.background.numel()
        return nats.sum(), squared.mean()

    @torch.inference_mode()
    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Recalls all modalities from one, with the mean of the posterior.

        Args:
            source: the known modality, `vision` or `proprioception`.
            samples: pictures (B, 64, 64) or normalized joints (B, J).

        Returns:
            `vision` (B, 64, 64) and `proprioception` (B, J).
        """
        return self.recall({source: samples})

    @torch.inference_mode()
    def recall(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Recalls all modalities from any subset of them; see `predict`."""
        recalled: dict[str, list[Tensor]] = {VISION: [], PROPRIOCEPTION: []}
        known = {name: rows.to(self.background.device).split(_CHUNK) for name, rows in samples.items()}
        for parts in zip(*known.values(), strict=True):
            experts = (self.expert(name, part) for name, part in zip(known, parts, strict=True))
            for name, rows in self.decode(product_of_experts(experts)[0]).items():
                recalled[name].append(rows.clamp(0, 1))
        return {name: torch.cat(rows) for name, rows in recalled.items()}

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint; `header` gives further entries of its header."""
        sizes = {"latent_size": self.latent_size, "joint_count": self.joint_count, "width": self.width}
        checkpoints.write(Path(path), KIND, self.state_dict(), {**(header or {}), **sizes})

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "MultiModalVae":
        """Reads a checkpoint.

        Raises:
            UserError: the file is missing or damaged, or its tensors do not fit this network.
        """
        return checkpoints.read_network(Path(path), KIND, cls, ("latent_size", "joint_count", "width"), device)


def product_of_experts(experts: Iterable[Gaussian]) -> Gaussian:
    """The normalized product of the experts and the standard normal prior (Wu and Goodman, Sec. 2.2).

    Precisions add up, and they weight the means; the prior has mean 0 and precision 1.
    """
    means, log_variances = (torch.stack(part) for part in zip(*experts, strict=True))  # (M, B, D)
    precisions = (-log_variances).exp()
    total = 1 + precisions.sum(0)
    return (precisions * means).sum(0) / total, -total.log()


def divergence_from_prior(posterior: Gaussian) -> Tensor:
    """Kullback-Leibler divergence of Gaussians (B, D) from the standard normal distribution, nats, mean over B."""
    mean, log_variance = posterior
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
