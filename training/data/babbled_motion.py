"""Babbling that records motion: the arm follows random targets, and every step is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from agents.world.servo_response import Transitions
from infant_env.body.model import ArmModel
from infant_env.envs.reach_env import InfantArmReachEnv
from infant_env.senses.modalities import GAZE

EPISODE = 25
"""Control steps from one start at rest to the next."""
_NEW_TARGET = 0.3  # probability per step
_RESTLESS, _RESTLESSNESS = 0.5, 0.1  # probability and standard deviation of noise on the target, as in exploration

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """N episodes of E control steps each."""

    felt: Floats
    """Joints and velocities before each step and after the last, shape (N, E + 1, 2 J), rad and rad/s."""
    actions: Floats
    """Shape (N, E, J), or (N, E, J + G) if the gaze turns, in [-1, 1]."""
    hands: Floats
    """The hand after each step, shape (N, E, 3), m."""
    touched: NDArray[np.bool_]
    """Whether the arm touched the body in this episode so far, shape (N, E)."""
    gazes: Floats
    """The gaze before each step and after the last, shape (N, E + 1, G), rad; G is 0 if it is held."""

    @property
    def joint_count(self) -> int:
        """Number of joints, J."""
        return self.felt.shape[2] // 2

    def transitions(self) -> Transitions:
        """The steps of all episodes, one after the other."""
        import torch  # here: motion itself does not need it

        joints = self.joint_count
        before, after = (part.reshape(-1, 2 * joints) for part in (self.felt[:, :-1], self.felt[:, 1:]))
        actions = self.actions[:, :, :joints].reshape(-1, joints)
        parts = (before[:, :joints], before[:, joints:], actions, after[:, :joints], after[:, joints:])
        return Transitions(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


def babble(arm: ArmModel, steps: int, seed: int) -> Motion:
    """Moves the real arm at random.

    Args:
        arm: the body.
        steps: control steps; rounded up to whole episodes.
        seed: seed of starts and targets.
    """
    random, joints = np.random.default_rng(seed), len(arm.joint_names) + len(arm.gaze_joints)
    return _episodes(arm, -(-steps // EPISODE), seed, lambda env: _targets(random, joints))


def go_straight(arm: ArmModel, episodes: int, seed: int) -> Motion:
    """Sends the real arm straight to a valid pose in each episode, as someone would who knows the goal."""
    return _episodes(arm, episodes, seed, lambda env: np.tile(env.action_for(env.goal_joints), (EPISODE, 1)))


def _episodes(arm: ArmModel, episodes: int, seed: int, choose: Callable[[InfantArmReachEnv], Floats]) -> Motion:
    env = InfantArmReachEnv(arm=arm)
    found = [_episode(env, choose, seed if k == 0 else None) for k in range(episodes)]
    return Motion(*(np.stack(parts) for parts in zip(*found, strict=True)))


def _episode(
    env: InfantArmReachEnv, choose: Callable[[InfantArmReachEnv], Floats], seed: int | None
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_], Floats]:
    observation, _ = env.reset(seed=seed)
    actions = choose(env)
    felt, hands, touched, gazes = [observation["observation"]], [], [], [_gaze(observation)]
    for action in actions:
        observation, *_ = env.step(action)
        felt.append(observation["observation"])
        gazes.append(_gaze(observation))
        hands.append(observation["achieved_goal"])
        mujoco.mj_collision(env.arm.model, env.data)
        touched.append(env.arm.penetration(env.data) > 0)
    return np.array(felt), actions, np.array(hands), np.logical_or.accumulate(touched), np.array(gazes)


def _gaze(observation: dict[str, Any]) -> Floats:
    return observation.get(GAZE, np.empty(0, np.float32))


def _targets(random: np.random.Generator, joints: int) -> Floats:
    """The actions of an episode for so many joints, (E, J)."""
    actions, target = [], random.uniform(-1, 1, joints)
    for _ in range(EPISODE):
        if random.random() < _NEW_TARGET:
            target = random.uniform(-1, 1, joints)
        shaken = random.normal(0, _RESTLESSNESS, joints) * (random.random() < _RESTLESS)
        actions.append(np.clip(target + shaken, -1, 1))
    return np.array(actions, np.float32)
