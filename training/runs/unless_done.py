"""Skips a stage that only reads checkpoints, as long as these checkpoints stay the same."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from agents.mind.imagination import CALIBRATION
from agents.tools import checkpoints

from . import folder as runs
from .in_turn import turn
from .metrics import Metrics


def run_unless_done(name: str, config: Any, stage: Callable[[Any], Any]) -> None:
    """Runs a stage, unless it ran on the same checkpoints with the same config and all that it wrote can be read.

    Args:
        name: the stage's name; `metrics.json` notes under it that the stage is done.
        config: the stage's config; its `run` is the run's folder.
        stage: the command's `run`.
    """
    with turn(config.run, name, f"runs {name}"):
        key = key_of(config)
        if runs.was_done(config.run, name, key):
            print(f"{name}: {config.run} has the result already, from the same checkpoints")
            return
        stage(config)
        runs.record(config.run, Metrics(done={name: key}))


def key_of(config: Any) -> str:
    """A hash of all that a stage depends on that only reads checkpoints: its config, and the checkpoints in its `run`."""
    files = sorted([*config.run.glob("*.safetensors"), *config.run.glob(CALIBRATION)])
    content = json.dumps([runs.as_json(config), *map(checkpoints.file_hash, files)])
    return hashlib.sha256(content.encode()).hexdigest()
