"""Residual reinforcement learning: a policy corrects a prior (Johannink et al., ICRA 2019; Silver et al., 2018)."""

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
"""An episode's first observation and info -> a pose that may reach its goal, shape (J,), rad."""


class Residual(gym.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]], RecordConstructorArgs):
    """`InfantArmReach-v0` in which a prior chooses the targets, and actions only shift them.

    The prior's action is appended to `observation`, because hindsight changes the goal afterwards, but not the prior's action.

    Args:
        env: an environment with or without `ImageGoals`.
        prior: called once per episode.
        reach: how far an action of 1 shifts the prior's action, which is in [-1, 1].

    Raises:
        UserError: the reach is not above 0.
    """

    def __init__(self, env: gym.Env[Any, Any], prior: Prior, reach: float = 0.05) -> None:
        RecordConstructorArgs.__init__(self, prior=prior, reach=reach, _disable_deepcopy=True)
        gym.Wrapper.__init__(self, env)
        if not 0 < reach <= 2:
            raise UserError(f"got reach={reach}, expected a shift within the action's range, above 0 and at most 2")
        self.prior, self.reach = prior, reach
        self._prior_action: NDArray[np.float32] = np.empty(0, np.float32)
        arm: Any = env.observation_space["observation"]  # type: ignore[index]
        action: Any = env.action_space
        both = spaces.Box(np.append(arm.low, action.low), np.append(arm.high, action.high), dtype=np.float32)
        self.observation_space = spaces.Dict({**env.observation_space.spaces, "observation": both})  # type: ignore[assignment, attr-defined]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode and calls the prior."""
        observation, info = self.env.reset(seed=seed, options=options)
        body = self.env.unwrapped
        assert isinstance(body, InfantArmReachEnv)
        self._prior_action = body.action_for(self.prior(observation, info)).clip(-1, 1)
        return self._with_prior(observation), info

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Takes a step with the prior's action, shifted by this action."""
        shifted = (self._prior_action + self.reach * np.clip(action, -1, 1)).clip(-1, 1).astype(np.float32)
        observation, reward, terminated, truncated, info = self.env.step(shifted)
        return self._with_prior(observation), reward, terminated, truncated, info

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of the wrapped environment."""
        return self.env.get_wrapper_attr("compute_reward")(achieved_goal, desired_goal, info)

    def _with_prior(self, observation: Observation) -> Observation:
        return {**observation, "observation": np.concatenate([observation["observation"], self._prior_action])}
