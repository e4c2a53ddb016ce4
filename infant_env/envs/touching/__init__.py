"""The environments of self-touch, for one infant or many."""

from .touch_env import InfantArmTouchEnv
from .touch_vector_env import InfantArmTouchVectorEnv

__all__ = ["InfantArmTouchEnv", "InfantArmTouchVectorEnv"]
