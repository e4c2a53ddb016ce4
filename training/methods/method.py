"""A method: the stages that train it, the readings of its predictions, and the settings that `tune` tries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from agents.mind.imagination import Imagination
from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.vision import GRAY, Format

from ..data.dataset import Dataset
from ..data.recipe.recipe import Recipe
from ..measure.senses import always_given
from ..train import calibration, som
from ..train.skeleton import Stage

M = TypeVar("M")


class Predictor(Protocol):
    """Any model that Table 1 can contain."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Predicts modalities from pictures or normalized joints."""


@runtime_checkable
class JointPredictor(Predictor, Protocol):
    """A model that also predicts from several senses together."""

    def predict_from(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Predicts modalities from samples by modality."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The trained models of a run; each is read from disk once."""

    run: Path
    data: Dataset
    device: torch.device
    neighbors: int = 4
    """Number of neighbors that `knn` averages."""
    _made: dict[str, Any] = field(default_factory=dict)

    def made_by(self, stage: Stage[Any, M]) -> M:
        """The model that a stage made.

        Raises:
            UserError: the model is missing or damaged, or its training used other files than those in the folder.
        """
        if stage.name not in self._made:
            self._made[stage.name] = stage.trained(self.run, self.data, self.device)
        made: M = self._made[stage.name]
        return made

    @cached_property
    def mind(self) -> SomAutoencoder:
        """The SOM-AE."""
        som.STAGE.check(self.run, self.data)
        return SomAutoencoder.load(self.run, self.device)

    @cached_property
    def imagination(self) -> Imagination:
        """The SOM-AE with its imagination."""
        calibration.STAGE.check(self.run, self.data)
        return Imagination.load(self.run, self.device)

    @cached_property
    def samples(self) -> dict[str, Tensor]:
        """The training samples, by sense: (N, ...) each."""
        rows = always_given(self.data, self.data.split("train"))
        return {name: torch.from_numpy(samples).to(self.device) for name, samples in rows.items()}


Reading = Callable[[Trained], Predictor]


def seen_by(predictor: Predictor) -> Format:
    """The format of the pictures that a model is given; most see what the paper's autoencoder sees."""
    return getattr(predictor, "format", GRAY)


@dataclass(frozen=True)
class Method:
    """One method of the comparison."""

    name: str
    readings: Mapping[str, Reading]
    """Readings by their names in Table 1, the simplest first."""
    stages: tuple[Stage[Any, Any], ...] = ()
    """The stages that train only this method, in order; none if it just keeps the training data."""
    trials: tuple[dict[str, Any], ...] = ()
    """Changes of its usual settings that `tune` tries; the first is no change."""
    asked_by: tuple[str, ...] | None = (VISION, PROPRIOCEPTION)
    """The senses from which it predicts; None: all that a data set has."""
    ours: bool = False
    """Whether it is the SOM-AE."""
    slow: bool = False
    """Whether its predictions take minutes: then it is scored only on request."""
    reaches: bool = False
    """Whether `reach` tests the poses that it recalls."""

    def is_trained(self, run: Path) -> bool:
        """Whether all its files lie in a run's folder."""
        return all((run / stage.file).exists() for stage in self.stages)

    def learns_from(self, recipe: Recipe) -> bool:
        """Whether all its stages can learn from data of this recipe."""
        return all(stage.learns_from(recipe) for stage in self.builds_on)

    @property
    def builds_on(self) -> list[Stage[Any, Any]]:
        """All stages that must have run; its own are the last."""
        return in_order(self.stages)


def in_order(stages: Iterable[Stage[Any, Any]]) -> list[Stage[Any, Any]]:
    """These stages and all that they need, each once, and after those that it needs."""
    found: list[Stage[Any, Any]] = []
    for stage in stages:
        found += [each for each in (*in_order(stage.needs), stage) if each not in found]
    return found
