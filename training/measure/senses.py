"""The senses of the map: each entry connects data set, map, scores and tables."""

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

    The map holds the result of `encode`, and `SomAutoencoder` decodes it: latents to pictures; other modalities stay unchanged.
    """

    name: str
    """Its name in the map, in files and on the command line."""
    label: str
    """Its name in tables and figures."""
    given: Callable[[Dataset], Floats]
    """The input of methods and their ideal predictions, for all samples of a data set: (N, ...), within [0, 1]."""
    score: Callable[[Floats, Floats, Truth], Scores]
    """Scores of predictions (N, ...), from the true ones (N, ...) and the samples."""
    influence: float = 1.0
    """Its usual influence c on the winner (Eq. 2)."""
    help: str = "Its influence c on the winner (Eq. 2)."
    """Help text of the influence on the command line."""
    encode: Callable[[Path, Dataset, Path | None], Tensor] | None = None
    """The map's features of all samples, (N, d), from a run's folder, a data set and the folder of a cache (None: the run's);
    by default the input itself."""

    def features(self, run: Path, data: Dataset, cache: Path | None = None) -> Tensor:
        """The map's features of all samples of a data set, shape (N, d), on the CPU."""
        return self.encode(run, data, cache) if self.encode else torch.from_numpy(self.given(data)).flatten(1)


SENSES = (
    Sense(
        VISION,
        "vision",
        lambda data: data.pictures,
        metrics.picture_scores,
        influence=4.0,
        help="Influence c of vision on the winner (Eq. 2); chosen on the validation split, where 1 to 16 are within 3 %.",
        encode=lambda run, data, cache: load_latents(run, data, cache=cache),
    ),
    Sense(
        PROPRIOCEPTION,
        "joints",
        lambda data: data.normalized_joints,
        metrics.joint_scores,
        help="Influence c of the joints on the winner.",
    ),
)
"""All senses; a new sense is one entry."""
SOURCES = tuple(sense.name for sense in SENSES)
LABELS = {f"{a.name}->{b.name}": f"{a.label}->{b.label}" for a in SENSES for b in SENSES}
"""Names of all mappings in tables, by their names in files."""
MAPPINGS = tuple(LABELS)
OVERALL = "overall"
"""Name of the mean over all mappings."""
COLUMNS = LABELS | {OVERALL: OVERALL}
"""Names of all mappings and of their mean in tables, by their names in files."""
PICTURE_TO_JOINTS = f"{VISION}->{PROPRIOCEPTION}"
JOINTS_TO_PICTURE = f"{PROPRIOCEPTION}->{VISION}"


def given(data: Dataset, rows: NDArray[Any]) -> dict[str, Floats]:
    """The input of methods for some samples, by sense."""
    return {sense.name: sense.given(data)[rows] for sense in SENSES}


def features(
    run: Path, data: Dataset, split: str, device: torch.device, cache: Path | None = None
) -> dict[str, Tensor]:
    """The map's features of a split, by sense: (N, d) each; `cache` as for `load_latents`."""
    rows = torch.from_numpy(data.split(split))
    return {sense.name: sense.features(run, data, cache)[rows].to(device) for sense in SENSES}


def is_complete(mappings: Iterable[str]) -> bool:
    """Whether these are all mappings, so that their mean is a meaningful overall error."""
    return set(mappings) == set(MAPPINGS)
