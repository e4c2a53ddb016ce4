"""What `infant-arm train-baseline` can be asked for, and what each baseline is trained with by default."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infant_env.errors import UserError

from ...runs import folder as runs

Name = Literal["latent_mlp", "mvae", "desom", "dnm", "mmcm"]
METHODS: tuple[Name, ...] = ("latent_mlp", "mvae", "desom", "dnm", "mmcm")
ON_LATENTS = ("latent_mlp", "dnm")  # these begin with the run's autoencoder
EPOCHS: dict[Name, int] = {"latent_mlp": 60, "mvae": 20, "desom": 20, "dnm": 20, "mmcm": 20}
"""Epochs by default: none takes longer than the autoencoder's training."""
RATES: dict[Name, float] = {"latent_mlp": 4e-3, "mvae": 3e-3, "desom": 2e-3, "dnm": 5e-4, "mmcm": 1.0}
"""Learning rates by default."""
BATCHES: dict[Name, int] = {"mvae": 32, "mmcm": 5}
"""Samples per step by default, where it is not `BATCH`."""
BATCH = 64


@dataclass(frozen=True)
class Schedule:
    """How long a baseline is trained, see `training.train.network.Settings`."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Config:
    """Train a method that the SOM-AE is compared with."""

    data: Path
    """The data set's folder."""
    run: Path
    """The run's folder; made when it is missing. `latent_mlp` and `dnm` begin with the autoencoder that lies there."""
    method: Name
    """latent_mlp: MLPs between latents and joints; mvae: multi-modal VAE; desom and dnm: autoencoder and map learn together;
    mmcm: maps of single senses under an amodal one."""
    epochs: int | None = None
    """Times that every sample is seen; by default no more than take as long as the autoencoder's training."""
    batch_size: int | None = None
    """Samples per step; by default 64, for mvae 32, for mmcm 5."""
    learning_rate: float | None = None
    """Highest rate of AdamW, after a warm-up of a tenth of the steps; by default the method's own. mmcm: lambda, Eq. 4."""
    rows: int = 100
    """desom, dnm: neurons per column of the map; mmcm: of each sense's own map, the amodal one has twice as many."""
    columns: int = 100
    """desom, dnm, mmcm: likewise per row."""
    last_sigma: float = 0.5
    """mmcm: radius of the neighborhood at the end, in neurons."""
    gamma: float = 1e-4
    """desom, dnm: weight of the map's error in the loss, beside the mean squared error of the pictures."""
    last_temperature: float = 0.5
    """desom: radius T of the neighborhood at the end, in neurons."""
    neuron_rate: float = 20.0
    """desom: learning rate of the neurons, in learning rates."""
    map_rate: float = 1.0
    """dnm: highest rate of Kohonen's rule."""
    joint_weight: float = 0.05
    """desom, dnm: how much the latents are also trained to tell the joints, as in `train-ae`."""
    beta: float = 1.0
    """mvae: weight of the divergence from the prior; 1 is the evidence lower bound itself."""
    seed: int = 0
    """Seed of the initial weights and of the order of the samples."""
    device: runs.Device = "auto"
    """Where to compute."""
    threads: int = 1
    """Processor threads; a second one gains little and stalls when another process holds its core."""

    def __post_init__(self) -> None:
        runs.check_counts(self.schedule, "epochs", "batch_size")
        runs.check_counts(self, "rows", "columns", "threads")
        for name in ("learning_rate", "last_temperature", "neuron_rate", "last_sigma"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UserError(f"got {name}={value}, expected a positive number")
        for name in ("gamma", "joint_weight", "beta"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"got {name}={getattr(self, name)}, expected 0 or a positive number")
        if not 0 <= self.map_rate <= 1:
            raise UserError(f"got map_rate={self.map_rate}, expected 0 to 1")

    @property
    def schedule(self) -> Schedule:
        """Epochs, batch size and learning rate, the method's own where none are given."""
        epochs = EPOCHS[self.method] if self.epochs is None else self.epochs
        rate = RATES[self.method] if self.learning_rate is None else self.learning_rate
        size = BATCHES.get(self.method, BATCH) if self.batch_size is None else self.batch_size
        return Schedule(epochs, size, rate, self.seed)
