"""Reinforcement learning with stable-baselines3: the infant learns to bring its hand to a place.

    python examples/reinforcement_learning.py [STEPS] [FILM]        # 20,000 steps take some minutes

InfantArmReach-v0 has the goal interface of hindsight experience replay (HER): a place that the hand reached is used as if it had
been the goal, so the infant learns from each miss. The example needs only the environment of this project. `infant-arm train-rl`
does the same with checkpoints, logs, pictures as goals, and the infant's imagination.
"""

import sys

import gymnasium as gym
import imageio.v2 as iio
import numpy as np
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import infant_env  # noqa: F401 (registers InfantArmReach-v0)

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000

# Radians, metres and rad/s differ by a factor of a hundred. Without normalization SAC learns nothing in 7,000 steps.
env = VecNormalize(DummyVecEnv([lambda: gym.make("InfantArmReach-v0", reward="dense")]), clip_obs=5.0, gamma=0.7)

model = SAC(
    "MultiInputPolicy",
    env,
    replay_buffer_class=HerReplayBuffer,
    learning_starts=min(300, steps // 2),
    learning_rate=1e-3,
    batch_size=512,
    gamma=0.7,  # the arm arrives within .2 s; a larger discount blurs the value of the next 40 ms
    tau=0.02,
    ent_coef=0.002,  # a learned entropy keeps so much noise that the hand never rests within 2 cm
    policy_kwargs={"net_arch": [256, 256]},
    seed=0,
)
model.learn(steps, progress_bar=False)

# How well does it do? Twenty new goals; the last step of each episode counts.
infant = gym.make("InfantArmReach-v0", render_mode="rgb_array")
frames, misses = [], []
for goal in range(20):
    observation, info = infant.reset(seed=1_000_000 + goal)
    done = False
    while not done:
        action, _ = model.predict(env.normalize_obs(observation), deterministic=True)
        observation, _, _, done, info = infant.step(action)
        if goal < 3:
            frames.append(infant.render())
    misses.append(100 * info["distance"])
infant.close()
print(f"after {steps:,} steps the hand ends {np.median(misses):.1f} cm from its goal (median of {len(misses)})")
print(f"within 2 cm: {np.mean(np.array(misses) <= 2):.0%}, within 5 cm: {np.mean(np.array(misses) <= 5):.0%}")

path = sys.argv[2] if len(sys.argv) > 2 else "reinforcement_learning.mp4"
with iio.get_writer(path, format="FFMPEG", fps=25, codec="libx264", macro_block_size=16) as film:
    for frame in frames:
        film.append_data(frame)
print("saved", path)
