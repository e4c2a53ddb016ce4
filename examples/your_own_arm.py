# %% [markdown]
# # Your own arm
#
# Any arm with hinges can take the place of the infant. You need a MuJoCo file (MJCF), the names of the joints, and a camera that
# sees the arm. This notebook builds an arm of two joints, and lets it learn where it is.

# %%
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

import infant_env  # noqa: F401 (registers the environments)
from agents.mind.som_autoencoder import SomAutoencoder
from infant_env import ArmModel
from training.data import collect
from training.train import autoencoder, som

SAMPLES, EPOCHS, SIDE = 600, 30, 150  # poses, epochs of the autoencoder, rows and columns of the map
FOLDER = Path("runs/planar")

# %% [markdown]
# ## The file
#
# Two links turn around the vertical axis on a table. A camera named `eye` looks down on them. Take your own file here.

# %%
FOLDER.mkdir(parents=True, exist_ok=True)
mjcf = FOLDER / "planar.xml"
mjcf.write_text("""
<mujoco>
  <compiler angle="degree"/>
  <worldbody>
    <light pos="0 0 2"/>
    <geom type="plane" size="2 2 .1" rgba=".8 .8 .8 1"/>
    <camera name="eye" pos="0 0 .7" fovy="80"/>
    <body name="upper" pos="0 0 .1">
      <joint name="shoulder" axis="0 0 1" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03" rgba=".2 .3 .6 1"/>
      <body name="lower" pos=".2 0 0">
        <joint name="elbow" axis="0 0 1" range="0 150"/>
        <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" rgba=".9 .5 .2 1" contype="0"/>
      </body>
    </body>
  </worldbody>
</mujoco>
""")

# %% [markdown]
# ## The body
#
# `ArmModel.from_mjcf` takes the names of the joints, from the trunk outwards. The joints of this file have no motors, so they get
# position servos. Then the body is tested; whatever does not work is said in one line.

# %%
arm = ArmModel.from_mjcf(mjcf, joints=["shoulder", "elbow"], eye_camera="eye", arm_bodies=["upper", "lower"])
for name, (low, high) in zip(arm.joint_names, np.degrees(arm.joint_ranges), strict=True):
    print(f"{name}: {low:.0f} to {high:.0f} degrees")

# %% [markdown]
# ## What the eye sees
#
# Every environment takes `arm`. An action is a target for each joint, from -1 to 1.

# %%
env = gym.make("InfantArm-v0", arm=arm, eye_size=(60, 100))
env.reset(seed=0)
figure, axes = plt.subplots(1, 3, figsize=(10, 2.5), layout="constrained")
for axis, action in zip(axes, [(-0.5, -0.8), (0.0, 0.0), (0.6, 0.5)], strict=True):
    for _ in range(25):
        observation, *_ = env.step(np.array(action, np.float32))
    axis.imshow(observation["eye"])
    axis.set_title(f"{np.degrees(observation['joints']).round().astype(int)} degrees")
plt.show()
env.close()

# %% [markdown]
# ## Babble
#
# The arm goes to random poses. The picture and the joints of each are kept in a data set, together with a copy of the file.

# %%
body = {"mjcf": mjcf, "arm_joints": ("shoulder", "elbow"), "arm_bodies": ("upper", "lower")}
data = collect.run(collect.Config(FOLDER / "dataset", samples=SAMPLES, eye_size=(60, 100), workers=1, **body))
print(len(data), "poses; rejected:", data.info.rejected)

# %% [markdown]
# ## Learn
#
# First the autoencoder, which turns pictures into eight numbers; then the map of these numbers and the joints.

# %%
autoencoder.run(autoencoder.Config(FOLDER / "run", data=data.path, epochs=EPOCHS))
som.run(som.Config(FOLDER / "run", rows=SIDE, columns=SIDE))
mind = SomAutoencoder.load(FOLDER / "run")

# %% [markdown]
# ## Recall
#
# A test picture, which the arm has not learned from: which pose does it show?

# %%
test = data.split("test")
recalled = mind.recall(data.pictures[test], readout="local_linear").numpy()
errors = np.degrees(np.abs(recalled - data.joints[test]))
print("mean error of shoulder and elbow:", errors.mean(axis=0).round(1), "degrees")
plt.scatter(np.degrees(data.joints[test]).ravel(), np.degrees(recalled).ravel(), s=8)
plt.xlabel("true angle, degrees")
plt.ylabel("recalled angle, degrees")
plt.show()

# %% [markdown]
# ## Imagine
#
# And back: what will the eye see in a pose?

# %%
imagined = mind.imagine(data.joints[test[:3]], readout="local_linear").numpy()
figure, axes = plt.subplots(2, 3, figsize=(10, 4), layout="constrained")
for (above, below), seen, drawn in zip(axes.T, data.pictures[test[:3]], imagined, strict=True):
    above.imshow(seen, cmap="gray", vmin=0, vmax=1, aspect=0.6)
    above.set_title("seen")
    below.imshow(drawn, cmap="gray", vmin=0, vmax=1, aspect=0.6)
    below.set_title("imagined")
plt.show()

# %% [markdown]
# ## Where to go on
#
# `infant-arm reproduce --mjcf FILE --arm-joints ...` does all of this and more in one command: it also trains the agent that
# reaches for pictures. The page "Your own robot" of the documentation goes through it with a real robot's file.
