"""A film of a policy: the infant, what its eye sees, and a pose that reaches the goal."""

from pathlib import Path

import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from infant_env.senses.camera import EyeCamera

from ..show.film import PANEL, Video, inside, what_it_sees
from ..show.outside_view import OutsideView
from .setup import EPISODE, Policy, Setup

_EPISODES, _SHOWN_SEED = 5, 2_000_000
_HOLD = 10  # frames that show the last picture of an episode


def film(path: Path, setup: Setup, policy: Policy) -> None:
    """Films some episodes in the simulator, with goals that the training did not use."""
    env = DummyVecEnv([setup.infant])
    body = env.envs[0].unwrapped
    video, onlooker = Video(path), OutsideView(setup.arm, PANEL, setup.info.recipe.touch)
    eye = EyeCamera(setup.arm, inside(setup.eye_size, (300, 500)))
    goal_state = setup.arm.new_data()
    unit, name = (np.pi / 180, "degrees") if setup.config.goal == "joints" else (0.01, "cm")
    for episode in range(_EPISODES):
        env.seed(_SHOWN_SEED + episode)
        observations = env.reset()
        setup.arm.pose(goal_state, body.goal_joints)
        goal = onlooker.render(goal_state)
        for step in range(EPISODE - 1):  # the last step would reset the environment
            observations, _, _, infos = env.step(policy(observations))
            panels = [
                (f"from outside, {infos[0]['distance'] / unit:.1f} {name} off", onlooker.render(body.data)),
                what_it_sees({name: eye.render(body.data, name) for name in setup.arm.eyes}),
                ("a pose that reaches the goal", goal),
            ]
            for _ in range(_HOLD if step == EPISODE - 2 else 1):
                video.add(panels)
    for camera in (eye, onlooker, env):
        camera.close()
    video.close()
    print(f"film: {path}")
