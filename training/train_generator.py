"""`infant-arm train-generator`: the network that draws what the eye would see in a pose."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from agents import checkpoints
from agents.autoencoder import arm_mask
from agents.generator import KIND, PictureGenerator
from infant_env import vision

from . import runs, training_state
from .autoencoder_training import in_chunks, one_cycle, threads
from .dataset import Dataset

GENERATOR = "generator.safetensors"
TRAINING = "generator.training.safetensors"
"""A training that is not done; removed when it is."""


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
        for name in ("epochs", "batch_size", "width", "points", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"got {name}={getattr(self, name)}, expected 1 or more")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"got learning_rate={self.learning_rate}, expected a positive number such as 0.003")


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
        training = Training(config, data, device)
        training.fit(config.run / TRAINING, identity)
        runs.merge(config.run, "metrics.json", {"generator": {"epochs": training.curve}})
        training.generator.save(path, identity)
        (config.run / TRAINING).unlink(missing_ok=True)
    return training.generator.eval()


class Training:
    """A training under way; the loss is the mean squared error of the pictures.

    Args:
        config: the command's config.
        data: the data set.
        device: where to compute.
    """

    def __init__(self, config: Config, data: Dataset, device: torch.device) -> None:
        self.config = config
        (self.joints, self.images), (self.validation_joints, self.validation_images) = (
            tuple(
                torch.from_numpy(values[data.split(split)]).to(device) for values in (data.normalized_joints, data.gray)
            )
            for split in ("train", "validation")
        )
        torch.manual_seed(config.seed)
        background = torch.from_numpy(data.background)
        self.generator = PictureGenerator(background, self.joints.shape[1], config.width, config.points).to(device)
        self.optimizer = torch.optim.AdamW(
            self.generator.parameters(), config.learning_rate, (0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.curve: training_state.Curve = []

    def fit(self, path: Path, identity: dict[str, Any]) -> None:
        """Trains what is still missing, writes a checkpoint after every epoch, shows a bar with the validation error."""
        modules = {"generator": self.generator}
        _, self.curve = training_state.resume(path, KIND, identity, modules, self.optimizer)
        with tqdm(total=self.config.epochs, initial=len(self.curve), desc="generator", unit="epoch") as bar:
            while len(self.curve) < self.config.epochs:
                self.epoch()
                training_state.save(path, KIND, identity, modules, self.optimizer, {}, self.curve)
                bar.set_postfix_str("validation MAE {mae:.4f}, arm MAE {arm_mae:.3f}".format(**self.curve[-1]))
                bar.update()

    def epoch(self) -> None:
        """Draws every training pose once, and validates."""
        start = time.perf_counter()
        entry = {"epoch": len(self.curve) + 1, "train_mse": self._train_epoch(), **self._validate()}
        if not all(math.isfinite(value) for value in entry.values()):
            raise ValueError(
                f"the generator's loss became {entry['train_mse']} in epoch {entry['epoch']}, expected a finite number; "
                f"train it again with a lower --learning-rate than {self.config.learning_rate}"
            )
        self.curve.append({**entry, "seconds": round(time.perf_counter() - start, 2)})

    def _train_epoch(self) -> float:
        config, epoch, device = self.config, len(self.curve), self.images.device
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(config.seed * 100_003 + epoch))
        batches = order.to(device).split(config.batch_size)
        total = torch.zeros((), device=device)
        self.generator.train()
        for k, batch in enumerate(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = config.learning_rate * one_cycle((epoch + k / len(batches)) / config.epochs)
            with torch.autocast(device.type, torch.bfloat16):
                pictures = self.generator(self.joints[batch])
            loss = (pictures - self.images[batch]).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * len(batch)
        return float(total / len(self.images))

    def _validate(self) -> dict[str, float]:
        self.generator.eval()
        pictures = in_chunks(self.generator.draw, self.validation_joints, self.images.device)
        errors = (pictures - self.validation_images).abs()
        mask = arm_mask(self.validation_images, self.generator.background)
        return {
            "validation_mse": float(errors.square().mean()),
            "mae": float(errors.mean()),
            "arm_mae": float(errors[mask].mean()),
        }
