"""What the trainings report to a run's `metrics.json`."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, structs

Curve = list[dict[str, float]]
"""What was measured after each epoch."""


class Section(Struct, omit_defaults=True):
    """A part of the file; fields with a default may be missing."""


class PictureEpoch(Section):
    """An epoch of the autoencoder's training."""

    epoch: int
    train_mse: float
    validation_mse: float
    mae: float | None = None
    arm_mae: float | None = None
    seconds: float | None = None


class Autoencoder(Section):
    """The autoencoder's training."""

    epochs: list[PictureEpoch]
    best: PictureEpoch
    parameters: int


class MapEpoch(Section):
    """An epoch of a map's training."""

    epoch: int
    sigma: float
    quantization_error: float


class MapTraining(Section):
    """The map's training."""

    epochs: list[MapEpoch]


class MapQuality(Section):
    """What a map is worth by its own measures; a small data set or map lacks the later ones."""

    quantization_error: float
    topographic_error: float | None = None
    trustworthiness: float | None = None

    def measures(self) -> Iterator[tuple[str, float]]:
        """Those that are there, by their names in words."""
        for name, value in structs.asdict(self).items():
            if value is not None:
                yield name.replace("_", " "), value


class Epochs(Section):
    """The training of a network."""

    epochs: Curve


class Regressor(Epochs):
    """The training of the CNN from pictures to joints."""

    validation_joint_mae: dict[str, float]


class Calibrated(Section):
    """What the calibration was fitted to."""

    of: dict[str, Any]
    """What it depends on."""
    samples: int
    validation_calibration_error: float


class Baseline(Section):
    """The training of a baseline."""

    epochs: Curve | dict[str, Curve]
    best: dict[str, float] = {}
    map: MapQuality | None = None
    shape: list[int] = []
