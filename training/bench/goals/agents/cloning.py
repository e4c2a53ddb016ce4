"""Goal-conditioned behavioral cloning: the action that was taken before a later picture was seen.

Ding, Florensa, Abbeel and Phielipp, "Goal-conditioned Imitation Learning", 2019 (arXiv:1906.05838) and Ghosh et al., "Learning to
Reach Goals via Iterated Supervised Learning", 2021 (arXiv:1912.06088): each later moment of a trajectory is the goal of the
actions before it (hindsight). The network sees the pair of the present picture and the goal picture.

Departure: the actions are not iterated; they come from babbling. A later moment counts as a goal only while the same target is
held, because no action of a random target is meant for what comes after it. (Only the last moment of each target as a goal: .04
instead of .10 of 50 validation goals within 2 cm after 3,000 steps.)
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.networks.autoencoder import picture_encoder
from infant_env.senses.vision import to_gray

from .entry import Action, Arrival, LearningEnv, Observation, felt
from .latents import fitted, perceptron
from .pictures import SeenPoses
from .seen import HOLD, Seen, babble

_CODE = 64


class PairPolicy(nn.Module):
    """A convolutional network over the present picture and the goal picture, and what is felt, to an action.

    Args:
        background: the picture without the arm, (64, 64).
        felt: numbers that are felt.
        joints: numbers of an action, J.
        width: channels of the finest feature maps.
    """

    background: Tensor

    def __init__(self, background: Tensor, felt: int, joints: int, width: int = 16) -> None:
        super().__init__()
        self.register_buffer("background", background)
        self.encoder = picture_encoder(_CODE, width, 2, 4)
        self.head = perceptron(_CODE + felt, joints)

    def forward(self, now: Tensor, goals: Tensor, felt: Tensor) -> Tensor:
        """Pictures (B, 64, 64) twice and what is felt (B, F) -> actions (B, J)."""
        pairs = torch.stack([now, goals], 1) - self.background
        return self.head(torch.cat([self.encoder(pairs), felt], 1))


class Cloning:
    """Babbles, and clones its babbling for the goals that it happened to reach."""

    training = 6000
    """Training steps of the policy, of 64 pairs."""
    policy: PairPolicy

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Babbles for the whole budget, then trains the policy."""
        seen, self.arm = babble(env, budget, seed), env.arm
        torch.manual_seed(seed)
        joints = seen.joints.shape[1]
        self.policy = PairPolicy(torch.from_numpy(SeenPoses.of(seen, env.arm).background), 2 * joints, joints)
        fitted(self.policy, self._loss(seen, seed), self.training, rate=2e-3)

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Keeps the goal picture."""
        self.goal, self.arrival = torch.from_numpy(to_gray(eye))[None], Arrival()

    @torch.inference_mode()
    def act(self, observation: Observation) -> Action | None:
        """The cloned action."""
        if self.arrival.reached(observation):
            return None
        others = torch.from_numpy(felt(self.arm, observation["joints"], observation["joint_velocities"]))
        now = torch.from_numpy(to_gray(observation["eye"]))
        return self.policy(now[None], self.goal, others[None])[0].clamp(-1, 1).numpy()

    def _loss(self, seen: Seen, seed: int) -> Callable[[], Tensor]:
        """The mean absolute error of the actions of 64 random moments, each with a goal from the same target."""
        images, actions = torch.from_numpy(seen.gray()), torch.from_numpy(seen.actions)
        others = torch.from_numpy(felt(self.arm, seen.joints, seen.velocities))
        random = torch.Generator().manual_seed(seed)

        def loss() -> Tensor:
            at = torch.randint(len(actions), (64,), generator=random)
            last = (at - at % HOLD + HOLD).clamp(max=len(actions))
            ahead = (torch.rand(64, generator=random) * (last - at)).long() + 1
            return (self.policy(images[at], images[at + ahead], others[at]) - actions[at]).abs().mean()

        return loss
