"""Readings: how trained models make the predictions of Table 1."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from agents.mind.imagination import Imagination
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.generator import PictureGenerator, luminance
from agents.som.readout import Readout
from agents.som_training.sample_som import SampleSom
from infant_env.senses.modalities import PROPRIOCEPTION, VISION, VISION_LEFT
from infant_env.senses.vision import GRAY, GRAY_SIZE, Format

from ..data.latents import in_chunks

_AT_ONCE = 64  # number of pictures that it imagines together


@dataclass(frozen=True)
class MapReading:
    """A SOM-AE with one of its readouts."""

    mind: SomAutoencoder
    readout: Readout

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """See `SomAutoencoder.predict`."""
        return self.mind.predict(source, samples, self.readout)

    def predict_from(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `SomAutoencoder.predict_from`."""
        return self.mind.predict_from(samples, self.readout)


@dataclass(frozen=True)
class ImageryReading:
    """The SOM-AE as the agent uses it: it tries the map's candidates in its imagination, and the generator draws poses.

    From joints to joints it is the identity by construction, like the local linear readout.
    """

    imagination: Imagination

    @property
    def format(self) -> Format:
        """The format of the pictures that it is given."""
        return self.imagination.format

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From pictures (B, *format.shape): the likeliest hypothesis and its picture. From joints (B, J): their picture."""
        samples = samples.to(self.imagination.mind.device)
        if source == VISION:
            parts = tqdm(samples.split(_AT_ONCE), desc="imagery", leave=False)
            joints = torch.cat([self.imagination.hypotheses(part, 1).joints[:, 0] for part in parts])
        else:
            joints = self.imagination.mind.denormalize(samples)
        pictures = torch.cat([luminance(self.imagination.draw(part)) for part in joints.split(_AT_ONCE)])
        return {VISION: pictures, PROPRIOCEPTION: self.imagination.mind.normalize(joints)}


@dataclass(frozen=True)
class PixelMapReading:
    """The plain map over pixels: it predicts the winner's pixels and joints (paper, Sec. 2.2)."""

    som: SampleSom

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Predicts all senses from one: pictures (B, 64, 64), normalized joints (B, J), any other sense (B, ...)."""
        winners = self.som.winners({source: samples.flatten(1)})
        held = {name: self.som.weights_at(name, winners) for name in self.som.c}
        return held | {eye: held[eye].view(-1, *GRAY_SIZE) for eye in (VISION, VISION_LEFT) if eye in held}


@dataclass(frozen=True)
class GeneratorReading:
    """A generator; it predicts only pictures from poses, their luminance if it draws in color."""

    generator: PictureGenerator

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Pictures (B, 64, 64) from normalized joints (B, J); nothing from other senses."""
        if source != PROPRIOCEPTION:
            return {}
        return {VISION: in_chunks(self._gray, samples, self.generator.background.device)}

    def _gray(self, joints: Tensor) -> Tensor:
        return luminance(self.generator.draw(joints))


@dataclass(frozen=True)
class JointsReading:
    """A network that predicts only joints from pictures."""

    guess: Callable[[Tensor], Tensor]
    """Pictures (B, *format.shape) -> normalized joints (B, J)."""
    format: Format = GRAY
    """The format of the pictures that it is given."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Normalized joints (B, J) from pictures (B, *format.shape); nothing from other senses."""
        return {PROPRIOCEPTION: self.guess(samples)} if source == VISION else {}
