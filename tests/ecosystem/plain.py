"""What plain Gymnasium gives for a seed and actions: what every library is held against."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import infant_env  # noqa: F401 (registers the environments)

REACH = "InfantArmReach-v0"
EPISODE = 25
STEPS = 30  # an episode and the beginning of the next


class Lived(NamedTuple):
    """What one infant lived through, step by step; each array (T, ...)."""

    seen: dict[str, NDArray[Any]]
    """What it acted on."""
    came: dict[str, NDArray[Any]]
    """What came of it; of an episode's last step the episode's own end."""
    rewards: NDArray[np.float64]
    ends: NDArray[np.bool_]


def some_actions(infants: int = 1, steps: int = STEPS) -> NDArray[np.float32]:
    """Actions for each infant and step, shape (N, T, 5)."""
    return np.random.default_rng(0).uniform(-1, 1, (infants, steps, 5)).astype(np.float32)


def live(actions: NDArray[np.float32], seed: int, name: str = REACH, **kind: Any) -> Lived:
    """Lets one infant act, episode after episode.

    Args:
        actions: shape (T, 5).
        seed: of the first reset; the later ones go on with its random numbers.
        name: the environment.
        kind: its arguments.
    """
    env = gym.make(name, **kind)
    observation, _ = env.reset(seed=seed)
    seen, came, rewards, ends = [], [], [], []
    for action in actions:
        following, reward, terminated, truncated, _ = env.step(action)
        seen.append(observation)
        came.append(following)
        rewards.append(reward)
        ends.append(terminated or truncated)
        observation = env.reset()[0] if ends[-1] else following
    env.close()
    return Lived(_stacked(seen), _stacked(came), np.array(rewards, np.float64), np.array(ends))


def flat(observations: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Observations as `gymnasium.spaces.flatten` gives them one by one, shape (T, 16)."""
    return np.concatenate([observations[key] for key in sorted(observations)], axis=-1)


def _stacked(observations: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {key: np.stack([observation[key] for observation in observations]) for key in observations[0]}
