"""The senses of the map: each entry connects data set, map, scores and tables."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import further_senses
from infant_env.senses.modalities import COLOR, FOVEA, GAZE, PROPRIOCEPTION, TOUCH, VISION, VISION_LEFT

from ..data.dataset import Dataset
from ..data.files.index import PicturesOnDisk
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
    given: Callable[[Dataset], Floats | PicturesOnDisk]
    """The input of methods for all samples of a data set, as the infant senses it: (N, ...), within [0, 1]."""
    score: Callable[[Floats, Floats, Truth], Scores]
    """Scores of predictions (N, ...), from the true ones (N, ...) and the samples."""
    influence: float = 1.0
    """Its usual influence c on the winner (Eq. 2)."""
    help: str = "Its influence c on the winner (Eq. 2)."
    """Help text of the influence on the command line."""
    encode: Callable[[Path, Dataset, Path | None], Tensor] | None = None
    """The map's features of all samples, (N, d), from a run's folder, a data set and the folder of a cache (None: the run's);
    by default the input itself."""
    true: Callable[[Dataset], Floats] | None = None
    """The ideal predictions, if the infant's own sense is not exact; by default the input."""
    sensed: Callable[[Dataset], bool] = lambda _: True
    """Whether all maps of a data set have this sense; False: only those whose run asks for it (`also`)."""
    always: bool = True
    """Whether every sample and every method has it. Methods other than the map do without the others; where one is missing, all
    numbers are NaN."""
    about: tuple[str, ...] = ()
    """The senses that it says more about: methods also predict from both together."""

    def features(self, run: Path, data: Dataset, cache: Path | None = None) -> Tensor:
        """The map's features of all samples of a data set, shape (N, d), on the CPU."""
        return self.encode(run, data, cache) if self.encode else torch.from_numpy(self.given(data)[:]).flatten(1)


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
        lambda data: data.normalized_felt_joints,
        metrics.joint_scores,
        help="Influence c of the joints on the winner.",
        true=lambda data: data.normalized_joints,
    ),
    Sense(
        VISION_LEFT,
        "left eye",
        lambda data: data.left_pictures,
        metrics.plain_scores,
        influence=4.0,
        help="Influence c of the left eye on the winner, if both eyes see.",
        encode=lambda run, data, cache: load_latents(run, data, cache=cache, eye=VISION_LEFT),
        sensed=lambda data: data.body.eyes == "both",
        about=(VISION,),
    ),
    Sense(
        COLOR,
        "color",
        lambda data: data.seen_as(COLOR).pictures,
        metrics.plain_scores,
        influence=4.0,
        help="Influence c of the picture in color on the winner, if `train-ae --also color` made its latents.",
        encode=lambda run, data, cache: load_latents(run, data, cache=cache, eye=COLOR),
        sensed=lambda data: False,
        always=False,
    ),
    Sense(
        FOVEA,
        "fovea",
        lambda data: data.seen_as(FOVEA).pictures,
        metrics.plain_scores,
        influence=4.0,
        help="Influence c of the fovea's picture on the winner, if `train-ae --also fovea` made its latents.",
        encode=lambda run, data, cache: load_latents(run, data, cache=cache, eye=FOVEA),
        sensed=lambda data: False,
        always=False,
    ),
    Sense(
        GAZE,
        "gaze",
        lambda data: data.normalized_felt_gaze,
        metrics.plain_scores,
        true=lambda data: data.normalized_gaze,
        influence=4.0,
        help="Influence c of the gaze on the winner, if it turns; of .25, 1, 4 and 16, 4 was best on the validation split.",
        sensed=lambda data: data.body.gaze != "held",
        about=(VISION, COLOR, FOVEA),
    ),
    Sense(
        TOUCH,
        "touch",
        lambda data: data.felt_place,
        metrics.plain_scores,
        true=lambda data: data.touched_place,
        influence=8.0,
        help="Influence c of touch on the winner, if it was recorded; of 1 to 64, 8 was best on the validation split.",
        sensed=lambda data: data.info.recipe.touch,
        always=False,
    ),
)
"""All senses; a new sense is one entry."""
ALWAYS = tuple(sense.name for sense in SENSES if sense.always)
"""The senses that every sample has."""
LABELS = {f"{a.name}->{b.name}": f"{a.label}->{b.label}" for a in SENSES for b in SENSES}
"""Names of all mappings from one sense in tables, by their names in files."""
MAPPINGS = tuple(f"{a}->{b}" for a in (VISION, PROPRIOCEPTION) for b in (VISION, PROPRIOCEPTION))
"""The mappings of the paper's Table 1."""
OVERALL = "overall"
"""Name of the mean over the paper's mappings."""
COLUMNS = {mapping: LABELS[mapping] for mapping in MAPPINGS} | {OVERALL: OVERALL}
"""Names of the paper's mappings and of their mean in tables, by their names in files."""
PICTURE_TO_JOINTS = f"{VISION}->{PROPRIOCEPTION}"
JOINTS_TO_PICTURE = f"{PROPRIOCEPTION}->{VISION}"
_AND = "+"


