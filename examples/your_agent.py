"""An agent of your own in the benchmark of image goals: it goes to the seen pose whose picture is most like the goal.

infant-arm bench goals --agent examples/your_agent.py:NearestPicture imagery --budgets 150 --goals 20 --seeds 1
"""

import numpy as np

from infant_env import to_gray


class NearestPicture:
    """Remembers pictures with their poses."""

    def learn(self, env, budget, seed):
        """Moves to random targets, each for five steps."""
        random, (now, _) = np.random.default_rng(seed), env.reset()
        self.ranges, moments = env.arm.joint_ranges.T, []
        while env.left:
            if env.taken % 5 == 0:
                target = random.uniform(-1, 1, 5).astype(np.float32)
            now, *_ = env.step(target)
            moments.append((to_gray(now["eye"]), now["joints"]))
        self.pictures, self.joints = map(np.array, zip(*moments, strict=True))

    def see_goal(self, eye):
        """Looks for the nearest picture."""
        (low, high), self.steps = self.ranges, 0
        nearest = np.abs(self.pictures - to_gray(eye)).mean((1, 2)).argmin()
        self.target = (2 * (self.joints[nearest] - low) / (high - low) - 1).astype(np.float32)

    def act(self, observation):
        """Goes there for ten steps, then stops."""
        self.steps += 1
        return self.target if self.steps <= 10 else None
