"""An explorer that learns to reach goals in the imagination of an ensemble of world models, as LEXA does.

Mendonca, Rybkin, Daniilidis, Hafner and Pathak, "Discovering and Achieving Goals via World Models", 2021 (arXiv:2110.09514): an
explorer seeks what an ensemble of world models disagrees about (Plan2Explore), and an achiever, a policy that sees state and
goal, is trained by gradients through imagined motion to come near goals from the replay buffer.

It is small here. Departures: the state is not recurrent (latents of this project's autoencoder, joints, velocities: nothing is
hidden from it); the explorer is no policy, it takes the most disputed of 256 random targets; the ensemble of four is the world
model itself; the reward is the nearness of latents (the paper's second variant), not a learned number of steps; 8 imagined steps
instead of 15, because the arm arrives within them, and no value beyond.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .dynamics import ROLLOUT, LatentDynamics, learned_dynamics
from .entry import Action, LearningEnv, Observation
from .latents import LatentAgent, Latents, fitted, perceptron
from .seen import HOLD, LEAST, Recorder, Seen, babble

ENSEMBLE, CANDIDATES, BATCH = 4, 256, 128
_FIRST = 0.25  # share of the budget that is babbled
_ROUNDS = 2  # of exploration, each with models of all that was seen before


class Explorer(LatentAgent):
    """Babbles a little, explores what its world models dispute, and trains an achiever in their imagination."""

    training = 1500
    """Training steps of each world model in the last round, and of the achiever."""

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Babbles for a quarter of the budget, explores in two rounds, then trains the achiever."""
        seen = babble(env, max(LEAST, round(_FIRST * budget)), seed)
        random = torch.Generator().manual_seed(seed)
        for later in range(_ROUNDS):
            self.latents = Latents.learned(seen, env.arm, seed, self.encoding // 3)
            models = self._models(seen, seed, self.training // 3)
            seen = seen.then(self._explored(env, models, env.left // (_ROUNDS - later), random))
        self.latents = Latents.learned(seen, env.arm, seed, self.encoding)
        models = self._models(seen, seed, self.training)
        self.achiever = self._trained_achiever(models, self.latents.states(seen), seed, random)

    @torch.inference_mode()
    def act(self, observation: Observation) -> Action | None:
        """The achiever's action."""
        if self.arrival.reached(observation):
            return None
        return self.achiever(torch.cat([self.latents.state(observation), self.goal])[None])[0].numpy()

    def _models(self, seen: Seen, seed: int, steps: int) -> list[LatentDynamics]:
        """World models with different weights and batches."""
        states, actions = self.latents.states(seen), torch.from_numpy(seen.actions)
        return [learned_dynamics(states, actions, steps, 100 * seed + k) for k in range(ENSEMBLE)]

    @torch.inference_mode()
    def _explored(
        self, env: LearningEnv, models: Sequence[LatentDynamics], steps: int, random: torch.Generator
    ) -> Seen:
        """What is seen while each target, held as in babbling, is the most disputed one."""
        recorder, joints = Recorder(env), len(env.arm.joint_names)
        for step in range(steps):
            if step % HOLD == 0:
                tried = 2 * torch.rand((CANDIDATES, joints), generator=random) - 1
                state = self.latents.state(recorder.now).expand(CANDIDATES, -1)
                ends = torch.stack([model.held(state, tried)[:, : self.latents.size] for model in models])
                target = tried[ends.var(0).mean(1).argmax()].numpy()
            recorder.step(target)
        return recorder.seen()

    def _trained_achiever(
        self, models: Sequence[LatentDynamics], states: Tensor, seed: int, random: torch.Generator
    ) -> nn.Module:
        """A policy that comes near the latents of seen moments, in the imagination of a random world model each time."""
        size, joints = self.latents.size, len(self.latents.arm.joint_names)
        torch.manual_seed(seed)
        achiever = nn.Sequential(perceptron(states.shape[1] + size, joints), nn.Tanh())
        for model in models:
            model.requires_grad_(False)

        def loss() -> Tensor:
            start, goal = torch.randint(len(states), (2, BATCH), generator=random)
            model = models[int(torch.randint(ENSEMBLE, (1,), generator=random))]
            goals, now, apart = states[goal, :size], states[start], []
            for _ in range(ROLLOUT):
                now = model(now, achiever(torch.cat([now, goals], 1)))
                apart.append((now[:, :size] - goals).square().mean(1).sqrt())
            return torch.stack(apart).mean()

        fitted(achiever, loss, self.training)
        return achiever