def senses_of(data: Dataset, also: Collection[str] = ()) -> list[Sense]:
    """The senses that the infant of a data set has, and further ones by name."""
    return [sense for sense in SENSES if sense.sensed(data) or sense.name in also]


def sources_of(names: Iterable[str]) -> list[tuple[str, ...]]:
    """What methods predict from: each of these senses alone, and those together that say more about one of them.

    For example, vision with the gaze, vision of both eyes, and vision of both eyes with the gaze.
    """
    alone = [sense for sense in SENSES if sense.name in set(names)]
    sources: list[tuple[str, ...]] = [(sense.name,) for sense in alone]
    for first in alone:
        more = tuple(sense.name for sense in alone if first.name in sense.about)
        sources += [(first.name, name) for name in more]
        sources += [(first.name, *more)] if len(more) > 1 else []
    return sources


def named(source: Iterable[str]) -> str:
    """The name of a source in files, such as `vision+gaze`."""
    return _AND.join(source)


def label_of(source: str) -> str:
    """The name of a source in tables, such as `vision and gaze`."""
    labels = {sense.name: sense.label for sense in SENSES}
    return " and ".join(labels.get(name, name) for name in source.split(_AND))


def given(data: Dataset, rows: NDArray[Any], also: Collection[str] = ()) -> dict[str, Floats]:
    """The input of methods for some samples, by sense; `also` names further senses."""
    return {sense.name: sense.given(data)[rows] for sense in senses_of(data, also)}


def is_known(samples: Floats) -> NDArray[np.bool_]:
    """Which samples (N, ...) are not missing, shape (N,)."""
    return ~np.isnan(samples.reshape(len(samples), -1)[:, 0])


def always_given(data: Dataset, rows: NDArray[Any]) -> dict[str, Floats]:
    """The input of methods that need every sense of every sample, by sense."""
    return {sense.name: sense.given(data)[rows] for sense in senses_of(data) if sense.always}


def true(data: Dataset, rows: NDArray[Any], also: Collection[str] = ()) -> dict[str, Floats]:
    """The ideal predictions for some samples, by sense; `also` names further senses."""
    return {sense.name: (sense.true or sense.given)(data)[rows] for sense in senses_of(data, also)}


def features(
    run: Path, data: Dataset, split: str, device: torch.device, cache: Path | None = None
) -> dict[str, Tensor]:
    """The map's features of a split, by sense: (N, d) each; `cache` as for `load_latents`."""
    rows, senses = torch.from_numpy(data.split(split)), senses_of(data, further_senses(run / AUTOENCODER))
    return {sense.name: sense.features(run, data, cache)[rows].to(device) for sense in senses}


def without_gaps(samples: dict[str, Tensor]) -> dict[str, Tensor]:
    """The senses that all of these samples have; distances between samples compare only those."""
    return {name: rows for name, rows in samples.items() if not rows.isnan().any()}


def is_complete(mappings: Iterable[str]) -> bool:
    """Whether all of the paper's mappings are among these, so that their mean is a meaningful overall error."""
    return set(MAPPINGS) <= set(mappings)
