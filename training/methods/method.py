"""What a method is: the stages that train it, the ways to read its answers, and the settings that `tune` tries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from ..measure.senses import given
from ..train.skeleton import Stage

M = TypeVar("M")


class Predictor(Protocol):
    """Whatever can be put into Table 1."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From pictures or normalized joints to all modalities that it can tell."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What was trained in a run, each part read from disk once."""

    run: Path
    data: Dataset
    device: torch.device
    neighbors: int = 4
    """How many neighbors `knn` averages."""
    _made: dict[str, Any] = field(default_factory=dict)

    def made_by(self, stage: Stage[Any, M]) -> M:
        """What a stage made.

        Raises:
            UserError: it is missing, damaged, or was trained on other files than lie beside it.
        """
        if stage.name not in self._made:
            self._made[stage.name] = stage.trained(self.run, self.data, self.device)
        made: M = self._made[stage.name]
        return made

    @cached_property
    def mind(self) -> SomAutoencoder:
        """The SOM-AE."""
        return SomAutoencoder.load(self.run, self.device)

    @cached_property
    def samples(self) -> dict[str, Tensor]:
        """What is given of the training samples, by sense: (N, ...) each."""
        rows = given(self.data, self.data.split("train"))
        return {name: torch.from_numpy(samples).to(self.device) for name, samples in rows.items()}


Reading = Callable[[Trained], Predictor]


@dataclass(frozen=True)
class Method:
    """One method of the comparison."""

    name: str
    readings: Mapping[str, Reading]
    """By their names in Table 1, the plainest first."""
    stages: tuple[Stage[Any, Any], ...] = ()
    """The stages that train it and it alone, in order; none when it only keeps the training data."""
    trials: tuple[dict[str, Any], ...] = ()
    """Changes of its usual settings that `tune` tries, none of them first."""
    asked_by: tuple[str, ...] = (VISION, PROPRIOCEPTION)
    """The senses by which it can be asked."""
    ours: bool = False
    """Whether it is the SOM-AE."""
    slow: bool = False
    """Whether it answers in minutes rather than seconds: then it is scored only when asked for."""
    reaches: bool = False
    """Whether `reach` also goes to the poses that it recalls."""

    def is_trained(self, run: Path) -> bool:
        """Whether all that it consists of lies in a run's folder."""
        return all((run / stage.file).exists() for stage in self.stages)

    @property
    def builds_on(self) -> list[Stage[Any, Any]]:
        """All stages that must have run, its own last."""
        return in_order(self.stages)


def in_order(stages: Iterable[Stage[Any, Any]]) -> list[Stage[Any, Any]]:
    """These stages and all that must come before, each once and after those that it begins with."""
    found: list[Stage[Any, Any]] = []
    for stage in stages:
        found += [each for each in (*in_order(stage.needs), stage) if each not in found]
    return found
