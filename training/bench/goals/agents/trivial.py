"""Two agents that learn nothing: what a score is worth is its distance from theirs."""

import numpy as np
from numpy.typing import NDArray

from .entry import Action, LearningEnv, Observation, to_action

_HELD = 10  # control steps, in which the arm arrives


class Constant:
    """Goes to the middle of the joint ranges, whatever the goal shows."""

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Takes no step."""
        low, high = env.arm.joint_ranges.T
        self.target = to_action(env.arm, (low + high) / 2)

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Begins to move; the goal does not matter."""
        self.steps = 0

    def act(self, observation: Observation) -> Action | None:
        """The same target for ten steps."""
        self.steps += 1
        return self.target if self.steps <= _HELD else None


class Random(Constant):
    """Goes to a random pose."""

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Takes no step."""
        self.random, self.joints = np.random.default_rng(seed), env.action_space.shape

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Draws a target; the goal does not matter."""
        super().see_goal(eye)
        self.target = self.random.uniform(-1, 1, self.joints).astype(np.float32)
