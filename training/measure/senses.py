"""The senses that the map binds together: each goes from the data set through map, scores and tables by one entry here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from ..data.latents import load_latents
from ..runs.metrics import Scores
from . import metrics
from .metrics import Floats, Truth


@dataclass(frozen=True)
class Sense:
    """One modality of the map.

    The map holds what `encode` gives, and `SomAutoencoder` decodes it: latents into pictures, any other modality is what it is.
    """

    name: str
    """Its name in the map, in files and on the command line."""
    label: str
    """What tables and figures call it."""
    given: Callable[[Dataset], Floats]
    """What methods are given of it and answer, for all samples of a data set: (N, ...), within [0, 1]."""
    score: Callable[[Floats, Floats, Truth], Scores]
    """What answers (N, ...) are worth, held against the true samples (N, ...) and what else is known of them."""
    influence: float = 1.0
    """Its usual influence c on the winner (Eq. 2)."""
    help: str = "Its influence c on the winner (Eq. 2)."
    """What the command line says of the influence."""
    encode: Callable[[Path, Dataset], Tensor] | None = None
    """What the map holds of all samples, (N, d), from a run's folder and a data set; by default just what is given."""

    def features(self, run: Path, data: Dataset) -> Tensor:
        """What the map holds of all samples of a data set, shape (N, d), on the CPU."""
        return self.encode(run, data) if self.encode else torch.from_numpy(self.given(data)).flatten(1)


SENSES = (
    Sense(
        VISION,
        "vision",
        lambda data: data.pictures,
        metrics.picture_scores,
        influence=4.0,
        help="Influence c of vision on the winner (Eq. 2); chosen on the validation split, where 1 to 16 are within 3 %.",
        encode=load_latents,
    ),
    Sense(
        PROPRIOCEPTION,
        "joints",
        lambda data: data.normalized_joints,
        metrics.joint_scores,
        help="Influence c of the joints on the winner.",
    ),
)
"""All of them; a new sense is one entry."""
SOURCES = tuple(sense.name for sense in SENSES)
LABELS = {f"{a.name}->{b.name}": f"{a.label}->{b.label}" for a in SENSES for b in SENSES}
"""What tables call each mapping from one sense to another, by its name in files."""
MAPPINGS = tuple(LABELS)
PICTURE_TO_JOINTS = f"{VISION}->{PROPRIOCEPTION}"
JOINTS_TO_PICTURE = f"{PROPRIOCEPTION}->{VISION}"


def given(data: Dataset, rows: NDArray[Any]) -> dict[str, Floats]:
    """What methods are given of some samples, by sense."""
    return {sense.name: sense.given(data)[rows] for sense in SENSES}


def features(run: Path, data: Dataset, split: str, device: torch.device) -> dict[str, Tensor]:
    """What the map is trained on: features (N, d) of a split, by sense."""
    rows = torch.from_numpy(data.split(split))
    return {sense.name: sense.features(run, data)[rows].to(device) for sense in SENSES}


def is_complete(mappings: Iterable[str]) -> bool:
    """Whether these are all mappings, so that their mean can be told as one figure."""
    return set(mappings) == set(MAPPINGS)
