"""`infant-arm train-som`: the multi-modal map over cached latents and joints."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor
from tqdm import tqdm

from agents.mind.som_autoencoder import AUTOENCODER, SOM, SomAutoencoder
from agents.networks.autoencoder import ConvAutoencoder
from agents.som import quality as map_quality
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import TrainingProgress, train
from agents.tools import checkpoints
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.distributed import Place, place
from .autoencoder import load_latents


@dataclass(frozen=True)
class Config:
    """Train the map on cached latents and joints."""

    run: Path
    """The run's folder; holds the trained autoencoder."""
    rows: int = 800
    """Neurons per column of the map (paper: 800, from its 33.3 MB)."""
    columns: int = 800
    """Neurons per row of the map."""
    vision: float = 4.0
    """Influence c of vision on the winner (Eq. 2); chosen on the validation split, where 1 to 16 are within 3 %."""
    proprioception: float = 1.0
    """Influence c of the joints on the winner."""
    last_sigma: float | None = None
    """Radius of the last epoch in neurons; by default it follows the neurons per sample."""
    seed: int = 0
    """Seed of the initial map."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 2:
            raise UserError(f"got a map of {self.rows}x{self.columns} neurons, expected 2x2 or more")


def run(config: Config) -> MultiModalSom:
    """Trains, reports and saves one map; does nothing when the same map lies in the run's folder already.

    Started by `torchrun --nproc-per-node K -m training -- train-som ...`, K processes share the samples and train the same map.
    """
    data = Dataset.open(runs.data_of(config.run))
    identity = {
        "config": runs.settings(config),
        "dataset": data.fingerprint,
        "autoencoder": checkpoints.content_hash(config.run / AUTOENCODER),
    }
    with place(config.device) as here:
        if (config.run / SOM).exists() and identity.items() <= checkpoints.read_header(config.run / SOM, "som").items():
            print(f"map: {config.run / SOM} is there already")
            return SomAutoencoder.load(config.run, here.device).som
        if here.first:
            runs.record_config(config.run, "train-som", config)
            load_latents(config.run, data, here.device)  # once, before all others read them
        here.wait()
        with runs.timed(config.run, "train-som", here.first), MapProgress("map", here.first) as progress:
            som = _train(config, data, here, progress)
        if here.first:
            _save(config, data, som, progress.curve, identity)
        here.wait()
    return som


def _train(config: Config, data: Dataset, here: Place, progress: "MapProgress") -> MultiModalSom:
    samples = features(config.run, data, "train", here.device)
    share = here.share(len(samples["vision"]))
    return train(
        {name: rows[share] for name, rows in samples.items()},
        shape=(config.rows, config.columns),
        c={"vision": config.vision, "proprioception": config.proprioception},
        seed=config.seed,
        progress=progress,
        last_sigma=config.last_sigma,
        group=here.group,
    )


def _save(config: Config, data: Dataset, som: MultiModalSom, curve: list[dict[str, float]], identity: Any) -> None:
    test = features(config.run, data, "test", som.device)
    quality = {
        "quantization_error": map_quality.quantization_error(som, test),
        "topographic_error": map_quality.topographic_error(som, test),
    }
    if neighbors := min(10, (len(test["vision"]) - 1) // 2):  # fewer in a tiny data set
        quality["trustworthiness"] = map_quality.trustworthiness(som, test, neighbors)
    runs.merge(config.run, "metrics.json", {"map": quality, "som": {"epochs": curve}})
    autoencoder = ConvAutoencoder.load(config.run / AUTOENCODER, som.device)
    mind = SomAutoencoder(autoencoder, som, data.joint_ranges)
    mind.save_som(config.run, identity)  # last: it says that all is done


class MapProgress:
    """A progress bar of a map's training that keeps the training curve: use it as the `progress` of `train`.

    Args:
        title: what stands before the bar.
        show: whether the bar is shown.
    """

    def __init__(self, title: str, show: bool = True) -> None:
        self.curve: list[dict[str, float]] = []
        self._bar: tqdm[NoReturn] = tqdm(desc=title, unit="epoch", disable=not show)

    def __call__(self, now: TrainingProgress) -> None:
        """Takes the report of an epoch."""
        self.curve.append({"epoch": now.epoch, "sigma": now.sigma, "quantization_error": now.quantization_error})
        self._bar.total = now.epochs
        self._bar.set_postfix_str(f"{now.shape[0]}x{now.shape[1]}, quantization error {now.quantization_error:.4f}")
        self._bar.update()

    def __enter__(self) -> "MapProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def features(run: Path, data: Dataset, split: str, device: torch.device) -> dict[str, Tensor]:
    """What the map is trained on: latents (N, D) and normalized joints (N, J) of a split."""
    samples = data.split(split)
    return {
        "vision": load_latents(run, data)[torch.from_numpy(samples)].to(device),
        "proprioception": torch.from_numpy(data.normalized_joints[samples]).to(device),
    }
