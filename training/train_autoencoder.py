"""`infant-arm train-ae`: the autoencoder, trained in advance as in the paper, and its cached latents."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from agents import checkpoints
from agents.autoencoder import KIND, ConvAutoencoder
from agents.som_autoencoder import AUTOENCODER
from infant_env import vision

from . import runs
from .autoencoder_training import Training
from .dataset import Dataset
from .distributed import place
from .network_training import in_chunks, threads

TRAINING = "autoencoder.training.safetensors"
"""A training that is not done; removed when it is."""
LATENTS = "latents.safetensors"
"""The latents of the whole data set; derived, may be deleted."""


@dataclass(frozen=True)
class Config:
    """Train the autoencoder on the data set's pictures."""

    data: Path
    """The data set's folder."""
    run: Path
    """The run's folder; made when it is missing."""
    latent_size: int = 8
    """Numbers that a picture is pressed into (paper: 8)."""
    width: int = 32
    """Channels of the finest feature maps."""
    side: int = 64
    """Rows and columns of the pictures, a multiple of 16 (paper: 64). Any other is there for `ablate`: the agent sees 64x64."""
    color: bool = False
    """Pictures in red, green and blue; likewise."""
    epochs: int = 40
    """Times that every training picture is seen; the learning rate falls to zero over them."""
    batch_size: int = 64
    """Pictures per step."""
    learning_rate: float = 2e-3
    """Highest learning rate of AdamW, after a warm-up of a tenth of the steps."""
    weight_decay: float = 0.01
    """Weight decay of AdamW."""
    joint_weight: float = 0.05
    """How much the latents are also trained to tell the joints (mean absolute error, normalized); 0 is the paper's own."""
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Arithmetic of the layers; the weights are float32 in either. `infant-arm bench ae` says what it costs and gains."""
    patience: int = 10
    """Training stops after this many epochs in which the validation error did not fall."""
    seed: int = 0
    """Seed of the initial weights and of the order of the pictures."""
    device: runs.Device = "auto"
    """Where to compute."""
    threads: int = 1
    """Processor threads. Layers this small gain a quarter from a second one, and stall when another process holds its core."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "latent_size", "width", "side", "epochs", "batch_size", "patience", "threads")
        runs.check_learning_rate(self)
        if self.side % 16:
            raise ValueError(f"got side={self.side}, expected a multiple of 16 such as 64")
        if not 0 <= self.joint_weight < math.inf:
            raise ValueError(f"got joint_weight={self.joint_weight}, expected 0 or a positive number such as 0.05")


def run(config: Config) -> ConvAutoencoder:
    """Trains, reports and saves one autoencoder; resumes where a kill stopped it, does nothing when it is there already.

    Started by `torchrun --nproc-per-node K -m training -- train-ae ...`, K processes share each batch (DistributedDataParallel).
    """
    data = Dataset.open(config.data).squeezed_to(vision.Format(config.side, config.color))
    identity = {"config": runs.settings(config), "dataset": data.fingerprint, "preprocessing": vision.VERSION}
    done = config.run / AUTOENCODER
    with place(config.device) as here:
        if done.exists() and identity.items() <= checkpoints.read_header(done, KIND).items():
            print(f"autoencoder: {done} is there already")
            return ConvAutoencoder.load(done, here.device)
        if here.first:
            runs.record_config(config.run, "train-ae", config)
        with runs.timed(config.run, "train-ae", here.first), threads(config.threads):
            training = Training(config, data, here)
            training.fit(config.run / TRAINING, identity)
            training.finish()
            if here.first:
                runs.merge(config.run, "metrics.json", {"autoencoder": training.report()})
                training.model.save(done, identity)
                (config.run / TRAINING).unlink(missing_ok=True)
                load_latents(config.run, data, here.device)
        here.wait()
    return training.model


def load_latents(run: Path, data: Dataset, device: torch.device | None = None) -> Tensor:
    """The latents of all pictures of a data set, in its order; computed once per autoencoder and cached in the run's folder.

    Args:
        run: the run's folder; holds the trained autoencoder.
        data: the data set.
        device: where to compute them when they are not cached.

    Returns:
        Standardised latents, shape (N, D), float32, on the CPU.

    Raises:
        ValueError: there is no autoencoder, or it is damaged.
    """
    cached, key = (
        run / LATENTS,
        {"autoencoder": checkpoints.content_hash(run / AUTOENCODER), "dataset": data.fingerprint},
    )
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


def format_of(model: ConvAutoencoder) -> vision.Format:
    """What the pictures of an autoencoder are squeezed to."""
    return vision.Format(model.background.shape[-1], model.background.ndim == 3)
