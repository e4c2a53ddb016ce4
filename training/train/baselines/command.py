"""`infant-arm train-baseline`: what a SOM-AE is compared with, trained on the same data for no longer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from agents.baselines.desom import Desom
from agents.baselines.dnm import DeepNeuralMap
from agents.baselines.latent_mlp import KIND as LATENT_MLP
from agents.baselines.latent_mlp import LatentMlps
from agents.baselines.mmcm import ConvergenceMaps
from agents.baselines.mvae import MultiModalVae
from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import KIND as AUTOENCODER_KIND
from agents.networks.autoencoder import ConvAutoencoder
from agents.tools import checkpoints
from infant_env.errors import UserError
from infant_env.senses import vision

from ...data.dataset import Dataset
from ...runs import folder as runs
from ...runs.distributed import Place
from ..network import threads
from .config import METHODS, ON_LATENTS, Config, Name
from .deep_maps import DesomTraining, DnmTraining
from .gradient import BaselineTraining, LatentMlpTraining, MvaeTraining, Trainable
from .mmcm import MmcmTraining

_TRAININGS: dict[Name, type[BaselineTraining] | type[MmcmTraining]] = {
    "latent_mlp": LatentMlpTraining,
    "mvae": MvaeTraining,
    "desom": DesomTraining,
    "dnm": DnmTraining,
    "mmcm": MmcmTraining,
}


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
        UserError: there is none, it is damaged, or was trained on another autoencoder than lies beside it.
    """
    path = run / f"{method}.safetensors"
    header = checkpoints.read_header(path, method)
    if method in ON_LATENTS and header["autoencoder"] != checkpoints.content_hash(run / AUTOENCODER):
        raise UserError(
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
        UserError: there is no autoencoder, and the method begins with one.
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
