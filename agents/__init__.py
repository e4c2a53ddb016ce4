"""The infant's mind; importing this registers `ImaginedArmReach-v0`. Everything else is loaded at its first use."""

import importlib
from typing import TYPE_CHECKING, Any

from gymnasium import register

import infant_env  # noqa: F401 (registers the real environments)

if TYPE_CHECKING:
    from .babbling import BabblingAgent
    from .camera_arm import CameraArm
    from .mind import Imagination, MentalImageryAgent, PosePlanner, SomAutoencoder
    from .networks import ConvAutoencoder, Glance, PictureGenerator
    from .rl import ImageGoals, LatentObservation, Residual
    from .rl.sb3 import InfantVecEnv
    from .som import MultiModalSom
    from .som_training import OnlineSom, train, train_literal
    from .world import WorldModel

_ROOMS = {
    "BabblingAgent": "babbling",
    "CameraArm": "camera_arm",
    "ConvAutoencoder": "networks",
    "Glance": "networks",
    "ImageGoals": "rl",
    "Imagination": "mind",
    "InfantVecEnv": "rl.sb3",
    "LatentObservation": "rl",
    "MentalImageryAgent": "mind",
    "MultiModalSom": "som",
    "OnlineSom": "som_training",
    "PictureGenerator": "networks",
    "PosePlanner": "mind",
    "Residual": "rl",
    "SomAutoencoder": "mind",
    "WorldModel": "world",
    "train": "som_training",
    "train_literal": "som_training",
}
__all__ = [
    "BabblingAgent",
    "CameraArm",
    "ConvAutoencoder",
    "Glance",
    "ImageGoals",
    "Imagination",
    "InfantVecEnv",
    "LatentObservation",
    "MentalImageryAgent",
    "MultiModalSom",
    "OnlineSom",
    "PictureGenerator",
    "PosePlanner",
    "Residual",
    "SomAutoencoder",
    "WorldModel",
    "train",
    "train_literal",
]

register(
    id="ImaginedArmReach-v0",
    entry_point="agents.world.imagined_env:ImaginedArmReachEnv",
    vector_entry_point="agents.world.imagined_vector_env:ImaginedArmReachVectorEnv",
    max_episode_steps=25,
)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_ROOMS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
