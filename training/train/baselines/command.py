"""`infant-arm train-baseline`: what a SOM-AE is compared with, trained on the same data for no longer."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from agents.tools import checkpoints
from agents.networks.autoencoder import KIND as AUTOENCODER_KIND
from agents.networks.autoencoder import ConvAutoencoder
from agents.baselines.desom import Desom
from agents.baselines.dnm import DeepNeuralMap
from agents.baselines.latent_mlp import KIND as LATENT_MLP
from agents.baselines.latent_mlp import LatentMlps
from agents.baselines.mmcm import ConvergenceMaps
from agents.baselines.mvae import MultiModalVae
from agents.mind.som_autoencoder import AUTOENCODER
from infant_env.senses import vision

from ...runs import folder as runs
from .gradient import BaselineTraining, LatentMlpTraining, MvaeTraining, Schedule, Trainable
from ...data.dataset import Dataset
from .deep_maps import DesomTraining, DnmTraining
from ...runs.distributed import Place
from .mmcm import MmcmTraining
from ..network import threads

Name = Literal["latent_mlp", "mvae", "desom", "dnm", "mmcm"]
METHODS: tuple[Name, ...] = ("latent_mlp", "mvae", "desom", "dnm", "mmcm")
ON_LATENTS = ("latent_mlp", "dnm")  # these begin with the run's autoencoder
_TRAININGS: dict[Name, type[BaselineTraining] | type[MmcmTraining]] = {
    "latent_mlp": LatentMlpTraining,
    "mvae": MvaeTraining,
    "desom": DesomTraining,
    "dnm": DnmTraining,
    "mmcm": MmcmTraining,
}
EPOCHS: dict[Name, int] = {"latent_mlp": 60, "mvae": 20, "desom": 20, "dnm": 20, "mmcm": 20}
"""Epochs by default: none takes longer than the autoencoder's training."""
RATES: dict[Name, float] = {"latent_mlp": 4e-3, "mvae": 3e-3, "desom": 2e-3, "dnm": 5e-4, "mmcm": 1.0}
"""Learning rates by default."""
BATCHES: dict[Name, int] = {"mvae": 32, "mmcm": 5}
"""Samples per step by default, where it is not `BATCH`."""
BATCH = 64


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
                raise ValueError(f"got {name}={value}, expected a positive number")
        for name in ("gamma", "joint_weight", "beta"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"got {name}={getattr(self, name)}, expected 0 or a positive number")
        if not 0 <= self.map_rate <= 1:
            raise ValueError(f"got map_rate={self.map_rate}, expected 0 to 1")

    @property
    def schedule(self) -> Schedule:
        """Epochs, batch size and learning rate, the method's own where none are given."""
        epochs = EPOCHS[self.method] if self.epochs is None else self.epochs
        rate = RATES[self.method] if self.learning_rate is None else self.learning_rate
        size = BATCHES.get(self.method, BATCH) if self.batch_size is None else self.batch_size
        return Schedule(epochs, size, rate, self.seed)


def run(config: Config) -> Trainable:
    """Trains, reports and saves one baseline; resumes where a kill stopped it, does nothing when it is there already."""
    data, device = Dataset.open(config.data), runs.pick_device(config.device)
    identity = _identity(config, data)
    done, command = config.run / f"{config.method}.safetensors", f"train-baseline-{config.method}"
    if done.exists() and identity.items() <= checkpoints.read_header(done, config.method).items():
        print(f"{config.method}: {done} is there already")
        return load_baseline(config.method, config.run, device)
    runs.record_config(config.run, command, config)
    with runs.timed(config.run, command), threads(config.threads):
        training = _TRAININGS[config.method](config, config.schedule, data, Place(device))
        under_way = config.run / f"{config.method}.training.safetensors"
        training.fit(under_way, identity)
        training.finish()
        runs.merge(config.run, "metrics.json", {"baselines": {config.method: training.report()}})
        training.method.save(done, identity)
        under_way.unlink(missing_ok=True)
    return training.method


def load_baseline(method: Name, run: Path, device: str | torch.device = "cpu") -> Trainable:
    """A baseline that was trained in a run's folder, as a method of Table 1.

    Raises:
        ValueError: there is none, it is damaged, or was trained on another autoencoder than lies beside it.
    """
    path = run / f"{method}.safetensors"
    header = checkpoints.read_header(path, method)
    if method in ON_LATENTS and header["autoencoder"] != checkpoints.content_hash(run / AUTOENCODER):
        raise ValueError(
            f"{path} was trained on another autoencoder than lies beside it; run `infant-arm train-baseline --method {method}` "
            "again, or delete it"
        )
    if method == LATENT_MLP:
        return LatentMlps.load(path, ConvAutoencoder.load(run / AUTOENCODER, device))
    loaders: dict[str, Callable[..., Trainable]] = {
        "mvae": MultiModalVae.load,
        "desom": Desom.load,
        "dnm": DeepNeuralMap.load,
        "mmcm": ConvergenceMaps.load,
    }
    return loaders[method](path, device)


def trained(run: Path) -> Iterator[Name]:
    """The baselines whose checkpoints lie in a run's folder."""
    return (method for method in METHODS if (run / f"{method}.safetensors").exists())


def _identity(config: Config, data: Dataset) -> dict[str, Any]:
    """What the training depends on, as JSON.

    Raises:
        ValueError: there is no autoencoder, and the method begins with one.
    """
    settings = {
        **runs.settings(config),
        "epochs": config.schedule.epochs,
        "learning_rate": config.schedule.learning_rate,
        "batch_size": config.schedule.batch_size,
    }
    identity = {"config": settings, "dataset": data.fingerprint, "preprocessing": vision.VERSION}
    if config.method not in ON_LATENTS:
        return identity
    checkpoints.read_header(config.run / AUTOENCODER, AUTOENCODER_KIND)
    return {**identity, "autoencoder": checkpoints.content_hash(config.run / AUTOENCODER)}
