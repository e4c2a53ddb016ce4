"""Seen pictures in the place of a data set on disk, and the autoencoder that learns them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.networks.autoencoder import ConvAutoencoder
from infant_env.body.model import ArmModel
from infant_env.senses.vision import COLOR

from ....data.dataset import Dataset
from ....data.info import DatasetInfo
from ....data.recipe.recipe import Recipe
from ....runs.device import pick_device
from ....runs.distributed import Place
from ....train import autoencoder
from .seen import Floats, Seen

MOST = 12_000
"""Pictures that networks learn from; of a longer life every second one, or fewer."""
_FOR_BACKGROUND = 300
_VALIDATED = 10  # every tenth picture validates


@dataclass(frozen=True, eq=False)
class SeenPoses(Dataset):
    """Pictures and joints of a life, as the trainings of networks expect them; the tenth part validates, and none tests.

    The background is the median of the pictures: nobody can take away the arm of a real infant.
    """

    color: NDArray[np.float16] = field(kw_only=True)
    felt: Floats = field(kw_only=True)

    @classmethod
    def of(cls, seen: Seen, arm: ArmModel) -> "SeenPoses":
        """The pairs of pictures and joints of a life, at most 12,000."""
        rows = np.arange(0, len(seen), -(-len(seen) // MOST))
        recipe = Recipe(len(rows), (300, 500), 12.0, 0.0, None, (), "eye", (), len(rows), 0)
        info = DatasetInfo.begin(recipe, arm, "", {})
        return cls(Path(), info, color=seen.color[rows], felt=seen.joints[rows])

    def column(self, name: str, rows: Any = slice(None)) -> NDArray[Any]:
        """The joints; there are no other columns."""
        assert name == "joints"
        return self.felt[rows]

    @cached_property
    def pictures(self) -> Floats:
        """All pictures, in this format."""
        parts = np.array_split(self.color, -(-len(self.color) // 500))
        return np.concatenate([self._as_format(part.astype(np.float32)) for part in parts])

    @cached_property
    def background(self) -> Floats:
        """What the eye sees without the arm, as far as the arm did not stay there."""
        return self._as_format(background_of(self.color))

    def split(self, name: str) -> NDArray[np.int64]:
        """Indices of the samples of a split."""
        rows = np.arange(len(self.felt))
        validates = rows % _VALIDATED == _VALIDATED - 1
        return rows[validates if name == "validation" else ~validates]

    def _as_format(self, color: Floats) -> Floats:
        return color if self.format.color else np.asarray(COLOR.gray(color), np.float32)


def background_of(color: NDArray[np.float16]) -> Floats:
    """The median of some of the pictures (N, 3, 64, 64), shape (3, 64, 64)."""
    some = color[:: -(-len(color) // _FOR_BACKGROUND)].astype(np.float32)
    return np.asarray(np.median(some, axis=0), np.float32)


def here() -> Place:
    """This process, alone on the CPU."""
    return Place(pick_device("cpu"))


def epochs_for(steps: int, data: SeenPoses, batch: int) -> int:
    """Number of epochs of about so many training steps; 10 for many pictures, and 200 for few."""
    return min(200, max(10, round(steps * batch / len(data.split("train")))))


def settings(seed: int, epochs: int) -> dict[str, Any]:
    """The settings that all trainings need; no file is read or written."""
    return {"run": Path(), "data": Path(), "seed": seed, "epochs": epochs, "device": "cpu"}


def trained_autoencoder(data: SeenPoses, seed: int, steps: int) -> ConvAutoencoder:
    """The project's autoencoder, trained on the seen pictures, gray.

    Args:
        data: the pictures.
        seed: seed of its weights and of the order of the pictures.
        steps: training steps, about.
    """
    epochs = epochs_for(steps, data, 64)
    config = autoencoder.Config(**settings(seed, epochs), patience=max(10, epochs // 5))  # few pictures: short epochs
    training = autoencoder.Training(config, replace(data), here())
    training.fit()
    training.finish()
    return training.model
