"""The settings of `infant-arm study`, and the samples that all studies share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
import tyro
from torch import Tensor

from ..data.dataset import Dataset
from ..measure.senses import features
from ..runs import folder as runs
from ..runs.config import Count, RunConfig, Seeds, Side
from ..train import som as train_som

Study = Literal["forget", "new-body"]


@dataclass(frozen=True)
class Config(RunConfig):
    """Study a map whose samples change while it learns."""

    study: tyro.conf.Positional[Study] = field(kw_only=True)
    """forget: five ranges of shoulder flexion, one after the other. new-body: the poses of another body, after the run's own."""
    changed: Path | None = None
    """new-body: a data set of the other body, such as `infant-arm collect --age-months 18` makes."""
    old_samples: Count = 8000
    """new-body: training samples of the run's body."""
    new_samples: Count = 2000
    """new-body: training samples of the other body."""
    part: Count = 500
    """Number of samples that are learned at once; batch rules compute the whole map after each part."""
    rows: Side = 800
    """Rows and columns of the map."""
    seeds: Seeds = 3
    """Number of seeds: of the initial map and of the order of the samples."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return self.rows, self.rows

    def all_seeds(self) -> Iterable[int]:
        """The seeds, one after the other."""
        return range(self.seed, self.seed + self.seeds)


@dataclass(frozen=True)
class Prepared:
    """The samples of the run's body, and the influences of its map."""

    train: dict[str, Tensor]
    test: dict[str, Tensor]
    c: dict[str, float]

    @classmethod
    def of(cls, run: Path, device: torch.device) -> "Prepared":
        """The features of a run's splits."""
        data = Dataset.open(runs.data_of(run))
        trained = train_som.STAGE.recorded(run) or train_som.Config(run)
        return cls(features(run, data, "train", device), features(run, data, "test", device), trained.c(data))
