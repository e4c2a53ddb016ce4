"""Imagined motion: the arm's chain, the response of its servos and the eye's, the world model and the imagined environments."""

from .imagined_env import ImaginedArmReachEnv
from .imagined_vector_env import ImaginedArmReachVectorEnv
from .world_model import WorldModel

__all__ = ["ImaginedArmReachEnv", "ImaginedArmReachVectorEnv", "WorldModel"]
