"""A simulated infant that watches its own right arm; importing this registers its environments with Gymnasium.

`gym.register_envs(infant_env)` makes the import look used, for linters and readers.
"""

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

from gymnasium import register
from gymnasium.envs.registration import WrapperSpec

from . import former_names

if TYPE_CHECKING:
    from .body import Anthropometry, ArmModel, Body, BodyChange, DivergedError
    from .envs import InfantArmEnv, InfantArmReachEnv, InfantArmReachVectorEnv, InfantArmVectorEnv
    from .envs.touching import InfantArmTouchEnv, InfantArmTouchVectorEnv
    from .errors import UserError
    from .senses import Seen, Sense, to_gray

    __version__: str

_ROOMS = {
    "Anthropometry": "body",
    "ArmModel": "body",
    "Body": "body",
    "BodyChange": "body",
    "DivergedError": "body",
    "InfantArmEnv": "envs",
    "InfantArmReachEnv": "envs",
    "InfantArmReachVectorEnv": "envs",
    "InfantArmTouchEnv": "envs.touching",
    "InfantArmTouchVectorEnv": "envs.touching",
    "InfantArmVectorEnv": "envs",
    "Seen": "senses",
    "Sense": "senses",
    "UserError": "errors",
    "to_gray": "senses",
}
__all__ = [
    "Anthropometry",
    "ArmModel",
    "Body",
    "BodyChange",
    "DivergedError",
    "InfantArmEnv",
    "InfantArmReachEnv",
    "InfantArmReachVectorEnv",
    "InfantArmTouchEnv",
    "InfantArmTouchVectorEnv",
    "InfantArmVectorEnv",
    "Seen",
    "Sense",
    "UserError",
    "__version__",
    "to_gray",
]

former_names.install()
register(
    id="InfantArm-v0",
    entry_point="infant_env.envs.arm_env:InfantArmEnv",
    vector_entry_point="infant_env.envs.arm_vector_env:InfantArmVectorEnv",
    max_episode_steps=250,
)
register(
    id="InfantArmReach-v0",
    entry_point="infant_env.envs.reach_env:InfantArmReachEnv",
    vector_entry_point="infant_env.envs.reach_vector_env:InfantArmReachVectorEnv",
    max_episode_steps=25,
)
register(  # for code that cannot handle dictionary observations
    id="InfantArmReachFlat-v0",
    entry_point="infant_env.envs.reach_env:InfantArmReachEnv",
    additional_wrappers=(WrapperSpec("FlattenObservation", "gymnasium.wrappers:FlattenObservation", {}),),
    max_episode_steps=25,
)
register(
    id="InfantArmTouch-v0",
    entry_point="infant_env.envs.touching.touch_env:InfantArmTouchEnv",
    vector_entry_point="infant_env.envs.touching.touch_vector_env:InfantArmTouchVectorEnv",
    max_episode_steps=25,
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("infant-arm")
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_ROOMS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
