"""The latents of a data set's pictures, computed once per autoencoder and cached in the run's folder."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import ConvAutoencoder
from agents.tools import checkpoints
from infant_env.senses import vision
from infant_env.senses.modalities import VISION, VISION_LEFT

from ..runs.device import threads
from .dataset import Dataset
from .files.index import PicturesOnDisk

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
    of_eye = seen.left_pictures if eye == VISION_LEFT else seen.seen_as(eye).pictures
    pictures = samples_on(of_eye, np.arange(len(seen)), "cpu")
    told, device = ((torch.from_numpy(data.normalized_felt_gaze),) if model.told else ()), model.background.device
    # one thread: on some processors the last digits depend on the number of threads, and that differs between stages
    with threads(1):
        latents = in_chunks(partial(model.encode, eye=eye), (pictures, *told), device).cpu()
    checkpoints.write(cached, "latents", {"latents": latents}, key)
    return latents


def latents_file(sense: str) -> str:
    """The file of the cached latents of a sense's pictures in a run's folder; may be deleted."""
    return LATENTS if sense == VISION else LATENTS_LEFT if sense == VISION_LEFT else f"latents_{sense}.safetensors"


@torch.inference_mode()
def in_chunks(
    function: Callable[..., Tensor], samples: "Samples | tuple[Samples, ...]", device: torch.device
) -> Tensor:
    """Results of a function for many samples of one kind or more, computed in parts on a device, without gradients."""
    given = samples if isinstance(samples, tuple) else (samples,)
    parts = zip(*(each.split(CHUNK) for each in given), strict=True)
    return torch.cat([function(*(part.to(device) for part in together)).float() for together in parts])


class Streamed:
    """Some pictures of a data set that exceeds the memory; like a tensor (N, ...) whose rows are read when it is indexed.

    Args:
        pictures: all pictures.
        rows: indices of its own ones, (N,).
        device: the device of what is read.
    """

    def __init__(self, pictures: PicturesOnDisk, rows: NDArray[np.int64], device: torch.device | str) -> None:
        self.pictures, self.rows, self.device = pictures, rows, device
        self.shape = torch.Size([len(rows), *pictures.shape[1:]])
        self._reader = ThreadPoolExecutor(1)
        self._expected: tuple[Tensor, Future[Tensor]] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, samples: Tensor | slice) -> Tensor:
        """Pictures by their indices, shape (n, ...)."""
        if self._expected is not None and isinstance(samples, Tensor) and torch.equal(self._expected[0], samples):
            return self._expected[1].result().to(self.device)
        return self._read(samples).to(self.device)

    def expect(self, samples: Tensor) -> None:
        """Begins to read the pictures that will be asked for next, while the training goes on."""
        self._expected = samples, self._reader.submit(self._read, samples)

    def _read(self, samples: Tensor | slice) -> Tensor:
        chosen = self.rows[samples if isinstance(samples, slice) else samples.cpu().numpy()]
        return torch.from_numpy(self.pictures[chosen])

    def split(self, count: int) -> Iterator[Tensor]:
        """All pictures, so many at a time."""
        return (self[slice(start, start + count)] for start in range(0, len(self), count))


Samples = Tensor | Streamed
"""Samples in memory, or pictures on disk."""


def samples_on(
    pictures: NDArray[np.float32] | PicturesOnDisk, rows: NDArray[np.int64], device: torch.device | str
) -> Samples:
    """Some pictures of a data set: on a device, or, if the data set exceeds the memory, on disk."""
    if isinstance(pictures, PicturesOnDisk):
        return Streamed(pictures, rows, device)
    whole = len(rows) == len(pictures) and bool((np.diff(rows) == 1).all())
    return torch.from_numpy(pictures if whole else pictures[rows]).to(device)


def format_of(model: ConvAutoencoder) -> vision.Format:
    """The format of an autoencoder's pictures."""
    return vision.Format(model.picture_shape[-1], len(model.picture_shape) == 3)
