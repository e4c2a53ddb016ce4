# %% [markdown]
# # The infant in ten minutes
#
# A simulated infant moves its arm at random and watches it. It learns where its arm is. Then it takes a picture as its goal, and
# reaches for it. This notebook shows each step.

# %%
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import torch

import infant_env  # noqa: F401 (registers the environments)
from agents import BabblingAgent, MentalImageryAgent
from infant_env import to_gray
from training.show import InlineFilm
from training.show.film import Film

# %% [markdown]
# ## The body
#
# The environment is an ordinary Gymnasium environment. An action is a target for each of the five joints, from -1 to 1. We let
# the arm go to a random pose, and look at it from outside and through the infant's right eye.

# %%
env = gym.make("InfantArm-v0", render_mode="rgb_array")
observation, info = env.reset(seed=3)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
left.imshow(env.render())
left.set_title("from outside")
right.imshow(observation["eye"])
right.set_title("what its right eye sees")
plt.show()

# %% [markdown]
# The infant has two senses: pictures and joint angles. Nobody tells it which picture belongs to which pose.

# %%
for name, angle in zip(env.unwrapped.arm.joint_names, np.degrees(observation["joints"]), strict=True):
    print(f"{name}: {angle:.0f} degrees")

# %% [markdown]
# ## Babble
#
# The infant takes random poses and keeps the picture and the joints of each. These are the first eight.

# %%
babbling = BabblingAgent(env.unwrapped.arm)
figure, axes = plt.subplots(2, 4, figsize=(10, 3.5), layout="constrained")
for number, axis in enumerate(axes.flat):
    axis.imshow(babbling.sample(number).eye)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## Learn
#
# An infant that has learned from 20,000 such poses comes with the package. Only its map is trained again now, from what the
# infant keeps of 12,000 poses.

# %%
agent = MentalImageryAgent.pretrained()

# %% [markdown]
# ## Encode
#
# An autoencoder turns a picture into eight numbers (the latents) and these numbers into a picture again.

# %%
mind = agent.imagination.mind
picture = to_gray(observation["eye"])
latents = mind.latents(picture[None])
with torch.inference_mode():
    decoded = mind.autoencoder.decode(latents)[0]
print("latents:", latents[0].numpy().round(2))
figure, axes = plt.subplots(1, 2, figsize=(7, 3.5), layout="constrained")
for axis, shown, title in zip(
    axes, (picture, decoded), ("seen, in gray, 64x64", "decoded from eight numbers"), strict=True
):
    axis.imshow(shown, cmap="gray", vmin=0, vmax=1, aspect=0.6)
    axis.set_title(title)
plt.show()

# %% [markdown]
# ## The map
#
# Each neuron of the map holds eight latents and five joint angles. A picture makes those neurons active that hold similar
# latents. The most active one is the winner, and its joint angles are what the map recalls.

# %%
activity = mind.activity("vision", picture[None])[0]
plt.imshow(activity)
plt.colorbar(label="activity")
plt.title("the map's activity for this picture")
plt.show()
print("true joints:    ", np.degrees(observation["joints"]).round().astype(int))
print("recalled joints:", np.degrees(mind.recall(picture[None])[0].numpy()).round().astype(int))

# %% [markdown]
# ## Imagine
#
# The other way round: from a pose to a picture. The agent draws what it would see, before it moves.

# %%
pose = np.array([0.9, 0.5, -0.6, 1.3, 0.4])
imagined = agent.imagine(pose[None])[0]
observation, info = env.reset(seed=3, options={"joints": pose})
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
for axis, shown, title in zip(
    axes, (agent.imagination.format.to_rgb(imagined), observation["eye"]), ("imagined", "seen"), strict=True
):
    axis.imshow(shown)
    axis.set_title(title)
plt.show()

# %% [markdown]
# ## Reach
#
# The last picture becomes the goal. The agent does not get the pose. It finds several poses that may show the goal, each with a
# probability, goes to the likeliest, looks, and corrects itself.

# %%
goal, wanted = observation["eye"], info["hand_position"]
agent.see_goal(goal)
for joints, probability in zip(agent.hypotheses.joints[0], agent.hypotheses.probabilities[0], strict=True):
    print(f"{probability:4.0%}", np.degrees(joints.numpy()).round().astype(int), "degrees")

# %%
observation, info = env.reset(seed=4)
film = Film(Path("reach.mp4"), env.unwrapped.arm)
for _ in range(100):
    observation, *_, info = env.step(agent.act(observation))
    apart = 100 * np.linalg.norm(info["hand_position"] - wanted)
    film.add(env.unwrapped.data, observation, agent, info, f"hand {apart:.1f} cm off")
    if agent.done and np.abs(observation["joint_velocities"]).max() < 0.05:
        break
film.close()
print(f"after {len(agent.looks)} looks the hand is {apart:.1f} cm from where it was in the goal picture")
InlineFilm("reach.mp4")

# %% [markdown]
# ## Where to go on
#
# `infant-arm reproduce --preset quick` trains an infant of your own in some minutes: it babbles, learns and reaches, and writes
# all results to `report.html`. The notebook `your_own_arm` does so with another body, and `map_on_any_data` uses the map alone.

# %%
env.close()
