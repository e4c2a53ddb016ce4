"""`infant-arm train-baseline NAME`: trains a baseline on the same data as the SOM-AE, and no longer."""

from typing import Annotated, Any, Union

import tyro

from ..train.baselines.gradient import BaselineConfig
from .registry import STAGES, train

BASELINES = {stage.title: stage for stage in STAGES.values() if issubclass(stage.config, BaselineConfig)}
"""The stages of the baselines by their names."""
Config: Any = Union[  # noqa: UP007 (any number of members)
    tuple(Annotated[stage.config, tyro.conf.subcommand(name)] for name, stage in BASELINES.items())
]
"""The Config of any baseline; each has its own."""


def run(config: BaselineConfig) -> Any:
    """Trains, reports and saves one baseline; see `Stage.run`."""
    return train(config)
