"""`infant-arm train-som`: the multi-modal map over cached latents and joints."""

from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, NoReturn

import tyro
from msgspec import Meta
from tqdm import tqdm

from agents.mind.som_autoencoder import AUTOENCODER, SOM, SomAutoencoder
from agents.networks.autoencoder import further_senses
from agents.som import quality as map_quality
from agents.som.distances import Distance
from agents.som.grid import Topology
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import TrainingProgress, train
from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from ..data.latents import load_latents
from ..measure.senses import SENSES, features, senses_of, without_gaps
from ..runs.config import Sigma, StageConfig, option
from ..runs.metrics import Metrics
from ..runs.trained import MapEpoch, MapQuality, MapTraining
from . import autoencoder
from .skeleton import Stage, Work

_Side = Annotated[int, Meta(ge=2, le=10_000)]
_INFLUENCES = [(s.name, Annotated[float, tyro.conf.arg(help=s.help), Meta(ge=0, le=1e6)], s.influence) for s in SENSES]
Influences: Any = make_dataclass("Influences", _INFLUENCES, bases=(StageConfig,), frozen=True)
"""One field for each sense: its influence c on the winner."""


@dataclass(frozen=True)
class MapConfig(Influences):  # type: ignore[misc]
    """The settings of any kind of map."""

    rows: _Side = 800
    """Neurons per column of the map (paper: 800, from the size of its files)."""
    columns: _Side = 800
    """Neurons per row of the map."""
    distance: Distance = "l1"
    """How a gap between a feature and a weight counts: its absolute value (l1, paper) or its square (l2)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        given = {sense.name: getattr(self, sense.name) for sense in SENSES}
        # a sense that only some data sets have counts if the user named it
        usual = {sense.name: sense.influence for sense in SENSES if sense.name not in (VISION, PROPRIOCEPTION)}
        if not any(value for name, value in given.items() if value != usual.get(name)):
            zeros = " ".join(f"{option(name)} 0" for name, value in given.items() if not value)
            raise UserError(f"got {zeros}, expected one of them above 0")

    def c(self, data: Dataset) -> dict[str, float]:
        """Influence of each sense that the infant of a data set has."""
        return {sense.name: getattr(self, sense.name) for sense in senses_of(data, self.also(data))}

    def also(self, data: Dataset) -> tuple[str, ...]:
        """The further senses that this kind of map holds."""
        return ()


@dataclass(frozen=True)
class Config(MapConfig):
    """Train the map on cached latents and joints."""

    last_sigma: Sigma | None = None
    """Radius of the last epoch in neurons; by default it depends on the number of neurons per sample."""
    topology: Topology = "plane"
    """Which neurons are neighbors: a plane with edges (paper), a torus whose opposite edges are joined, or six neighbors each."""

    def also(self, data: Dataset) -> tuple[str, ...]:
        """The further senses of the run's autoencoder."""
        return further_senses(self.run / AUTOENCODER)


def run(config: Config) -> MultiModalSom:
    """Trains, reports and saves one map; see `Stage.run`.

    With `torchrun --nproc-per-node K -m training -- train-som ...`, K processes share the samples and train the same map.
    """
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[MultiModalSom, Metrics]:
    config, data, here = work.config, work.data, work.here
    if here.first:
        for sense in autoencoder.STAGE.load(config.run, data, here.device).senses:
            load_latents(config.run, data, here.device, eye=sense)  # once, before the other processes read them
    here.wait()
    samples = features(config.run, data, "train", here.device)
    share = here.share(len(next(iter(samples.values()))))
    with MapProgress("map", here.first) as progress:
        som = train(
            {name: rows[share] for name, rows in samples.items()},
            shape=(config.rows, config.columns),
            c=config.c(data),
            seed=config.seed,
            progress=progress,
            last_sigma=config.last_sigma,
            group=here.group,
            distance=config.distance,
            topology=config.topology,
        )
    return som, Metrics(map=_quality(work, som) if here.first else None, som=MapTraining(progress.curve))


def _quality(work: Work[Config], som: MultiModalSom) -> MapQuality:
    """The quality of the map on the test split."""
    test = without_gaps(features(work.config.run, work.data, "test", som.device))
    neighbors = min(10, (len(next(iter(test.values()))) - 1) // 2)  # a tiny data set has fewer
    return MapQuality(
        map_quality.quantization_error(som, test),
        map_quality.topographic_error(som, test),
        map_quality.trustworthiness(som, test, neighbors) if neighbors else None,
    )


def _save(work: Work[Config], som: MultiModalSom) -> None:
    own = autoencoder.STAGE.load(work.config.run, work.data, som.device)
    SomAutoencoder(own, som, work.data.joint_ranges).save_som(work.config.run, work.header)


STAGE = Stage(
    "train-som", "map", SOM, "som", Config, _fit, lambda run, _, device: SomAutoencoder.load(run, device).som, _save,
    needs=(autoencoder.STAGE,), sees=False, moving_eye=True, shared=True,
)  # fmt: skip


class MapProgress:
    """A progress bar that also keeps the training curve of a map; use it as the `progress` of `train`.

    Args:
        title: text before the bar.
        show: whether the bar is shown.
    """

    def __init__(self, title: str, show: bool = True) -> None:
        self.curve: list[MapEpoch] = []
        self._bar: tqdm[NoReturn] = tqdm(desc=title, unit="epoch", disable=not show)

    def __call__(self, now: TrainingProgress) -> None:
        """Receives the report of an epoch."""
        self.curve.append(MapEpoch(now.epoch, now.sigma, now.quantization_error))
        self._bar.total = now.epochs
        self._bar.set_postfix_str(f"{now.shape[0]}x{now.shape[1]}, quantization error {now.quantization_error:.4f}")
        self._bar.update()

    def __enter__(self) -> "MapProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
