"""`infant-arm train-regressor`: the yardstick that says how much of a pose a picture tells."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from agents.baselines.regressor import KIND, CnnRegressor, RegressorProgress
from agents.tools import checkpoints
from infant_env.senses import vision

from ..data.dataset import Dataset
from ..runs import folder as runs
from .network import samples_of, threads

REGRESSOR = "regressor.safetensors"


@dataclass(frozen=True)
class Config:
    """Train a CNN from pictures to joints, a yardstick for vision -> proprioception."""

    data: Path
    """The data set's folder."""
    run: Path
    """The run's folder; made when it is missing."""
    epochs: int = 20
    """Times that every training picture is seen."""
    batch_size: int = 64
    """Pictures per step."""
    learning_rate: float = 3e-3
    """Highest learning rate of AdamW."""
    seed: int = 0
    """Seed of the initial weights and of the order of the pictures."""
    device: runs.Device = "auto"
    """Where to compute."""
    threads: int = 1
    """Processor threads; a second one gains little and stalls when another process holds its core."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "epochs", "batch_size", "threads")
        runs.check_learning_rate(self)


@dataclass(frozen=True)
class Answers:
    """A network as a method of Table 1: it answers pictures with joints, and knows nothing else."""

    guess: Callable[[Tensor], Tensor]
    """Pictures (B, 64, 64) -> normalized joints (B, J)."""

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Normalized joints of pictures; nothing for any other question.

        Args:
            source: the known modality.
            samples: its samples, pictures (B, 64, 64) when it is `vision`.

        Returns:
            `proprioception` (B, J), or nothing.
        """
        return {"proprioception": self.guess(samples)} if source == "vision" else {}


def run(config: Config) -> CnnRegressor:
    """Trains, reports and saves one regressor; does nothing when the same lies in the run's folder already."""
    data = Dataset.open(config.data)
    device = runs.pick_device(config.device)
    identity = {"config": runs.settings(config), "dataset": data.fingerprint, "preprocessing": vision.VERSION}
    path = config.run / REGRESSOR
    if path.exists() and identity.items() <= checkpoints.read_header(path, KIND).items():
        print(f"regressor: {path} is there already")
        return CnnRegressor.load(path, device)
    runs.record_config(config.run, "train-regressor", config)
    with runs.timed(config.run, "train-regressor"), threads(config.threads):
        regressor, curve = _train(config, data, device)
        images, joints = samples_of(data, "validation")
        errors = (regressor.predict(images).cpu() - joints).abs().mean(dim=0).tolist()
        joint_mae = dict(zip(data.joint_names, errors, strict=True))
        runs.merge(config.run, "metrics.json", {"regressor": {"epochs": curve, "validation_joint_mae": joint_mae}})
        regressor.save(path, identity)
    return regressor


def load_regressor(run: Path, device: str | torch.device = "cpu") -> Answers:
    """The trained regressor of a run, as a method of Table 1.

    Raises:
        UserError: there is none, or it is damaged.
    """
    return Answers(CnnRegressor.load(run / REGRESSOR, device).predict)


def _train(config: Config, data: Dataset, device: torch.device) -> tuple[CnnRegressor, list[dict[str, Any]]]:
    """The regressor, and its training curve; with a progress bar."""
    curve: list[dict[str, Any]] = []
    images, joints = samples_of(data, "train")
    torch.manual_seed(config.seed)
    regressor = CnnRegressor(torch.from_numpy(data.background), joints.shape[1]).to(device)
    with tqdm(total=config.epochs, desc="regressor", unit="epoch") as bar:

        def progress(now: RegressorProgress) -> None:
            curve.append({"epoch": now.epoch, "train_mae": now.train_mae, "validation_mae": now.validation_mae})
            bar.set_postfix_str(f"validation MAE {now.validation_mae:.4f}")
            bar.update()

        regressor.fit(
            images,
            joints,
            samples_of(data, "validation"),
            config.epochs,
            config.seed,
            progress,
            config.batch_size,
            config.learning_rate,
        )
    return regressor, curve
