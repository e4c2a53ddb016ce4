"""The Gymnasium environments of one infant or many, and the viewer."""

from .arm_env import InfantArmEnv
from .arm_vector_env import InfantArmVectorEnv
from .reach_env import InfantArmReachEnv
from .reach_vector_env import InfantArmReachVectorEnv
from .recorded_spec import RecordedSpec

__all__ = ["InfantArmEnv", "InfantArmReachEnv", "InfantArmReachVectorEnv", "InfantArmVectorEnv", "RecordedSpec"]
