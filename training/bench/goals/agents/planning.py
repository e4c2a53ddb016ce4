"""Planning by the cross-entropy method (CEM) in a latent world model, as DINO-WM does.

Zhou, Pan, LeCun and Pinto, "DINO-WM: World Models on Pre-trained Visual Features enable Zero-shot Planning", 2024
(arXiv:2411.04983): a frozen encoder, dynamics that are trained on random motion, and CEM on the squared distance between the
predicted last latents and those of the goal, again and again (MPC). From there: 300 samples, the best 30, 5 control steps to an
action.

Departures: the encoder is this project's autoencoder, trained within the budget, instead of DINOv2's patches; the dynamics are a
perceptron over one state instead of a transformer over three; 10 rounds instead of 30; one action
lies ahead, because the arm is at any target within it.
"""

import torch

from .dynamics import LatentDynamics, learned_dynamics
from .entry import Action, LearningEnv, Observation
from .latents import LatentAgent, Latents
from .seen import babble

SAMPLES, BEST, ROUNDS = 300, 30, 10
REPLANS = 5
"""Control steps between two plans."""


class LatentPlanning(LatentAgent):
    """Babbles, learns latents and their dynamics, and plans the target whose outcome looks like the goal."""

    training = 4000
    """Training steps of the dynamics, of 128 starts."""
    dynamics: LatentDynamics

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Babbles for the whole budget, then trains autoencoder and dynamics."""
        seen = babble(env, budget, seed)
        self.latents = Latents.learned(seen, env.arm, seed, self.encoding)
        states, actions = self.latents.states(seen), torch.from_numpy(seen.actions)
        self.dynamics = learned_dynamics(states, actions, self.training, seed)
        self.random = torch.Generator().manual_seed(seed)

    def act(self, observation: Observation) -> Action | None:
        """The planned action; a new plan every five steps."""
        if self.arrival.reached(observation):
            return None
        if self.arrival.taken % REPLANS == 1:
            self.plan = self._planned(self.latents.state(observation))
        return self.plan

    @torch.inference_mode()
    def _planned(self, state: torch.Tensor) -> Action:
        """The mean of the best actions of the last round, (J,)."""
        joints = len(self.latents.arm.joint_names)
        mean, deviation, size = torch.zeros(joints), torch.ones(joints), self.latents.size
        for _ in range(ROUNDS):
            drawn = torch.randn((SAMPLES, joints), generator=self.random)
            tried = (mean + deviation * drawn).clamp(-1, 1)
            ends = self.dynamics.held(state.expand(SAMPLES, -1), tried)[:, :size]
            best = tried[(ends - self.goal).square().mean(1).argsort()[:BEST]]
            mean, deviation = best.mean(0), best.std(0)
        return mean.numpy()
