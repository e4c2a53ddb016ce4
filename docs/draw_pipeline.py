"""Draws `docs/pipeline.png`, the picture in README: babble, encode, map, imagine, reach, with what a run really made.

python docs/draw_pipeline.py runs/quick [PICTURE]
"""

import sys

import gymnasium as gym
import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import FancyArrowPatch
from PIL import Image

import infant_env  # noqa: F401 (registers InfantArm-v0)
from agents import MentalImageryAgent
from training import Dataset

matplotlib.use("Agg")
run = sys.argv[1] if len(sys.argv) > 1 else "runs/quick"
THERE = np.array([0.9, 0.5, -0.6, 1.3, 0.4])
BLUE, RED = "#0072b2", "#d55e00"

agent = MentalImageryAgent.load(run, looks=0)
mind = agent.imagination.mind
data = Dataset.open(f"{run}/dataset")

# The goal: the arm is put somewhere, and the eye takes a picture.
env = gym.make("InfantArm-v0", render_mode="rgb_array", width=600, height=450)
observation, info = env.reset(seed=0, options={"joints": THERE})
goal_frame, goal_hand = observation["eye"], info["hand_position"]
agent.see_goal(goal_frame)
imagined = agent.imagine(agent.targets[None])[0]
format = agent.imagination.format  # the agent sees in color, and the map in gray
latents = mind.latents(format.gray(agent.goal[None]))
winner = int(mind.som.winners({"vision": latents})[0])

# Elsewhere, the agent moves until it has arrived.
observation, info = env.reset(seed=1)
while not agent.done:
    observation, *_ = env.step(agent.act(observation))
for _ in range(15):
    observation, _, _, _, info = env.step(agent.act(observation))
outside, reached = env.render(), observation["eye"]
distance = 100 * np.linalg.norm(info["hand_position"] - goal_hand)
env.close()
print(f"the hand is {distance:.1f} cm from where the goal picture was taken")

figure = plt.figure(figsize=(13, 3.3), dpi=110)
TITLES = ("1  babble", "2  encode", "3  map", "4  imagine", "5  reach")
TEXTS = (
    "The arm moves at random.\nEach sample is a picture\nand five joint angles.",
    "An autoencoder turns a\n64x64 picture into\neight latents.",
    "Each neuron holds latents and\njoints. A goal picture finds\nits winner (cross).",
    "The map recalls poses.\nThe agent imagines what it\nwould see in each of them.",
    "The arm goes there.\nThe eye sees (inset)\nwhat it imagined.",
)
WIDTH, GAP = 0.168, 0.034
for number, (title, text) in enumerate(zip(TITLES, TEXTS, strict=True)):
    left = 0.012 + number * (WIDTH + GAP)
    figure.text(left, 0.94, title, fontsize=14, fontweight="bold", va="center")
    figure.text(left, 0.23, text, fontsize=10.5, va="top", linespacing=1.25)
    if number < 4:
        ends = (left + WIDTH + 0.003, 0.58), (left + WIDTH + GAP - 0.003, 0.58)
        figure.add_artist(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=16, color="0.35", lw=1.6))


def panel(number: int, x: float, y: float, width: float, height: float) -> plt.Axes:
    """Axes inside a panel, in shares of it."""
    left = 0.012 + number * (WIDTH + GAP)
    axes = figure.add_axes((left + x * WIDTH, 0.29 + y * 0.58, width * WIDTH, height * 0.58))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("0.6")
    return axes


shown = np.flatnonzero(data.shows_hand)[3:124:40]
for place, sample in enumerate(shown):
    panel(0, 0.51 * (place % 2), 0.51 * (1 - place // 2), 0.49, 0.49).imshow(data.eye(int(sample)), aspect="auto")

panel(1, 0, 0.24, 0.66, 0.5).imshow(format.gray(agent.goal), cmap="gray", vmin=0, vmax=1, aspect="auto")
bars = panel(1, 0.74, 0, 0.26, 1)
bars.barh(np.arange(latents.shape[1]), latents[0].numpy(), color=BLUE)
bars.axvline(0, color="0.4", lw=0.8)
bars.set_ylim(latents.shape[1] - 0.4, -0.6)

rows, columns = mind.som.shape
elbow = mind.som.weights("proprioception").view(rows, columns, -1)[:, :, 3].numpy()
plane = panel(2, 0, 0, 1, 1)
plane.imshow(elbow, cmap="viridis", aspect="auto", interpolation="nearest")
plane.plot(winner % columns, winner // columns, "x", color="white", ms=13, mew=5)
plane.plot(winner % columns, winner // columns, "x", color=RED, ms=12, mew=3)
plane.set_xlabel(f"{rows}x{columns} neurons, color: elbow", fontsize=8, labelpad=2)

for place, (picture, name) in enumerate(((agent.goal, "goal"), (imagined, "imagined"))):
    axes = panel(3, 0, 0.51 * (1 - place), 0.7, 0.49)
    axes.imshow(format.to_rgb(picture), aspect="auto")
    axes.text(1.05, 0.5, name, fontsize=9, va="center", transform=axes.transAxes)

panel(4, 0, 0, 1, 1).imshow(outside[20:420, 60:560], aspect="auto")
panel(4, 0.58, 0.62, 0.42, 0.38).imshow(reached, aspect="auto")

path = sys.argv[2] if len(sys.argv) > 2 else "docs/pipeline.png"
figure.savefig(path)
Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE, method=Image.Quantize.FASTOCTREE).save(
    path, optimize=True
)  # a third of the bytes
print("saved", path)
