"""The only registry of methods, for Table 1, comparison, tune, results, report, seeds and reach.

A new method is one entry.
"""

from pathlib import Path
from typing import Any

from agents.baselines.constant import Constant
from agents.baselines.nearest_neighbor import NearestNeighbors
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION

from ..measure.senses import ALWAYS
from ..train import autoencoder, calibration, generator, glance, pixel_som, regressor, som
from ..train.baselines import color_regressor, desom, dnm, latent_mlp, mmcm, mvae
from ..train.skeleton import Stage
from .method import Method, in_order
from .readings import GeneratorReading, ImageryReading, JointsReading, MapReading, PixelMapReading

SOM_AE = "som_ae"
"""The paper's own method."""
CONSTANT = "constant"
"""The method that always predicts the same; skill is measured against it."""
REFERENCE = "som_ae_imagery"
"""The reading of the SOM-AE from which all differences are measured."""
_WITH_GAZE = (VISION, PROPRIOCEPTION, GAZE)
SIDE = "side"
"""In a trial: rows and columns of a map, relative to the usual ones; all other names are fields of the stages' Configs."""


def _rates_and_batches(rate: float, batch: int = 64) -> tuple[dict[str, Any], ...]:
    """Trials of a network without further settings: other learning rates, and batches of half and twice the usual size."""
    low, high, half = {"learning_rate": rate / 2}, {"learning_rate": 2 * rate}, {"batch_size": batch // 2}
    return {}, low, high, half, {"batch_size": 2 * batch}, {**half, **low}


METHODS = (
    Method(
        SOM_AE,
        {
            SOM_AE: lambda at: MapReading(at.mind, "winner"),
            f"{SOM_AE}_local_linear": lambda at: MapReading(at.mind, "local_linear"),
        },
        (autoencoder.STAGE, som.STAGE),
        (
            {},
            {"learning_rate": 1e-3},
            {"learning_rate": 4e-3},
            {"batch_size": 32},
            {"joint_weight": 0.2},
            {VISION: 16.0},
        ),
        asked_by=None,
        ours=True,
        reaches=True,
    ),
    Method(
        REFERENCE,
        {REFERENCE: lambda at: ImageryReading(at.imagination)},
        (calibration.STAGE,),
        asked_by=_WITH_GAZE,
        ours=True,
        slow=True,
    ),
    Method(
        "som",
        {"som": lambda at: PixelMapReading(at.made_by(pixel_som.STAGE))},
        (pixel_som.STAGE,),
        ({}, {VISION: 1.0}, {VISION: 2.0}, {VISION: 16.0}, {SIDE: 0.5}, {SIDE: 0.25}),
        asked_by=ALWAYS,
    ),
    Method(CONSTANT, {CONSTANT: lambda at: Constant(at.samples)}, asked_by=ALWAYS),
    Method(
        "nearest_neighbor",
        {"nearest_neighbor": lambda at: NearestNeighbors(at.samples, k=1)},
        asked_by=ALWAYS,
        reaches=True,
    ),
    Method(
        "knn",
        {"knn": lambda at: NearestNeighbors(at.samples, k=min(at.neighbors, len(at.data.split("train"))))},
        asked_by=ALWAYS,
        trials=({}, *({"neighbors": count} for count in (2, 8, 16, 32, 64))),
    ),
    Method(
        "regressor",
        {"regressor": lambda at: JointsReading(at.made_by(regressor.STAGE))},
        (regressor.STAGE,),
        _rates_and_batches(3e-3),
        asked_by=_WITH_GAZE,
        reaches=True,
    ),
    Method(
        "color_regressor",
        {"color_regressor": lambda at: JointsReading(at.made_by(color_regressor.STAGE))},
        (color_regressor.STAGE,),
        _rates_and_batches(3e-3),
        asked_by=_WITH_GAZE,
        reaches=True,
    ),
    Method(
        "generator",
        {"generator": lambda at: GeneratorReading(at.made_by(generator.STAGE))},
        (generator.STAGE,),
        (
            {},
            {"learning_rate": 1.5e-3},
            {"learning_rate": 6e-3},
            {"batch_size": 16},
            {"batch_size": 64},
            {"points": 16},
        ),
    ),
    Method(
        "glance",
        {"glance": lambda at: JointsReading(at.made_by(glance.STAGE))},
        (glance.STAGE,),
        _rates_and_batches(3e-3, batch=32),
        asked_by=_WITH_GAZE,
    ),
    Method(
        "latent_mlp",
        {"latent_mlp": lambda at: at.made_by(latent_mlp.STAGE)},
        (latent_mlp.STAGE,),
        _rates_and_batches(4e-3),
    ),
    Method(
        "mvae",
        {"mvae": lambda at: at.made_by(mvae.STAGE)},
        (mvae.STAGE,),
        ({}, {"learning_rate": 1.5e-3}, {"learning_rate": 6e-3}, {"batch_size": 64}, {"beta": 0.3}, {"beta": 3.0}),
    ),
    Method(
        "desom",
        {
            "desom": lambda at: at.made_by(desom.STAGE),
            "desom_local_linear": lambda at: MapReading(at.made_by(desom.STAGE).mind(), "local_linear"),
        },
        (desom.STAGE,),
        ({}, {"gamma": 1e-5}, {"gamma": 1e-3}, {"neuron_rate": 5.0}, {"last_temperature": 1.0}, {SIDE: 0.5}),
    ),
    Method(
        "dnm",
        {
            "dnm": lambda at: at.made_by(dnm.STAGE),
            "dnm_local_linear": lambda at: MapReading(at.made_by(dnm.STAGE).mind(), "local_linear"),
        },
        (dnm.STAGE,),
        ({}, {"gamma": 1e-2}, {"map_rate": 0.1}, {"map_rate": 0.3}, {"learning_rate": 1e-3}, {SIDE: 0.5}),
    ),
    Method(
        "mmcm",
        {
            "mmcm": lambda at: at.made_by(mmcm.STAGE),
            "mmcm_soft": lambda at: at.made_by(mmcm.STAGE).with_readout("soft"),
        },
        (mmcm.STAGE,),
        ({}, {"batch_size": 10}, {"batch_size": 30}, {"last_sigma": 1.0}, {SIDE: 0.6}, {SIDE: 1.4}),
    ),
)
"""Every method, in the order of Table 1."""

OURS = frozenset(reading for method in METHODS if method.ours for reading in method.readings)
"""The readings of the SOM-AE."""
STAGES: dict[str, Stage[Any, Any]] = {
    stage.name: stage for stage in in_order(stage for method in METHODS for stage in method.stages)
}
"""Every stage of every method by name, each after those that it needs."""
_BY_CONFIG = {stage.config: stage for stage in STAGES.values()}


def method_of(reading: str) -> Method:
    """The method of a row of Table 1."""
    return next(method for method in METHODS if reading in method.readings)


def present(run: Path, slow: bool = False) -> list[Method]:
    """The methods that were trained in a run; always with the SOM-AE, so that there is an error if it is missing.

    Args:
        run: the run's folder.
        slow: also methods whose predictions take minutes.
    """
    return [m for m in METHODS if (slow if m.slow else m.ours or m.is_trained(run))]


def train(config: Any) -> Any:
    """Runs the stage of this Config, see `Stage.run`."""
    return _BY_CONFIG[type(config)].run(config)


def size_of(name: str, run: Path) -> int | None:
    """Size in bytes of the file of a method's last stage; None if it was not trained."""
    file = run / next(method for method in METHODS if method.name == name).stages[-1].file
    return file.stat().st_size if file.exists() else None
