"""A first look: an infant, its arm, and what its eye sees.

    python examples/first_look.py [PICTURE]

This is an ordinary Gymnasium environment. Its reward is always 0: it is a body to babble with. We let the arm go to three random
poses, print the joints and the place of the hand, and save one picture: the infant from outside (above) and what its right
eye saw (below).
"""

import sys

import gymnasium as gym
import imageio.v3 as iio
import numpy as np

import infant_env  # registers InfantArm-v0

print("ids:", [name for name in gym.registry if name.startswith("InfantArm")], "from", infant_env.__name__)

# render_mode gives the view from outside; every observation contains what the eye sees.
env = gym.make("InfantArm-v0", render_mode="rgb_array")
env.action_space.seed(1)
observation, info = env.reset(seed=1)
print("observation:", {key: (value.shape, str(value.dtype)) for key, value in observation.items()})

outside, inside = [], []
for pose in range(3):
    action = env.action_space.sample()  # joint targets; -1 and 1 are the ends of each joint's range
    for _ in range(25):  # one second; the servos need about .2 s
        observation, reward, terminated, truncated, info = env.step(action)
    degrees = np.degrees(observation["joints"]).round().astype(int)
    hand = (100 * info["hand_position"]).round(1)
    print(f"pose {pose}: joints {degrees} deg, hand at {hand} cm, touching {info['penetration'] > 0}")
    outside.append(env.render()[60:360, 70:570])  # cropped to the eye's 300x500
    inside.append(observation["eye"])
env.close()

picture = np.concatenate([np.concatenate(outside, axis=1), np.concatenate(inside, axis=1)])
path = sys.argv[1] if len(sys.argv) > 1 else "first_look.png"
iio.imwrite(path, picture)
print("saved", path)
