"""A simulated infant that watches its own right arm; importing this registers its environments with Gymnasium."""

from gymnasium import register

register(id="InfantArm-v0", entry_point="infant_env.arm_env:InfantArmEnv", max_episode_steps=250)
register(
    id="InfantArmReach-v0",
    entry_point="infant_env.reach_env:InfantArmReachEnv",
    vector_entry_point="infant_env.vector_env:InfantArmReachVectorEnv",
    max_episode_steps=25,
)
