"""Priors for `Residual`: poses for a goal that need no reinforcement learning."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..mind.imagination import Imagination
from ..world.world_model import WorldModel
from .residual import Observation, Prior

_NEAREST = 32  # number of remembered poses with the nearest hands
_STEPS, _DAMPING = 5, 1e-4  # of damped least squares; the damping in m^2


def of_pictures(imagination: Imagination) -> Prior:
    """A prior for picture goals (`ImageGoals`): the likeliest hypothesis of the imagination."""

    def prior(observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        picture = imagination.format.squeeze(info["goal_frame"])
        return imagination.hypotheses(picture[None], 1).joints[0, 0].cpu().numpy()

    return prior


def of_places(world: WorldModel) -> Prior:
    """A prior for hand goals: among remembered poses with a near hand, the one nearest to the present pose.

    Damped least squares (Wampler, 1986) with the world model's arm then move its hand to the goal.
    """
    hands = world.hand(world.poses)  # (M, 3)
    low, high = world.response.ranges.T

    def prior(observation: Observation, info: dict[str, Any]) -> NDArray[np.float32]:
        place = torch.as_tensor(observation["desired_goal"], device=world.device)
        joints = torch.as_tensor(observation["observation"][: len(low)], device=world.device)
        near = world.poses[(hands - place).norm(dim=1).topk(min(_NEAREST, len(hands)), largest=False).indices]
        pose = near[(near - joints).abs().amax(1).argmin()]
        for _ in range(_STEPS):
            pose = torch.minimum(torch.maximum(pose + _step_toward(world, pose, place), low), high)
        return pose.cpu().numpy()

    return prior


def _step_toward(world: WorldModel, pose: Tensor, place: Tensor) -> Tensor:
    """Change of the joints that moves the hand toward a place, (J,), rad."""
    slopes = torch.func.jacrev(world.response.chain.hand)(pose)  # (3, J)
    damped = slopes @ slopes.T + _DAMPING * torch.eye(3, device=pose.device)
    return slopes.T @ torch.linalg.solve(damped, place - world.hand(pose[None])[0])
