"""Readings: how trained models make the predictions of Table 1."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from agents.mind.imagination import Imagination
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.generator import PictureGenerator, luminance
from agents.networks.glance import PictureReader
from agents.som.readout import Readout
from agents.som_training.sample_som import SampleSom
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION, VISION_LEFT
from infant_env.senses.vision import GRAY_SIZE, Format

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
        return self.predict_from({source: samples})

    def predict_from(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As `predict`, with the gaze (B, 2), in [0, 1], of an eye that moves; without it, the gaze is straight ahead."""
        mind, eye = self.imagination.mind, self.imagination.generator.eye
        known = {name: values.to(mind.device) for name, values in samples.items()}
        gazes = eye.angles(known[GAZE]) if eye is not None and GAZE in known else None
        parts = [slice(k, k + _AT_ONCE) for k in range(0, len(next(iter(known.values()))), _AT_ONCE)]
        looked = [None if gazes is None else gazes[rows] for rows in parts]
        if VISION in known:
            pairs = tqdm(zip(parts, looked, strict=True), desc="imagery", leave=False, total=len(parts))
            found = [self.imagination.hypotheses(known[VISION][rows], 1, gaze).joints[:, 0] for rows, gaze in pairs]
        elif PROPRIOCEPTION in known:
            found = [mind.denormalize(known[PROPRIOCEPTION][rows]) for rows in parts]
        else:
            return {}
        drawn = [luminance(self.imagination.draw(*each)) for each in zip(found, looked, strict=True)]
        return {VISION: torch.cat(drawn), PROPRIOCEPTION: mind.normalize(torch.cat(found))}


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
        told = 0 if self.generator.eye is None else 2  # an eye that moves looks straight ahead
        return luminance(self.generator.draw(torch.cat([joints, joints.new_full((len(joints), told), 0.5)], 1)))


@dataclass(frozen=True)
class JointsReading:
    """A network that predicts only joints from pictures, and from the gaze of an eye that moves."""

    network: PictureReader

    @property
    def format(self) -> Format:
        """The format of the pictures that it is given."""
        return Format.of(self.network.background.shape)

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Normalized joints (B, J) from pictures (B, *format.shape); nothing from other senses."""
        return self.predict_from({source: samples})

    def predict_from(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As `predict`, with the gaze (B, 2), in [0, 1]; without it, the gaze is straight ahead."""
        if VISION not in samples:
            return {}
        return {PROPRIOCEPTION: self.network.predict(samples[VISION], samples.get(GAZE))}
