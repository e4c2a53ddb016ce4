"""The run's samples, as its map knows them."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from agents.som.distances import Distance
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train

from ...data.dataset import Dataset
from ...measure.senses import features
from ...runs import folder as runs
from ...runs.device import Device, pick_device
from ...train import som as train_som


@dataclass(frozen=True)
class Samples:
    """The samples of the run's body by sense, (N, d) each, and the influences of its map."""

    train: dict[str, Tensor]
    validation: dict[str, Tensor]
    test: dict[str, Tensor]
    c: dict[str, float]
    shape: tuple[int, int]
    """Rows and columns of the run's map."""

    @classmethod
    def of(cls, run: Path, device: Device) -> "Samples":
        """The features of a run's splits."""
        data, on = Dataset.open(runs.data_of(run)), pick_device(device)
        trained = train_som.STAGE.recorded(run) or train_som.Config(run)
        train, validation, test = (features(run, data, split, on) for split in ("train", "validation", "test"))
        return cls(train, validation, test, trained.c(data), (trained.rows, trained.columns))

    def map(self, seed: int, distance: Distance = "l1", **more: Tensor) -> MultiModalSom:
        """A map of the training samples, trained as the run's own.

        Args:
            seed: its seed.
            distance: the paper's "l1", or "l2".
            more: samples (N, d) of further senses that it recalls, but by which it does not seek winners; or of the same ones.
        """
        samples = self.train | more
        c = {name: self.c.get(name, 0.0) for name in samples}
        return train(samples, self.shape, c, seed, distance=distance)
