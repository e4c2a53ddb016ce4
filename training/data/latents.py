"""The latents of a data set's pictures, computed once per autoencoder and cached in the run's folder."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder
from agents.tools import checkpoints
from infant_env.senses import vision

from ..runs.device import threads
from .dataset import Dataset

LATENTS = "latents.safetensors"
"""In a run's folder; derived, may be deleted."""
CHUNK = 500
"""Samples at a time where nothing is trained."""


def load_latents(run: Path, data: Dataset, device: torch.device | None = None) -> Tensor:
    """The latents of all pictures of a data set, in its order.

    Args:
        run: the run's folder; holds the trained autoencoder.
        data: the data set.
        device: where to compute them when they are not cached.

    Returns:
        Standardised latents, shape (N, D), float32, on the CPU.

    Raises:
        UserError: there is no autoencoder, or it is damaged.
    """
    cached, content = run / LATENTS, checkpoints.content_hash(run / AUTOENCODER)
    key = {"autoencoder": content, "dataset": data.fingerprint}
    try:
        if key.items() <= checkpoints.read_header(cached, "latents").items():
            return checkpoints.read(cached, "latents")[0]["latents"].clone()  # no view of a file that may change
    except ValueError:
        pass  # absent or damaged: derived anew below
    model = ConvAutoencoder.load(run / AUTOENCODER, device or "cpu")
    pictures = data.squeezed_to(format_of(model)).pictures
    # one thread: with another number the last digits differ on some processors, and whichever stage comes first computes
    with threads(1):
        latents = in_chunks(model.encode, torch.from_numpy(pictures), model.background.device).cpu()
    checkpoints.write(cached, "latents", {"latents": latents}, key)
    return latents


@torch.inference_mode()
def in_chunks(function: Callable[[Tensor], Tensor], samples: Tensor, device: torch.device) -> Tensor:
    """What a function gives for many samples, a part of them at a time, computed on a device and without gradients."""
    return torch.cat([function(part.to(device)).float() for part in samples.split(CHUNK)])


def format_of(model: ConvAutoencoder) -> vision.Format:
    """What the pictures of an autoencoder are squeezed to."""
    return vision.Format(model.background.shape[-1], model.background.ndim == 3)
