"""Your own robot: the same collection with an arm from your own MJCF file.

    python examples/another_arm.py [FOLDER]

`ArmModel` is all that this project knows about a body. Name the joints, the camera and the arm's bodies of any MJCF file. The
environment, the collection and the training then run on it without a change. On the command line:

    infant-arm collect --out data/planar --mjcf planar.xml --arm-joints shoulder elbow --arm-bodies upper lower

By default the hand is the last of the arm's bodies (`--hand-bodies`), and MuJoCo's free camera is the view from outside
(`--outside-camera`). The eye's frames can have any size and aspect (`--eye-size 120 160`).
"""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np

from infant_env import ArmModel  # also registers InfantArm-v0
from training.data import collect

PLANAR = """
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
"""

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data/planar")
folder.mkdir(parents=True, exist_ok=True)
mjcf = folder / "planar.xml"
mjcf.write_text(PLANAR)

# The joints have no actuators, so they get critically damped position servos.
arm = ArmModel.from_mjcf(mjcf, joints=["shoulder", "elbow"], eye_camera="eye", arm_bodies=["upper", "lower"])
env = gym.make("InfantArm-v0", arm=arm)
observation, info = env.reset(seed=0)
for _ in range(25):
    observation, _, _, _, info = env.step(np.array([0.5, -0.2], np.float32))
print("joints:", dict(zip(arm.joint_names, np.degrees(observation["joints"]).round(1).tolist(), strict=True)), "deg")
env.close()

data = collect.run(
    collect.Config(
        folder / "dataset",
        samples=40,
        mjcf=mjcf,
        arm_joints=("shoulder", "elbow"),
        arm_bodies=("upper", "lower"),
        workers=1,
    )
)
print(f"{len(data)} poses of {data.joints.shape[1]} joints in {data.path}; rejected: {data.info.rejected}")
