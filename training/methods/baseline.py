"""`infant-arm train-baseline NAME`: what a SOM-AE is compared with, trained on the same data for no longer."""

from typing import Annotated, Any, Union

import tyro

from ..train.baselines.gradient import BaselineConfig
from .registry import STAGES, train

BASELINES = {stage.kind: stage for stage in STAGES.values() if issubclass(stage.config, BaselineConfig)}
"""The stages of the baselines by their names."""
Config: Any = Union[  # noqa: UP007 (of as many as there are)
    tuple(Annotated[stage.config, tyro.conf.subcommand(name)] for name, stage in BASELINES.items())
]
"""Each baseline has its own Config."""


def run(config: BaselineConfig) -> Any:
    """Trains, reports and saves one baseline; see `Stage.run`."""
    return train(config)
