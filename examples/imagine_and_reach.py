"""The paper's last page: imagine a situation, remember how to get there, go.

    infant-arm reproduce --preset quick            # once; trains the maps
    python examples/imagine_and_reach.py runs/quick [PICTURE]

The agent sees one goal picture. It recalls the joints that belong to it, sends the arm there with its eyes closed, and
then compares what it sees with what it wanted to see. We save the goal, what the map imagines for the recalled
joints, and what the eye saw in the end, side by side.
"""

import sys

import gymnasium as gym
import imageio.v3 as iio
import numpy as np

import infant_env  # noqa: F401 (registers InfantArm-v0)
from agents.mental_imagery import MentalImageryAgent
from agents.som_autoencoder import SomAutoencoder
from infant_env.vision import to_rgb

mind = SomAutoencoder.load(sys.argv[1] if len(sys.argv) > 1 else "runs/quick")
agent = MentalImageryAgent(mind, readout="local_linear")
env = gym.make("InfantArm-v0")

# Somebody puts the arm somewhere, and the eye takes a picture: that is the goal. The pose itself is not told to the agent.
there = np.array([0.9, 0.5, -0.6, 1.3, 0.4])
observation, info = env.reset(seed=0, options={"joints": there})
wanted_hand = info["hand_position"]
agent.see_goal(observation["eye"])
print("recalled joints:", np.degrees(agent.targets).round(1), "deg")
print("true joints:    ", np.degrees(there).round(1), "deg")

# Somewhere else, it remembers.
observation, info = env.reset(seed=1)
for _ in range(25):
    observation, _, _, _, info = env.step(agent.act(observation))
error = np.linalg.norm(info["hand_position"] - wanted_hand)
print(f"the hand is {100 * error:.1f} cm from where the picture was taken")
print(f"what it sees differs from its goal by {agent.compare(observation):.4f} (mean over the pixels)")
env.close()

imagined = agent.imagine(agent.targets[None])[0]
path = sys.argv[2] if len(sys.argv) > 2 else "imagine_and_reach.png"
iio.imwrite(path, np.concatenate([to_rgb(agent.goal), to_rgb(imagined), observation["eye"]], axis=1))
print("saved", path)
