"""Where the infant would go for a goal before it has learned anything by reinforcement: what `Residual` corrects."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..mind.imagination import Imagination
from ..world.world_model import WorldModel
from .residual import Observation, Prior

_NEAREST = 32  # remembered poses whose hands are nearest to a place
_STEPS, _DAMPING = 5, 1e-4  # of damped least squares; m^2


def of_pictures(imagination: Imagination) -> Prior:
    """For picture goals (`ImageGoals`): the likeliest of the agent's hypotheses, tried in its head."""

    def prior(observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        return imagination.hypotheses(info["goal_picture"][None], 1).joints[0, 0].cpu().numpy()

    return prior


def of_places(world: WorldModel) -> Prior:
    """For the hand's place: of the remembered poses whose hand is near to it the one that is the shortest way, moved until it
    is there, by the arm as the world model knows it (damped least squares: Wampler, 1986)."""
    hands = world.hand(world.poses)  # (M, 3)
    low, high = world.response.ranges.T

    def prior(observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        place = torch.as_tensor(observation["desired_goal"], device=world.device)
        joints = torch.as_tensor(observation["observation"][: len(low)], device=world.device)
        near = world.poses[(hands - place).norm(dim=1).topk(min(_NEAREST, len(hands)), largest=False).indices]
        pose = near[(near - joints).abs().amax(1).argmin()]
        for _ in range(_STEPS):
            pose = torch.minimum(torch.maximum(pose + _step(world, pose, place), low), high)
        return pose.cpu().numpy()

    return prior


def _step(world: WorldModel, pose: Tensor, place: Tensor) -> Tensor:
    """How the joints turn to bring the hand to a place, (J,), rad."""
    slopes = torch.func.jacrev(world.response.chain.hand)(pose)  # (3, J)
    damped = slopes @ slopes.T + _DAMPING * torch.eye(3, device=pose.device)
    return slopes.T @ torch.linalg.solve(damped, place - world.hand(pose[None])[0])
