"""Stages that only read checkpoints, and need not be repeated as long as those stay the same."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from agents.mind.imagination import CALIBRATION
from agents.tools import checkpoints

from . import folder as runs
from .metrics import Metrics


class OfARun(Protocol):
    """A command's config, of those that work on a run's folder."""

    @property
    def run(self) -> Path:
        """The run's folder."""


def unless_done(name: str, config: OfARun, stage: Callable[[Any], Any]) -> None:
    """Runs a stage, unless it was run on the same checkpoints with the same config and all that it wrote can be read.

    Args:
        name: the stage's name, under which `metrics.json` notes that it was done.
        config: what it is called with.
        stage: the command's `run`.
    """
    files = sorted([*config.run.glob("*.safetensors"), *config.run.glob(CALIBRATION)])
    content = json.dumps([runs.as_json(config), *map(checkpoints.content_hash, files)])
    key = hashlib.sha256(content.encode()).hexdigest()
    if runs.was_done(config.run, name, key):
        print(f"{name}: {config.run} has it already, of the same checkpoints")
        return
    stage(config)
    runs.record(config.run, Metrics(done={name: key}))
