"""This project's agent: mental imagery over a SOM-AE, trained on what was seen in the budget."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from agents.mind.agent import MentalImageryAgent
from agents.mind.imagination import Imagination
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.generator import PictureGenerator
from agents.networks.glance import Glance
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.vision import GRAY

from ....data.latents import in_chunks
from ....measure.senses import SENSES
from ....train import generator, glance
from . import pictures
from .entry import Action, LearningEnv, Observation, rests
from .pictures import SeenPoses
from .seen import babble

_NEURONS = 53  # per sample (paper)
_LARGEST_SIDE = 800


class Imagery:
    """`MentalImageryAgent`, with the settings of `reproduce` except for the number of training steps.

    It babbles for the whole budget: each step is a pair of a picture and a pose, also while the arm moves. The expected poses
    have no calibration: probabilities are not measured here.
    """

    encoding = 1000
    """Training steps of the autoencoder, of 64 pictures, about."""
    drawing = 1500
    """Training steps of the generator, and of the glance, of 32 pictures, about."""

    def learn(self, env: LearningEnv, budget: int, seed: int) -> None:
        """Babbles, then trains autoencoder, map, generator and glance."""
        data = SeenPoses.of(babble(env, budget, seed), env.arm)
        autoencoder = pictures.trained_autoencoder(data, seed, self.encoding)
        gray = torch.from_numpy(data.squeezed_to(GRAY).pictures)
        latents = in_chunks(autoencoder.encode, gray, pictures.here().device)
        joints = torch.from_numpy(data.normalized_felt_joints)
        mind = SomAutoencoder(autoencoder, trained_map(latents, joints, seed), env.arm.joint_ranges)
        drawing = self._trained_generator(data, seed)
        imagination = Imagination(mind, drawing, self._trained_glance(data, drawing, seed))
        self.agent = MentalImageryAgent(imagination)

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Finds poses that may show the goal."""
        self.agent.see_goal(eye)

    def act(self, observation: Observation) -> Action | None:
        """The agent's action, until it plans no more corrections and the arm rests."""
        action = self.agent.act(observation)
        return None if self.agent.done and rests(observation) else action

    def _trained_generator(self, data: SeenPoses, seed: int) -> PictureGenerator:
        config = generator.Config(**pictures.settings(seed, pictures.epochs_for(self.drawing, data, 32)))
        training = generator.Training(config, data, pictures.here())
        training.fit()
        return training.generator.eval()

    def _trained_glance(self, data: SeenPoses, drawing: PictureGenerator, seed: int) -> Glance:
        config = glance.Config(**pictures.settings(seed, pictures.epochs_for(self.drawing, data, 32)))
        training = glance.Training(config, data, drawing, pictures.here())
        training.fit()
        training.glance.load_state_dict(training.best)
        return training.glance.eval()


def trained_map(latents: torch.Tensor, joints: torch.Tensor, seed: int) -> MultiModalSom:
    """A map of latents (N, D) and normalized joints (N, J), with as many neurons per sample as in the paper."""
    side = min(_LARGEST_SIDE, math.isqrt(_NEURONS * len(joints)))
    samples = {VISION: latents, PROPRIOCEPTION: joints}
    return train(
        samples, (side, side), {sense.name: sense.influence for sense in SENSES if sense.name in samples}, seed
    )
