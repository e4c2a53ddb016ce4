"""`infant-arm train-generator`: the network that draws what the eye would see in a pose."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agents.mind.imagination import GENERATOR
from agents.networks.generator import KIND, PictureGenerator

from ..data.dataset import Dataset
from ..data.latents import in_chunks
from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Epochs
from .network import NetworkTraining, picture_errors
from .samples import samples_of
from .skeleton import Stage, Work

_WEIGHT_DECAY = 0.01
_LITTLE = 0.05  # of what pictures show on average: one that shows less counts no more


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train the network that draws what the eye would see in a pose, with which the agent tries things in its head."""

    epochs: int = 24
    """Times that every training pose is drawn; the learning rate falls to zero over them."""
    width: int = 32
    """Channels of the finest feature maps."""
    points: int = 32
    """Points of the arm that are followed in the picture."""


def run(config: Config) -> PictureGenerator:
    """Trains, reports and saves one generator; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[PictureGenerator, Metrics]:
    training = Training(work.config, work.data, work.here)
    training.fit(work.under_way, work.identity)
    return training.generator.eval(), Metrics(generator=Epochs(training.curve))


def _load(run: Path, _: Dataset, device: torch.device) -> PictureGenerator:
    return PictureGenerator.load(run / GENERATOR, device)


STAGE = Stage("train-generator", "generator", GENERATOR, KIND, Config, _fit, _load)


class Training(NetworkTraining):
    """A generator's training under way; the loss is the mean squared error of the pictures, relative to what they show.

    By the plain error a picture that shows but a finger would hardly be learned, and it is such pictures that several poses
    can be mistaken for.

    Args:
        config: the command's config.
        data: the data set.
        here: where to compute.
    """

    kind = KIND

    def __init__(self, config: Config, data: Dataset, here: Place) -> None:
        self.images, self.joints = samples_of(data, "train", here.device)
        self.validation_images, self.validation_joints = samples_of(data, "validation", here.device)
        torch.manual_seed(config.seed)
        background = torch.from_numpy(data.background)
        self.generator = PictureGenerator(background, self.joints.shape[1], config.width, config.points).to(here.device)
        self.importance = importance(self.images, self.generator.background)
        super().__init__(config, {"generator": self.generator}, _WEIGHT_DECAY, len(self.images), here)

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(self.here.device.type, torch.bfloat16):
            pictures = self.generator(self.joints[batch])
        errors = (pictures - self.images[batch]).square().mean((1, 2))
        return (self.importance[batch] * errors).mean(), errors.mean()

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        self.generator.eval()
        pictures = in_chunks(self.generator, self.validation_joints, self.here.device)
        return picture_errors(pictures, self.validation_images, self.generator.background)


def importance(images: Tensor, background: Tensor) -> Tensor:
    """How much each picture counts in training, (N, 64, 64) -> (N,), mean 1: inversely to how much of the arm it shows."""
    shown = (images - background).square().mean((1, 2))
    counts = 1 / (shown + _LITTLE * shown.mean()).clamp(min=1e-9)
    return counts / counts.mean()
