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
from infant_env.senses.modalities import VISION, VISION_LEFT

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
        eye: the eye that sees the pictures, `vision` or `vision_left`, or a further sense of the autoencoder.

    Returns:
        Standardised latents, shape (N, D), float32, on the CPU.

    Raises:
        UserError: the autoencoder is missing or damaged.
    """
    cached, content = (cache or run) / latents_file(eye), checkpoints.content_hash(run / AUTOENCODER)
    key = {"autoencoder": content, "dataset": data.fingerprint, **({} if eye == VISION else {"eye": eye})}
    try:
        if key.items() <= checkpoints.read_header(cached, "latents").items():
            return checkpoints.read(cached, "latents")[0]["latents"].clone()  # a view would change with the file
    except ValueError:
        pass  # missing or damaged: computed again below
    model = ConvAutoencoder.load(run / AUTOENCODER, device or "cpu")
    seen = data.squeezed_to(format_of(model))
    pictures = seen.left_pictures if eye == VISION_LEFT else seen.seen_as(eye).pictures
    told, device = ((torch.from_numpy(data.normalized_felt_gaze),) if model.told else ()), model.background.device
    # one thread: on some processors the last digits depend on the number of threads, and that differs between stages
    with threads(1):
        latents = in_chunks(partial(model.encode, eye=eye), (torch.from_numpy(pictures), *told), device).cpu()
    checkpoints.write(cached, "latents", {"latents": latents}, key)
    return latents


def latents_file(sense: str) -> str:
    """The file of the cached latents of a sense's pictures in a run's folder; may be deleted."""
    return LATENTS if sense == VISION else LATENTS_LEFT if sense == VISION_LEFT else f"latents_{sense}.safetensors"


@torch.inference_mode()
def in_chunks(function: Callable[..., Tensor], samples: Tensor | tuple[Tensor, ...], device: torch.device) -> Tensor:
    """Results of a function for many samples of one kind or more, computed in parts on a device, without gradients."""
    given = (samples,) if isinstance(samples, Tensor) else samples
    parts = zip(*(each.split(CHUNK) for each in given), strict=True)
    return torch.cat([function(*(part.to(device) for part in together)).float() for together in parts])


def format_of(model: ConvAutoencoder) -> vision.Format:
    """The format of an autoencoder's pictures."""
    return vision.Format(model.picture_shape[-1], len(model.picture_shape) == 3)
