"""What an agent of the benchmark is, and the infant that it learns with."""

import time
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.errors import UserError

Observation = dict[str, NDArray[Any]]
Action = NDArray[np.float32]


class GoalAgent(Protocol):
    """An agent of `infant-arm bench goals`; its class is called without arguments."""

    def learn(self, env: "LearningEnv", budget: int, seed: int) -> None:
        """Learns, once.

        Args:
            env: the infant; it takes at most `budget` steps.
            budget: number of real steps.
            seed: seed of all random choices.
        """

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Takes a frame of the eye as its goal, shape (300, 500, 3), uint8; a new episode begins."""

    def act(self, observation: Observation) -> Action | None:
        """The next action (J,), in [-1, 1], from `eye`, `joints` and `joint_velocities`; None: it has arrived and stops."""


class LearningEnv(gym.Wrapper[Observation, Action, Observation, Action]):
    """`InfantArm-v0` as a real infant would have it: a budget of steps, and one life.

    Each step costs one of the budget, and gives a frame and the joints. The first `reset` starts the life in a random pose;
    each later one only returns the present observation, because nobody lifts a real arm into a pose. Infos are empty: they
    would tell where the hand is.

    Args:
        budget: number of steps.
        seed: seed of the first pose.
        kept: a folder in which agents that babble alike share what they saw; None: they share nothing.
    """

    def __init__(self, budget: int, seed: int, kept: Path | None = None) -> None:
        super().__init__(gym.make("infant_env:InfantArm-v0", max_episode_steps=10**9, disable_env_checker=True))
        self.budget, self.taken, self.kept = budget, 0, kept
        self.simulated_s = 0.0
        """Processor seconds of the simulator."""
        self._seed, self._now = seed, dict[str, NDArray[Any]]()

    @property
    def left(self) -> int:
        """Number of steps that are left."""
        return self.budget - self.taken

    @property
    def arm(self) -> ArmModel:
        """The infant's arm: the names and ranges of its joints."""
        body: Any = self.env.unwrapped
        arm: ArmModel = body.arm
        return arm

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """The present observation.

        Raises:
            UserError: an option is given.
        """
        if options:
            raise UserError(f"got the options {options}, expected none: an arm that learns is put nowhere; move it")
        if not self._now:
            self._now = self.env.reset(seed=self._seed)[0]
        return self._now, {}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Takes a step of the budget.

        Raises:
            UserError: no step is left.
        """
        if not self.left:
            raise UserError(
                f"got a step more than the budget of {self.budget:,}, expected no step where `env.left` is 0; stop learning there"
            )
        self.reset()
        self.taken += 1
        start = time.process_time()
        self._now = self.env.step(action)[0]
        self.simulated_s += time.process_time() - start
        return self._now, 0.0, False, False, {}


def to_action(arm: ArmModel, joints: NDArray[Any]) -> Action:
    """The action that sends the arm to a pose (J,), rad."""
    return (2 * arm.normalize(joints) - 1).clip(-1, 1).astype(np.float32)


def felt(arm: ArmModel, joints: NDArray[Any], velocities: NDArray[Any]) -> NDArray[np.float32]:
    """Joints and velocities (..., J) as numbers of size 1, (..., 2 J): in [-1, 1], and in tens of rad/s."""
    return np.concatenate([2 * arm.normalize(joints) - 1, velocities / 10], -1).astype(np.float32)


def rests(observation: Observation) -> bool:
    """Whether the arm hardly moves."""
    return bool(np.abs(observation["joint_velocities"]).max() < 0.1)  # rad/s


class Arrival:
    """Tells an agent when to stop: when the arm rests after more than five steps, or after many.

    Args:
        most: the largest number of steps.
    """

    def __init__(self, most: int = 25) -> None:
        self.most, self.taken = most, 0

    def reached(self, observation: Observation) -> bool:
        """Counts a step; whether it is time to stop."""
        self.taken += 1
        return self.taken > self.most or (self.taken > 6 and rests(observation))
