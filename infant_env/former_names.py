"""The module names of version 0.1: they still import, with a `DeprecationWarning`, until version 0.3."""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAMES = {
    "agents.autoencoder": "agents.networks.autoencoder",
    "agents.calibration": "agents.mind.calibration",
    "agents.checkpoints": "agents.tools.checkpoints",
    "agents.generator": "agents.networks.generator",
    "agents.glance": "agents.networks.glance",
    "agents.image_goals": "agents.rl.image_goals",
    "agents.imagination": "agents.mind.imagination",
    "agents.imagined_env": "agents.world.imagined_env",
    "agents.imagined_vector_env": "agents.world.imagined_vector_env",
    "agents.map_quality": "agents.som.quality",
    "agents.mental_imagery": "agents.mind.agent",
    "agents.planning": "agents.mind.planning",
    "agents.remembered_poses": "agents.mind.remembered_poses",
    "agents.residual": "agents.rl.residual",
    "agents.sample_som": "agents.som_training.sample_som",
    "agents.sb3": "agents.rl.sb3",
    "agents.som_autoencoder": "agents.mind.som_autoencoder",
    "agents.som_literal": "agents.som_training.literal",
    "agents.world_model": "agents.world.world_model",
    "infant_env.anthropometry": "infant_env.body.built_in.anthropometry",
    "infant_env.arm_env": "infant_env.envs.arm_env",
    "infant_env.camera": "infant_env.senses.camera",
    "infant_env.reach_env": "infant_env.envs.reach_env",
    "infant_env.rewards": "infant_env.tasks.rewards",
    "infant_env.vector_env": "infant_env.envs.reach_vector_env",
    "infant_env.vision": "infant_env.senses.vision",
    "infant_env.workspace": "infant_env.tasks.workspace",
    "training.collect": "training.data.collect",
    "training.dataset": "training.data.dataset",
}
"""Module of version 0.1 -> module of today. Where a package now has the name of such a module, it re-exports its content."""


class FormerNames(MetaPathFinder, Loader):
    """Finds modules by their former names after every other finder has failed."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's spec if this is a former name, else None."""
        return ModuleSpec(name, self) if name in NAMES else None

    def create_module(self, spec: ModuleSpec) -> Any:
        """Imports the module of today and warns."""
        warnings.warn(f"{spec.name} is now {NAMES[spec.name]}", DeprecationWarning, stacklevel=2)
        return importlib.import_module(NAMES[spec.name])

    def exec_module(self, module: ModuleType) -> None:
        """Does nothing: the import has already executed the module."""


def install() -> None:
    """Registers the finder with Python; a second call does nothing."""
    if not any(isinstance(finder, FormerNames) for finder in sys.meta_path):
        sys.meta_path.append(FormerNames())
