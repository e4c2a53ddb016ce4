"""A world model of latents: the next state from the present one and the action."""

import torch
from torch import Tensor, nn

from .latents import fitted, perceptron
from .seen import HOLD

ROLLOUT = 8
"""Control steps for which an action is imagined to be held; the arm arrives within them."""


class LatentDynamics(nn.Module):
    """Predicts the change of a state (latents, joints, velocities) in one control step.

    Args:
        state: numbers in a state, S.
        action: numbers in an action, J.
    """

    def __init__(self, state: int, action: int) -> None:
        super().__init__()
        self.change = perceptron(state + action, state)

    def forward(self, states: Tensor, actions: Tensor) -> Tensor:
        """States (B, S) and actions (B, J) -> the next states (B, S)."""
        return states + self.change(torch.cat([states, actions], 1))

    def held(self, states: Tensor, actions: Tensor, steps: int = ROLLOUT) -> Tensor:
        """The states (B, S) after an action is held for some steps."""
        for _ in range(steps):
            states = self(states, actions)
        return states


def learned_dynamics(states: Tensor, actions: Tensor, steps: int, seed: int, together: int = HOLD) -> LatentDynamics:
    """Trains dynamics on a life, over several steps at once, so that errors do not grow in imagination.

    Args:
        states: the states of all moments, (N + 1, S).
        actions: the actions between them, (N, J).
        steps: training steps, of 128 starts.
        seed: seed of weights and batches.
        together: control steps that are predicted one from the other.
    """
    torch.manual_seed(seed)
    model, random = LatentDynamics(states.shape[1], actions.shape[1]), torch.Generator().manual_seed(seed)
    starts = len(actions) - together + 1

    def loss() -> Tensor:
        at = torch.randint(starts, (128,), generator=random)
        now, errors = states[at], []
        for k in range(together):
            now = model(now, actions[at + k])
            errors.append((now - states[at + k + 1]).square().mean())
        return torch.stack(errors).mean()

    fitted(model, loss, steps)
    return model
