"""A prior that a policy corrects: residual reinforcement learning (Johannink et al., ICRA 2019; Silver et al., 2018)."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike, NDArray

from infant_env.envs.reach_env import InfantArmReachEnv
from infant_env.errors import UserError
from infant_env.tasks import rewards

Observation = dict[str, NDArray[Any]]
Prior = Callable[[Observation, dict[str, Any]], NDArray[np.float32]]
"""From an episode's first observation and info to the pose that may reach its goal, shape (J,), rad."""


class Residual(gym.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]], RecordConstructorArgs):
    """`InfantArmReach-v0`, in which the infant goes where a prior says, and an action only shifts that.

    The prior's own action is appended to `observation`: with hindsight the goal is changed afterwards, but not where the arm
    was drawn to.

    Args:
        env: with or without `ImageGoals`.
        prior: is asked once in each episode.
        reach: how far an action of 1 shifts the prior's, which is in [-1, 1].

    Raises:
        UserError: the reach is not above 0.
    """

    def __init__(self, env: gym.Env[Any, Any], prior: Prior, reach: float = 0.05) -> None:
        RecordConstructorArgs.__init__(self, prior=prior, reach=reach, _disable_deepcopy=True)
        gym.Wrapper.__init__(self, env)
        if not 0 < reach <= 2:
            raise UserError(f"got reach={reach}, expected a part of the action's range, above 0 and at most 2")
        self.prior, self.reach = prior, reach
        self._there: NDArray[np.float32] = np.empty(0, np.float32)
        felt: Any = env.observation_space["observation"]  # type: ignore[index]
        joints: Any = env.action_space
        wider = spaces.Box(np.append(felt.low, joints.low), np.append(felt.high, joints.high), dtype=np.float32)
        self.observation_space = spaces.Dict({**env.observation_space.spaces, "observation": wider})  # type: ignore[assignment, attr-defined]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode, and asks the prior."""
        observation, info = self.env.reset(seed=seed, options=options)
        body = self.env.unwrapped
        assert isinstance(body, InfantArmReachEnv)
        self._there = body.action_for(self.prior(observation, info)).clip(-1, 1)
        return self._wider(observation), info

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Goes where the prior says, shifted by the action."""
        shifted = (self._there + self.reach * np.clip(action, -1, 1)).clip(-1, 1).astype(np.float32)
        observation, reward, terminated, truncated, info = self.env.step(shifted)
        return self._wider(observation), reward, terminated, truncated, info

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """That of the wrapped environment."""
        return self.env.get_wrapper_attr("compute_reward")(achieved_goal, desired_goal, info)

    def _wider(self, observation: Observation) -> Observation:
        return {**observation, "observation": np.concatenate([observation["observation"], self._there])}
