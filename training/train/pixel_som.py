"""`infant-arm train-pixel-som`: the paper's other column, the plain map over pixels and joints, without an autoencoder."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agents.som_training.sample_som import SampleSom
from agents.som_training.sample_training import train_sample_som
from agents.tools import checkpoints
from infant_env.errors import UserError
from infant_env.senses.vision import GRAY_SIZE

from ..data.dataset import Dataset
from ..runs import folder as runs
from .som import MapProgress

PIXEL_SOM = "pixel_som.safetensors"
_KIND = "pixel som"


@dataclass(frozen=True)
class Config:
    """Train the plain map on pixels and joints, the yardstick `som` of Table 1."""

    data: Path
    """The data set's folder."""
    run: Path
    """The run's folder; made when it is missing."""
    rows: int = 800
    """Neurons per column of the map (paper: 800, from its 10.5 GB)."""
    columns: int = 800
    """Neurons per row of the map."""
    vision: float = 4.0
    """Influence c of vision on the winner (Eq. 2), as in `train-som`."""
    proprioception: float = 1.0
    """Influence c of the joints on the winner."""
    seed: int = 0
    """Seed of the initial map."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 2:
            raise UserError(f"got a map of {self.rows}x{self.columns} neurons, expected 2x2 or more")


@dataclass(frozen=True)
class PlainSom:
    """The plain map as a method of Table 1: the winner's own pixels and joints (paper, Sec. 2.2)."""

    som: SampleSom

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From one modality to both.

        Args:
            source: `vision` or `proprioception`.
            samples: pictures (B, 64, 64) or normalized joints (B, J).

        Returns:
            `vision`: pictures (B, 64, 64); `proprioception`: normalized joints (B, J).
        """
        winners = self.som.winners({source: samples.flatten(1)})
        return {
            "vision": self.som.weights_at("vision", winners).view(-1, *GRAY_SIZE),
            "proprioception": self.som.weights_at("proprioception", winners),
        }


def run(config: Config) -> SampleSom:
    """Trains, reports and saves one map; does nothing when the same map lies in the run's folder already."""
    data = Dataset.open(config.data)
    device = runs.pick_device(config.device)
    identity = {"config": runs.settings(config), "dataset": data.fingerprint}
    path = config.run / PIXEL_SOM
    if path.exists() and identity.items() <= checkpoints.read_header(path, _KIND).items():
        print(f"plain map: {path} is there already")
        return load_pixel_som(config.run, data, device).som
    runs.record_config(config.run, "train-pixel-som", config)
    with runs.timed(config.run, "train-pixel-som"), MapProgress("plain map") as progress:
        som = train_sample_som(
            _samples(data, device),
            pictures={"vision": GRAY_SIZE},
            shape=(config.rows, config.columns),
            c={"vision": config.vision, "proprioception": config.proprioception},
            seed=config.seed,
            progress=progress,
        )
        header = {**identity, "sigma": som.sigma, "shape": list(som.shape), "c": som.c}
        checkpoints.write(path, _KIND, {"winners": som.sample_winners.to(torch.int16)}, header)
    return som


def load_pixel_som(run: Path, data: Dataset, device: str | torch.device = "cpu") -> PlainSom:
    """The trained plain map of a run, as a method of Table 1.

    Args:
        run: the run's folder.
        data: the data set that it was trained on: the map is made of its training samples.
        device: where to compute.

    Raises:
        UserError: there is none, it is damaged, or it was trained on another data set.
    """
    tensors, header = checkpoints.read(run / PIXEL_SOM, _KIND)
    if header["dataset"] != data.fingerprint:
        raise UserError(f"the plain map in {run} was trained on another data set than {data.path}; train it again")
    samples, rows = _samples(data, device), header["shape"]
    winners = tensors["winners"].to(device, torch.long)
    return PlainSom(
        SampleSom(samples, winners, header["sigma"], (rows[0], rows[1]), {"vision": GRAY_SIZE}, header["c"])
    )


def _samples(data: Dataset, device: str | torch.device) -> dict[str, Tensor]:
    train = data.split("train")
    return {
        "vision": torch.from_numpy(data.pictures[train]).flatten(1).to(device),
        "proprioception": torch.from_numpy(data.normalized_joints[train]).to(device),
    }
