"""What latent agents have in common: a state of latents, joints and velocities, and how their networks are trained."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.networks.autoencoder import ConvAutoencoder
from infant_env.body.model import ArmModel
from infant_env.senses.vision import to_gray

from ....data.latents import in_chunks
from . import pictures
from .entry import Arrival, Observation, felt
from .pictures import SeenPoses
from .seen import Floats, Seen


@dataclass(frozen=True)
class Latents:
    """Turns what is observed into a state, (D + 2 J,): latents, joints in [-1, 1] and scaled velocities."""

    autoencoder: ConvAutoencoder
    arm: ArmModel

    @classmethod
    def learned(cls, seen: Seen, arm: ArmModel, seed: int, steps: int) -> "Latents":
        """Trains the autoencoder on what was seen, for about so many steps."""
        return cls(pictures.trained_autoencoder(SeenPoses.of(seen, arm), seed, steps), arm)

    @property
    def size(self) -> int:
        """Number of latents of a picture, D."""
        return self.autoencoder.latent_size

    def of_pictures(self, gray: Floats) -> Tensor:
        """Latents of pictures (N, 64, 64), shape (N, D)."""
        device = self.autoencoder.background.device
        return in_chunks(self.autoencoder.encode, torch.from_numpy(gray), device).clone()  # to be trained on

    def of_frame(self, eye: NDArray[np.uint8]) -> Tensor:
        """Latents of a frame, shape (D,)."""
        return self.of_pictures(to_gray(eye)[None])[0]

    def states(self, seen: Seen) -> Tensor:
        """The states of all moments, (N + 1, D + 2 J)."""
        others = torch.from_numpy(felt(self.arm, seen.joints, seen.velocities))
        return torch.cat([self.of_pictures(seen.gray()), others], 1)

    def state(self, observation: Observation) -> Tensor:
        """The present state, (D + 2 J,)."""
        others = torch.from_numpy(felt(self.arm, observation["joints"], observation["joint_velocities"]))
        return torch.cat([self.of_frame(observation["eye"]), others])


class LatentAgent:
    """An agent whose goal is the latents of the goal's picture. Its `learn` sets `latents`."""

    encoding = 2000
    """Training steps of the autoencoder, of 64 pictures, about."""
    latents: Latents
    goal: Tensor
    arrival: Arrival

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Encodes the goal."""
        self.goal, self.arrival = self.latents.of_frame(eye), Arrival()


def perceptron(given: int, wanted: int, width: int = 256) -> nn.Sequential:
    """A network of two hidden layers."""
    inner = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.SiLU())
    return nn.Sequential(nn.Linear(given, width), nn.LayerNorm(width), nn.SiLU(), *inner, nn.Linear(width, wanted))


def fitted(network: nn.Module, loss_of: Callable[[], Tensor], steps: int, rate: float = 1e-3) -> None:
    """Trains a network with AdamW; the learning rate rises and falls to zero.

    Args:
        network: the network.
        loss_of: the loss of a random batch.
        steps: number of training steps.
        rate: highest learning rate.
    """
    adam = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps, pct_start=0.1)
    network.train()
    for _ in range(steps):
        loss = loss_of()
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    network.eval()
