"""Random actions, and the episodes in which the benchmarks measure environments."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

EPISODE = 25
"""Control steps of an episode."""


def random_actions(seed: int, steps: int, *shape: int) -> NDArray[np.float32]:
    """Uniform actions in [-1, 1], shape (steps, *shape)."""
    return np.random.default_rng(seed).uniform(-1, 1, (steps, *shape)).astype(np.float32)


def run_episodes(env: Any, actions: NDArray[np.float32], see: Callable[[Any], Any] | None = None) -> None:
    """Takes all steps once, with a reset at the start of each episode.

    Args:
        env: one infant.
        actions: shape (steps, J).
        see: is called with the eye's frame after each step.
    """
    for k, action in enumerate(actions):
        if k % EPISODE == 0:
            env.reset()
        observation, *_ = env.step(action)
        if see is not None:
            see(observation["eye"])


def run_steps(env: Any, actions: NDArray[np.float32]) -> None:
    """Takes all steps once; a vector environment resets itself."""
    for action in actions:
        env.step(action)
