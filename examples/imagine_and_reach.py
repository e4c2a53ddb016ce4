"""The last page of the paper: imagine a situation, remember how to get there, go, look, and correct.

    infant-arm reproduce --preset quick            # once; trains everything
    python examples/imagine_and_reach.py runs/quick [PICTURE]

We show the agent one picture. It finds several poses that may show it, tries each in its head, goes to the likeliest one, looks,
and corrects itself. We save three pictures side by side: the goal, what it imagined for its first hypothesis, and what the eye
saw at the end. Then the agent plans a way back and imagines what it would see on the way.
"""

import sys

import gymnasium as gym
import imageio.v3 as iio
import numpy as np

import infant_env  # noqa: F401 (registers InfantArm-v0)
from agents import MentalImageryAgent

agent = MentalImageryAgent.load(sys.argv[1] if len(sys.argv) > 1 else "runs/quick")
env = gym.make("InfantArm-v0")

# Somebody puts the arm into a pose, and the eye takes a picture: this is the goal. The agent does not get the pose.
there = np.array([0.9, 0.5, -0.6, 1.3, 0.4])
observation, info = env.reset(seed=0, options={"joints": there})
wanted_hand = info["hand_position"]
agent.see_goal(observation["eye"])

print("true joints:", np.degrees(there).round().astype(int), "deg; its hypotheses:")
for joints, probability in zip(agent.hypotheses.joints[0], agent.hypotheses.probabilities[0], strict=True):
    if probability == 0:
        continue  # it found fewer than five poses
    print(f"  {probability:4.0%}  {np.degrees(joints.numpy()).round().astype(int)} deg")
print("a goal that its body can show" if not agent.impossible else "it doubts that its body can show this")
first_guess = agent.imagine(agent.targets[None])[0]

# It starts in another pose. Each time the arm rests, it looks, compares with the goal, and corrects itself.
observation, info = env.reset(seed=1)
start = observation["joints"]
while not agent.done:
    observation, _, _, _, info = env.step(agent.act(observation))
for _ in range(15):  # let it settle
    observation, _, _, _, info = env.step(agent.act(observation))
error = np.linalg.norm(info["hand_position"] - wanted_hand)
print(f"after {len(agent.looks)} looks the hand is {100 * error:.1f} cm from where the picture was taken")
print("difference from the goal at each look:", " ".join(f"{look.error:.5f}" for look in agent.looks))

way = agent.plan(observation["joints"], start)
film = agent.imagine(way)  # (T, 3, 64, 64)
print(f"the way back takes {len(way) / 25:.1f} s; imagined as a film of {len(film)} pictures")
env.close()

path = sys.argv[2] if len(sys.argv) > 2 else "imagine_and_reach.png"
shown = [agent.imagination.format.to_rgb(picture) for picture in (agent.goal, first_guess)]
iio.imwrite(path, np.concatenate([*shown, observation["eye"]], axis=1))
print("saved", path)
