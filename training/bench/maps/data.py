"""The data sets of `infant-arm bench som`, made without a download: samples to train on, and as many unseen as a third."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...measure.senses import features
from ...runs import folder as runs
from ...train import som as train_som
from ..config import Config

ALONE = "data"
"""The name of the only modality of a table."""


@dataclass(frozen=True)
class Data:
    """The samples for all contestants."""

    name: str
    train: Mapping[str, Tensor]
    unseen: Mapping[str, Tensor]
    c: dict[str, float] = field(default_factory=dict)
    """Influence of each modality, by default 1."""


def data_sets(config: Config) -> Iterator[Data]:
    """The latents and joints of the run, if one is given, and the data sets that the config names."""
    if config.run is not None:
        data = Dataset.open(runs.data_of(config.run))
        train, unseen = (features(config.run, data, split, torch.device("cpu")) for split in ("train", "test"))
        trained = train_som.STAGE.recorded(config.run) or train_som.Config(config.run)
        yield Data(str(config.run), train, unseen, trained.c(data))
    for name in config.data:
        yield MAKERS[name](config.samples, config.seed)


def synthetic(count: int, seed: int) -> dict[str, Tensor]:
    """Five uniform joints, and instead of latents a smooth nonlinear function of them with 8 outputs."""
    mixing = torch.Generator().manual_seed(3)
    mix, shift = torch.randn((5, 24), generator=mixing), torch.randn(24, generator=mixing)
    out = torch.randn((24, 8), generator=mixing) / 3
    joints = torch.rand((count, 5), generator=torch.Generator().manual_seed(seed))
    return {VISION: torch.tanh((joints - 0.5) @ mix * 1.5 + shift) @ out, PROPRIOCEPTION: joints}


def poses(count: int, seed: int) -> Data:
    """Synthetic latents and joints."""
    return Data("synthetic", synthetic(count, seed), synthetic(max(count // 3, 1), seed + 1))


def digits(count: int, seed: int) -> Data:
    """Handwritten digits of 8x8 pixels (scikit-learn), in a random order: 1,347 to train on, or `count`, and 450 unseen."""
    from sklearn.datasets import load_digits

    rows = load_digits().data
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    return _table("digits", rows[: min(count, len(rows) * 3 // 4)], rows[len(rows) * 3 // 4 :])


def swiss_roll(count: int, seed: int) -> Data:
    """A rolled sheet in three dimensions (scikit-learn)."""
    from sklearn.datasets import make_swiss_roll

    rows = make_swiss_roll(count + max(count // 3, 1), random_state=seed)[0]
    return _table("swiss_roll", rows[:count], rows[count:])


def housing(count: int, seed: int) -> Data:
    """Eight correlated columns like those of a table of houses: every other one is skewed, as incomes and areas are."""
    mix = np.random.default_rng(5).standard_normal((8, 8)) * 0.6 ** np.arange(8)[:, None]
    rows = np.random.default_rng(seed).standard_normal((count + max(count // 3, 1), 8)) @ mix
    rows[:, ::2] = np.exp(0.6 * rows[:, ::2])
    return _table("housing", rows[:count], rows[count:])


def _table(name: str, train: "np.ndarray", unseen: "np.ndarray") -> Data:
    """A data set of one modality, each column scaled to mean 0 and standard deviation 1 on the samples to train on."""
    mean, deviation = train.mean(0), train.std(0)
    deviation[deviation == 0] = 1
    parts = [torch.from_numpy(((rows - mean) / deviation).astype(np.float32)) for rows in (train, unseen)]
    return Data(name, {ALONE: parts[0]}, {ALONE: parts[1]})


DataName = Literal["synthetic", "digits", "swiss_roll", "housing"]
MAKERS: dict[str, Callable[[int, int], Data]] = {
    "synthetic": poses,
    "digits": digits,
    "swiss_roll": swiss_roll,
    "housing": housing,
}
"""Name -> a function of the number of samples to train on and the seed."""
