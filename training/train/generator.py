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
from .pictures import PictureTraining, picture_errors
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
    lambda run, _, device: PictureGenerator.load(run / GENERATOR, device),
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
        background, joint_count = torch.from_numpy(data.background), self.joints.shape[1]
        generator = PictureGenerator(background, joint_count, self.config.width, self.config.points)
        self.generator = generator.to(here.device)
        self.importance = importance(self.images, self.generator.background)
        return {"generator": self.generator}, _WEIGHT_DECAY

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        with fast_precision(self.here.device):
            pictures = self.generator(self.joints[batch])
        errors = (pictures - self.images[batch]).square().flatten(1).mean(1)
        return (self.importance[batch] * errors).mean(), errors.mean()

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        self.generator.eval()
        pictures = in_chunks(self.generator, self.validation_joints, self.here.device)
        return picture_errors(pictures, self.validation_images, self.generator.background)


def importance(images: Samples, background: Tensor) -> Tensor:
    """Weight of each picture in the loss, (N, ...) -> (N,), mean 1: the less of the arm it shows, the larger."""
    parts = (images,) if isinstance(images, Tensor) else images.split(CHUNK)
    shown = torch.cat([(part - background).square().flatten(1).mean(1) for part in parts])
    counts = 1 / (shown + _LITTLE * shown.mean()).clamp(min=1e-9)
    return counts / counts.mean()
