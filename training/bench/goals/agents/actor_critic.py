"""Soft actor-critic with hindsight experience replay (SAC + HER) on latents, by stable-baselines3.

Andrychowicz et al., "Hindsight Experience Replay", 2017 (arXiv:1707.01495): each transition is learned from again with goals that
were reached later in the episode. Haarnoja et al., "Soft Actor-Critic", 2018 (arXiv:1801.01290). Goals as latents of a picture:
Nair et al., "Visual Reinforcement Learning with Imagined Goals", 2018 (arXiv:1807.04742).

The settings are those of `infant-arm train-rl` (fixed entropy, discount .7, four updates a step). The autoencoder must come from
the same budget: a third of it, at most 2,000 steps, is babbled. The goals of the training are pictures of these steps, and the
babbled steps are learned from too.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.utils import LinearSchedule

from infant_env.tasks import rewards

from .entry import Action, LearningEnv, Observation, felt
from .latents import LatentAgent, Latents
from .seen import LEAST, Floats, Seen, babble

EPISODE = 25
"""Control steps of an episode."""
THRESHOLD = 0.5
"""Distance of latents at which a goal is reached, as in `ImageGoals`."""
_BABBLED, _MOST_BABBLED = 3, 2000  # a share of the budget, and steps


class LatentGoals(gym.Env[Observation, Action]):
    """The infant with goals from pictures that it has seen; episodes follow one another without a break.

    Args:
        env: the infant.
        latents: encodes its pictures.
        goals: latents of seen pictures, (N, D).
        seed: seed of the choice of goals.
    """

    def __init__(self, env: LearningEnv, latents: Latents, goals: Floats, seed: int) -> None:
        self.env, self.latents, self.goals, self._draws = env, latents, goals, np.random.default_rng([seed, 2])
        self.action_space, joints = env.action_space, len(env.arm.joint_names)
        latent = spaces.Box(-np.inf, np.inf, (latents.size,), np.float32)
        felt_space = spaces.Box(-np.inf, np.inf, (2 * joints,), np.float32)
        self.observation_space = spaces.Dict(  # type: ignore[assignment]
            observation=felt_space, achieved_goal=latent, desired_goal=latent
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new goal; the arm stays where it is."""
        self.goal, self._steps = self.goals[self._draws.integers(len(self.goals))], 0
        return self.observed(self.env.reset()[0]), {}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """A step; -1 until the goal is reached."""
        now = self.observed(self.env.step(action)[0])
        self._steps += 1
        reward = self.compute_reward(now["achieved_goal"], now["desired_goal"], {})
        return now, float(reward), False, self._steps == EPISODE or not self.env.left, {}

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> rewards.Floats:
        """Rewards of any number of latents: (..., D) and (..., D) -> (...)."""
        return rewards.sparse(rewards.hand_distance(achieved_goal, desired_goal), THRESHOLD)

    def observed(self, now: Observation) -> Observation:
        """What the policy sees."""
        others = felt(self.env.arm, now["joints"], now["joint_velocities"])
        seen = self.latents.of_frame(now["eye"]).numpy()
        return {"observation": others, "achieved_goal": seen, "desired_goal": self.goal}


class ActorCritic(LatentAgent):
    """Babbles a third of the budget for its autoencoder, and learns by reward in the rest."""

    updates = 4
    """Updates for each step; half as many if there are more than 5,000 steps, for the time."""

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Babbles, trains the autoencoder, then SAC."""
        seen = babble(env, max(LEAST, min(_MOST_BABBLED, budget // _BABBLED)), seed)
        self.latents = Latents.learned(seen, env.arm, seed, self.encoding)
        states = self.latents.states(seen).numpy()
        self.infant = LatentGoals(env, self.latents, states[:, : self.latents.size], seed)
        self.model = self._new_model(env, seed, 0 if len(seen) > EPISODE else EPISODE)
        self._remember(seen, states)
        self.model.learn(env.left)

    def act(self, observation: Observation) -> Action | None:
        """The policy's action, without noise."""
        if self.arrival.reached(observation):
            return None
        self.infant.goal = self.goal.numpy()
        action: Action = self.model.predict(self.infant.observed(observation), deterministic=True)[0]
        return action

    def _new_model(self, env: LearningEnv, seed: int, waits: int) -> SAC:
        """SAC that begins to learn after so many steps; HER needs a whole episode."""
        updates = self.updates if env.left <= 5000 else self.updates // 2
        sizes: dict[str, Any] = {"buffer_size": env.budget + EPISODE, "batch_size": 128, "learning_starts": waits}
        often = {"train_freq": 1, "gradient_steps": updates}
        rate = LinearSchedule(1e-3, 1e-4, 1.0)
        return SAC(
            "MultiInputPolicy", self.infant, rate, **sizes, **often, tau=0.02, gamma=0.7, ent_coef=0.002, seed=seed,
            replay_buffer_class=HerReplayBuffer, replay_buffer_kwargs={"n_sampled_goal": 4},
            policy_kwargs={"net_arch": [256, 256]}, device="cpu",
        )  # fmt: skip

    def _remember(self, seen: Seen, states: Floats) -> None:
        """Puts whole babbled episodes into the replay buffer, with goals as in the training."""
        size, buffer = self.latents.size, self.model.replay_buffer
        for step in range(len(seen.actions) // EPISODE * EPISODE):
            if step % EPISODE == 0:
                self.infant.reset()
            before, after = (self._remembered(states[k], size) for k in (step, step + 1))
            reward = self.infant.compute_reward(after["achieved_goal"], after["desired_goal"], {})
            ends = np.array([step % EPISODE == EPISODE - 1])
            buffer.add(
                before, after, seen.actions[step][None], np.asarray(reward), ends, [{"TimeLimit.truncated": True}]
            )

    def _remembered(self, state: Floats, size: int) -> dict[str, NDArray[Any]]:
        parts = {"observation": state[size:], "achieved_goal": state[:size], "desired_goal": self.infant.goal}
        return {name: part[None] for name, part in parts.items()}
