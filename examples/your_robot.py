"""Your own arm, without a simulator's file: any Gymnasium environment with a camera and joints.

`PlanarArm` stands for your robot: three joints, seen from above. Its random motion is recorded, networks and a map learn from
it, and the agent reaches for pictures that the camera took: `python examples/your_robot.py runs/planar 2000 20`
"""

import sys

import gymnasium as gym
import numpy as np

from agents import CameraArm, MentalImageryAgent
from training import cli

LOW, HIGH = np.float32([-1.2, 0.1, 0.1]), np.float32([1.2, 1.8, 1.5])  # rad
LINKS, COLORS = np.array([[0.34], [0.28], [0.18]]), ((200, 60, 60), (60, 160, 60), (60, 60, 200))
PIXELS = np.stack(np.meshgrid(np.linspace(-0.8, 0.8, 100), np.linspace(0.9, -0.2, 60)), -1)  # (60, 100, 2), m


class PlanarArm(gym.Env):
    """In your own environment, `step` moves the robot, and `seen` reads its camera and its encoders."""

    action_space = gym.spaces.Box(LOW, HIGH)  # joint targets
    observation_space = gym.spaces.Dict(
        camera=gym.spaces.Box(0, 255, (60, 100, 3), np.uint8),
        q=gym.spaces.Box(LOW, HIGH),
        hand=gym.spaces.Box(-1, 1, (3,)),
    )

    def reset(self, seed=None, options=None):
        """Begins in the middle."""
        super().reset(seed=seed)
        self.q = (LOW + HIGH) / 2
        return self.seen(), {}

    def step(self, action):
        """Turns each joint by .3 rad at most."""
        self.q = np.clip(self.q + np.clip(action - self.q, -0.3, 0.3), LOW, HIGH)
        return self.seen(), 0.0, False, False, {}

    def seen(self):
        """What the camera sees, and where the joints and the hand are."""
        turned = np.cumsum(self.q)
        places = np.cumsum(np.concatenate([[[0, 0]], LINKS * np.stack([np.sin(turned), np.cos(turned)], -1)]), 0)
        picture = np.full((60, 100, 3), 230, np.uint8)
        for start, end, color in zip(places[:-1], places[1:], COLORS, strict=True):
            along = np.clip((PIXELS - start) @ (end - start) / ((end - start) ** 2).sum(), 0, 1)[..., None]
            picture[np.linalg.norm(PIXELS - start - along * (end - start), axis=-1) < 0.06] = color
        return {"camera": picture, "q": self.q.astype(np.float32), "hand": np.float32([*places[-1], 0])}


def infant_arm(words):
    """A command in this process, which knows `PlanarArm-v0`."""
    if cli.main(words.split()):
        sys.exit(2)


run, samples, epochs = sys.argv[1], sys.argv[2], sys.argv[3]
gym.register("PlanarArm-v0", PlanarArm)
ranges = " ".join(f"q_{k} {low} {high}" for k, (low, high) in enumerate(zip(LOW, HIGH, strict=True)))
seen = f"--eye camera --joints q --hand hand --joint-ranges {ranges} --hold 6"
both = f"--data {run}/dataset --run {run} --epochs {epochs}"
infant_arm(f"import env PlanarArm-v0 --out {run}/dataset --samples {samples} {seen}")
infant_arm(f"train-ae {both} --width 8")
infant_arm(f"train-som --run {run} --rows 60 --columns 60")
infant_arm(f"train-generator {both}")
infant_arm(f"train-glance {both}")
infant_arm(f"calibrate --run {run} --samples 50")

agent, robot = MentalImageryAgent.load(run), PlanarArm()
env = CameraArm(robot, agent.imagination.mind.joint_ranges, eye="camera", joints="q")
for pose in ([0.8, 0.4, 1.2], [-0.9, 1.5, 0.3], [0.2, 1.0, 0.8]):
    robot.q = np.array(pose)
    goal = robot.seen()
    agent.see_goal(goal["camera"])
    observation, _ = env.reset()
    while not agent.done or np.abs(observation["joint_velocities"]).max() > 0:
        observation, *_ = env.step(agent.act(observation))
    apart = np.linalg.norm(robot.seen()["hand"] - goal["hand"])
    print(f"the hand is {100 * apart:.1f} cm from that in the picture, after {len(agent.looks)} looks")
