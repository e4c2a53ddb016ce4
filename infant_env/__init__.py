"""A simulated infant that watches its own right arm; importing this registers its environments with Gymnasium."""

from gymnasium import register
from gymnasium.envs.registration import WrapperSpec

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
register(  # for code that knows no dictionaries
    id="InfantArmReachFlat-v0",
    entry_point="infant_env.envs.reach_env:InfantArmReachEnv",
    additional_wrappers=(WrapperSpec("FlattenObservation", "gymnasium.wrappers:FlattenObservation", {}),),
    max_episode_steps=25,
)
