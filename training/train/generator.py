"""`infant-arm train-generator`: the network that draws the picture of a pose."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from agents.mind.imagination import GENERATOR
from agents.networks.generator import KIND, PictureGenerator
from agents.tools.precision import fast_precision
from infant_env.senses.vision import COLOR, GRAY

from ..data.dataset import Dataset
from ..data.latents import CHUNK, Samples, in_chunks
from ..runs.config import Count, NetworkConfig, Width
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Epochs
from .pictures import PictureTraining, arms_of, gazes_of, moving_eye, picture_errors, validation_rows
from .skeleton import BEFORE, Stage, Work

_WEIGHT_DECAY = 0.01
_LITTLE = 0.05  # share of what pictures show on average; limits the importance of those that show less


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train the network that draws the picture of a pose; the agent imagines poses with it."""

    epochs: Count = field(default=20, metadata={BEFORE: 24})
    """How often the training draws every pose; meanwhile the learning rate falls to zero."""
    batch_size: Count = field(default=32, metadata={BEFORE: 64})
    """Samples per step."""
    width: Width = 32
    """Channels of the finest feature maps."""
    points: Width = 32
    """Points of the arm that the network follows in the picture."""
    color: bool = field(default=True, metadata={BEFORE: False})
    """Draw in red, green and blue; then the agent thinks in color. Else in gray, as the paper's autoencoder sees."""


def run(config: Config) -> PictureGenerator:
    """Trains, reports and saves one generator; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[PictureGenerator, Metrics]:
    training = Training(work.config, work.data, work.here)
    training.fit(work.checkpoint, work.identity)
    return training.generator.eval(), Metrics(generator=Epochs(training.curve))


STAGE = Stage(
    "train-generator", "generator", GENERATOR, KIND, Config, _fit,
    lambda run, _, device: PictureGenerator.load(run / GENERATOR, device), moving_eye=True,
)  # fmt: skip


class Training(PictureTraining):
    """A generator's training; the loss is the mean squared error of each picture, relative to how much it shows.

    With the plain error, the generator would hardly learn pictures that show only a finger. Poses are easily confused in
    just these pictures.
    """

    kind = KIND
    config: Config

    def __init__(self, config: Config, data: Dataset, here: Place) -> None:
        super().__init__(config, data.squeezed_to(COLOR if config.color else GRAY), here)

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        background, sizes = (
            torch.from_numpy(data.background),
            (self.joints.shape[1], self.config.width, self.config.points),
        )
        self.generator = PictureGenerator(background, *sizes, moving_eye(data), arms_of(data)).to(here.device)
        self.poses = torch.cat([self.joints, gazes_of(data, data.split("train"), here.device)], 1)
        gazes = gazes_of(data, validation_rows(data), here.device)
        self.validation_poses = torch.cat([self.validation_joints, gazes], 1)
        self.importance = importance(self.images, self.generator, self.poses)
        return {"generator": self.generator}, _WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with fast_precision(self.here.device):
            pictures = self.generator(self.poses[batch])
        errors = (pictures - self.images[batch]).square().flatten(1).mean(1)
        return (self.importance[batch] * errors).mean(), errors.mean()

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        self.generator.eval()
        pictures = in_chunks(self.generator, self.validation_poses, self.here.device)
        backgrounds = self.generator.backgrounds(self.validation_poses)
        return picture_errors(pictures, self.validation_images, backgrounds)


@torch.no_grad()
def importance(images: Samples, generator: PictureGenerator, poses: Tensor) -> Tensor:
    """Weight of each picture in the loss, (N, ...) -> (N,), mean 1: the less of the arm it shows, the larger.

    Args:
        images: the pictures.
        generator: knows what they would show without the arm.
        poses: normalized joints, followed by the gaze of an eye that moves.
    """
    parts = zip(images.split(CHUNK), poses.split(CHUNK), strict=True)
    shown = torch.cat([(part - generator.backgrounds(there)).square().flatten(1).mean(1) for part, there in parts])
    counts = 1 / (shown + _LITTLE * shown.mean()).clamp(min=1e-9)
    return counts / counts.mean()
