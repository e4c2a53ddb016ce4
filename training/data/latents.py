"""The latents of a data set's pictures, computed once per autoencoder and cached in the run's folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder
from agents.tools import checkpoints
from infant_env.senses import vision
from infant_env.senses.modalities import VISION

from ..runs.device import threads
from .dataset import Dataset

LATENTS, LATENTS_LEFT = "latents.safetensors", "latents_left.safetensors"
"""Files of the cached latents of each eye in a run's folder; may be deleted."""
CHUNK = 500
"""Samples at a time outside of trainings."""


def load_latents(
    run: Path, data: Dataset, device: torch.device | None = None, cache: Path | None = None, eye: str = VISION
) -> Tensor:
    """The latents of all pictures of a data set, in its order.

    Args:
        run: the run's folder; holds the trained autoencoder.
        data: the data set.
        device: the device that computes them if they are not cached.
        cache: the folder of the cache, for a data set that is not the run's; by default the run's folder.
        eye: the eye that sees the pictures, `vision` or `vision_left`.

    Returns:
        Standardised latents, shape (N, D), float32, on the CPU.

    Raises:
        UserError: the autoencoder is missing or damaged.
    """
    file = LATENTS if eye == VISION else LATENTS_LEFT
    cached, content = (cache or run) / file, checkpoints.content_hash(run / AUTOENCODER)
    key = {"autoencoder": content, "dataset": data.fingerprint, **({} if eye == VISION else {"eye": eye})}
    try:
        if key.items() <= checkpoints.read_header(cached, "latents").items():
            return checkpoints.read(cached, "latents")[0]["latents"].clone()  # a view would change with the file
    except ValueError:
        pass  # missing or damaged: computed again below
    model = ConvAutoencoder.load(run / AUTOENCODER, device or "cpu")
    seen = data.squeezed_to(format_of(model))
    pictures = seen.pictures if eye == VISION else seen.left_pictures
    # one thread: on some processors the last digits depend on the number of threads, and that differs between stages
    with threads(1):
        latents = in_chunks(partial(model.encode, eye=eye), torch.from_numpy(pictures), model.background.device).cpu()
    checkpoints.write(cached, "latents", {"latents": latents}, key)
    return latents


@torch.inference_mode()
def in_chunks(function: Callable[[Tensor], Tensor], samples: Tensor, device: torch.device) -> Tensor:
    """Results of a function for many samples, computed in parts on a device, without gradients."""
    return torch.cat([function(part.to(device)).float() for part in samples.split(CHUNK)])


def format_of(model: ConvAutoencoder) -> vision.Format:
    """The format of an autoencoder's pictures."""
    return vision.Format(model.background.shape[-1], model.background.ndim == 3)
