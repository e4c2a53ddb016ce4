"""A film of a policy: where the infant's hand shall be, where it goes, and what its eye sees."""

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import DummyVecEnv

from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera, OutsideCamera

from ..show.film import PANEL, Video, as_seen, inside
from .setup import EPISODE, Act, Setup

_EPISODES, _SHOWN_SEED = 5, 2_000_000
_HOLD = 10  # frames that the end is shown


def film(path: Path, setup: Setup, act: Act) -> None:
    """Films some episodes in real physics, with goals that were not learned from."""
    env = DummyVecEnv([setup.infant])
    body = env.envs[0].unwrapped
    video, eye, onlooker = (
        Video(path),
        EyeCamera(setup.arm, inside(setup.eye_size, (300, 500))),
        OutsideCamera(setup.arm, PANEL),
    )
    unit, name = (np.pi / 180, "degrees") if setup.config.goal == "joints" else (0.01, "cm")
    for episode in range(_EPISODES):
        env.seed(_SHOWN_SEED + episode)
        observations = env.reset()
        goal = _pictured(setup.arm, body.goal_joints, onlooker)
        for step in range(EPISODE - 1):  # the environment begins anew with the last
            observations, _, _, infos = env.step(act(observations))
            panels = [
                (f"the infant, {infos[0]['distance'] / unit:.1f} {name} off", onlooker.render(body.data)),
                ("its right eye", as_seen(eye.render(body.data), eye.size)),
                ("a pose that reaches the goal", goal),
            ]
            for _ in range(_HOLD if step == EPISODE - 2 else 1):
                video.add(panels)
    for camera in (eye, onlooker, env):
        camera.close()
    video.close()
    print(f"film: {path}")


def _pictured(arm: ArmModel, joints: NDArray[np.float64], onlooker: OutsideCamera) -> NDArray[np.uint8]:
    state = mujoco.MjData(arm.model)
    arm.pose(state, joints)
    return onlooker.render(state)
