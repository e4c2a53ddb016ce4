"""`infant-arm train-generator`: the network that draws what the eye would see in a pose."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agents.mind.imagination import GENERATOR
from agents.networks.generator import KIND, PictureGenerator
from agents.tools import checkpoints
from infant_env.senses import vision

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.distributed import Place
from .network import NetworkTraining, in_chunks, picture_errors, samples_of, threads

TRAINING = "generator.training.safetensors"
"""A training that is not done; removed when it is."""
_WEIGHT_DECAY = 0.01
_LITTLE = 0.05  # of what pictures show on average: one that shows less counts no more


@dataclass(frozen=True)
class Config:
    """Train the network that draws what the eye would see in a pose, with which the agent tries things in its head."""

    data: Path
    """The data set's folder."""
    run: Path
    """The run's folder; made when it is missing."""
    epochs: int = 24
    """Times that every training pose is drawn; the learning rate falls to zero over them."""
    batch_size: int = 64
    """Pictures per step."""
    learning_rate: float = 3e-3
    """Highest learning rate of AdamW, after a warm-up of a tenth of the steps."""
    width: int = 32
    """Channels of the finest feature maps."""
    points: int = 32
    """Points of the arm that are followed in the picture."""
    seed: int = 0
    """Seed of the initial weights and of the order of the poses."""
    device: runs.Device = "auto"
    """Where to compute."""
    threads: int = 1
    """Processor threads; a second one gains little and stalls when another process holds its core."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "epochs", "batch_size", "width", "points", "threads")
        runs.check_learning_rate(self)


@dataclass(frozen=True)
class Draws:
    """A generator as a method of Table 1: it answers poses with pictures, and knows nothing else."""

    generator: PictureGenerator

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Pictures of normalized joints; nothing for any other question.

        Args:
            source: the known modality.
            samples: its samples, normalized joints (B, J) when it is `proprioception`.

        Returns:
            `vision` (B, 64, 64), or nothing.
        """
        if source != "proprioception":
            return {}
        return {"vision": in_chunks(self.generator.draw, samples, self.generator.background.device)}


def run(config: Config) -> PictureGenerator:
    """Trains, reports and saves one generator; resumes where a kill stopped it, does nothing when it is there already."""
    data = Dataset.open(config.data)
    device = runs.pick_device(config.device)
    identity = {"config": runs.settings(config), "dataset": data.fingerprint, "preprocessing": vision.VERSION}
    path = config.run / GENERATOR
    if path.exists() and identity.items() <= checkpoints.read_header(path, KIND).items():
        print(f"generator: {path} is there already")
        return PictureGenerator.load(path, device)
    runs.record_config(config.run, "train-generator", config)
    with runs.timed(config.run, "train-generator"), threads(config.threads):
        training = Training(config, data, Place(device))
        training.fit(config.run / TRAINING, identity)
        runs.merge(config.run, "metrics.json", {"generator": {"epochs": training.curve}})
        training.generator.save(path, identity)
        (config.run / TRAINING).unlink(missing_ok=True)
    return training.generator.eval()


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
