"""`infant-arm train-pixel-som`: the other column of the paper's Table 1, a plain map over pixels and joints."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agents.som_training.sample_som import SampleSom
from agents.som_training.sample_training import train_sample_som
from agents.tools import checkpoints
from agents.tools.files import DamagedFileError
from infant_env.senses.modalities import VISION, VISION_LEFT
from infant_env.senses.vision import GRAY_SIZE

from ..data.dataset import Dataset
from ..measure.senses import always_given, senses_of
from ..runs.config import DataConfig
from ..runs.metrics import Metrics
from .skeleton import Stage, Work
from .som import MapConfig, MapProgress

PIXEL_SOM = "pixel_som.safetensors"
_KIND = "pixel som"


@dataclass(frozen=True)
class Config(MapConfig, DataConfig):
    """Train the plain map on pixels and joints, the yardstick `som` of Table 1."""


def run(config: Config) -> SampleSom:
    """Trains, reports and saves one map; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[SampleSom, Metrics]:
    config, samples = work.config, _samples(work.data, work.device)
    with MapProgress("plain map") as progress:
        som = train_sample_som(
            samples,
            pictures=_pictures(work.data),
            shape=(config.rows, config.columns),
            c={name: weight for name, weight in config.c(work.data).items() if name in samples},
            seed=config.seed,
            progress=progress,
            distance=config.distance,
        )
    return som, Metrics()


def _save(work: Work[Config], som: SampleSom) -> None:
    """The map consists of its training samples: the file holds only their winners."""
    header = {**work.header, "sigma": som.sigma, "shape": list(som.shape), "c": som.c, "distance": som.distance}
    checkpoints.write(work.path, _KIND, {"winners": som.sample_winners.to(torch.int16)}, header)


def load_pixel_som(run: Path, data: Dataset, device: str | torch.device = "cpu") -> SampleSom:
    """The trained plain map of a run.

    Args:
        run: the run's folder.
        data: the data set that the map was trained on; the map consists of its training samples.
        device: the device.

    Raises:
        UserError: the map is missing, damaged, or was trained on another data set.
    """
    tensors, header = checkpoints.read(run / PIXEL_SOM, _KIND)
    if header.get("dataset") != data.fingerprint:
        raise DamagedFileError(
            f"the plain map in {run} was trained on another data set than {data.path}; train it again", run / PIXEL_SOM
        )
    samples = _samples(data, device)
    with checkpoints.fitting(run / PIXEL_SOM):
        winners, (rows, columns) = tensors["winners"].to(device, torch.long), header["shape"]
        settings = float(header["sigma"]), (rows, columns), _pictures(data), header["c"]
        return SampleSom(samples, winners, *settings, header.get("distance", "l1"))


def _pictures(data: Dataset) -> dict[str, tuple[int, int]]:
    """Rows and columns of the pictures of the eyes that see, by modality."""
    return {sense.name: GRAY_SIZE for sense in senses_of(data) if sense.name in (VISION, VISION_LEFT)}


def _samples(data: Dataset, device: str | torch.device) -> dict[str, Tensor]:
    rows = always_given(data, data.split("train"))
    return {name: torch.from_numpy(samples).flatten(1).to(device) for name, samples in rows.items()}


STAGE = Stage(
    "train-pixel-som", "plain map", PIXEL_SOM, _KIND, Config, _fit, load_pixel_som, _save, sees=False, moving_eye=True
)
