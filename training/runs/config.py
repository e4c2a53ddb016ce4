"""The fields that most commands share, with their checks."""

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infant_env.errors import UserError

from .device import Device


@dataclass(frozen=True)
class RunConfig:
    """A command that works in a run's folder. Every whole number but the seed is a count: 1 or more."""

    run: Path
    """The run's folder."""
    seed: int = 0
    """Seed of everything that is drawn at random."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        counts = [each.name for each in dataclasses.fields(self) if each.type in (int, int | None)]
        check_counts(self, *(name for name in counts if name != "seed" and getattr(self, name) is not None))


@dataclass(frozen=True)
class StageConfig(RunConfig):
    """A command that makes one file of a run."""

    threads: int | None = None
    """Processor threads; by default as many as the processor has cores."""


@dataclass(frozen=True)
class DataConfig(StageConfig):
    """A stage that begins with a data set."""

    data: Path = field(kw_only=True)
    """The data set's folder."""


@dataclass(frozen=True)
class NetworkConfig(DataConfig):
    """A stage that trains a network epoch by epoch."""

    epochs: int = 20
    """Times that every training sample is seen."""
    batch_size: int = 64
    """Samples per step."""
    learning_rate: float = 3e-3
    """Highest learning rate of AdamW, after a warm-up of a tenth of the steps."""
    threads: int | None = 1
    """Processor threads; a second one gains little and stalls when another process holds its core."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "learning_rate")


def check_counts(config: Any, *names: str) -> None:
    """Raises a UserError when one of these fields of a Config is below 1."""
    for name in names:
        if getattr(config, name) < 1:
            raise UserError(f"got {name}={getattr(config, name)}, expected 1 or more")


def check_positive(config: Any, *names: str) -> None:
    """Raises a UserError when one of these fields of a Config is no positive number."""
    for name in names:
        if not 0 < getattr(config, name) < math.inf:
            raise UserError(f"got {name}={getattr(config, name)}, expected a positive number{_such_as(config, name)}")


def check_not_negative(config: Any, *names: str) -> None:
    """Raises a UserError when one of these fields of a Config is neither 0 nor a positive number."""
    for name in names:
        if not 0 <= getattr(config, name) < math.inf:
            usual = _such_as(config, name)
            raise UserError(f"got {name}={getattr(config, name)}, expected 0 or a positive number{usual}")


def _such_as(config: Any, name: str) -> str:
    usual = getattr(type(config), name, None)  # its default
    return f" such as {usual:g}" if usual else ""
