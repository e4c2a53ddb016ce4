"""The autoencoder's training under way: what must survive a kill, and how it goes on.

The loss is the mean squared reconstruction error (paper, Sec. 2.3) and, as a departure, a little of the error with which a
small network reads the joints off the latents. Pixels alone say little for what is thin or far away: the forearm's
rotation moves few of them, and the latents forget it. That network is thrown away after training.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from agents.autoencoder import KIND, ConvAutoencoder, arm_mask

from . import training_state
from .dataset import Dataset
from .distributed import Place

if TYPE_CHECKING:
    from .train_autoencoder import Config

_WARM_UP = 0.1  # share of the steps in which the learning rate rises
_CHUNK = 500  # pictures at a time where nothing is trained


class Training:
    """A training under way: everything that must survive a kill, and how it goes on.

    Args:
        config: the command's config.
        data: the data set.
        here: this process's place among those that train together.
    """

    def __init__(self, config: "Config", data: Dataset, here: Place) -> None:
        self.config, self.here, device = config, here, here.device
        self.images, self.validation = (
            torch.from_numpy(data.gray[data.split(name)]).to(device) for name in ("train", "validation")
        )
        self._check()
        torch.manual_seed(config.seed)
        self.model = ConvAutoencoder(torch.from_numpy(data.background), config.latent_size, config.width).to(device)
        self.joints = torch.from_numpy(data.normalized_joints[data.split("train")]).to(device)  # (N, J)
        self.reader = _reader(config.latent_size, self.joints.shape[1]).to(device)
        self.modules = {"model": self.model, "reader": self.reader}
        errors = _Errors(self.model, self.reader)
        self.errors: nn.Module = errors if here.group is None else DistributedDataParallel(errors)
        self.optimizer = torch.optim.AdamW(
            [*self.model.parameters(), *self.reader.parameters()],
            config.learning_rate,
            (0.9, 0.99),
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.dtype = getattr(torch, config.precision)
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []

    def fit(self, path: Path, identity: dict[str, Any]) -> None:
        """Trains what is still missing, writes a checkpoint after every epoch, shows a bar with the validation error."""
        epochs = self.config.epochs
        done, show = len(self.curve), self.here.first
        with tqdm(total=epochs, initial=done, desc="autoencoder", unit="epoch", disable=not show) as bar:
            while len(self.curve) < epochs and not self._out_of_patience():
                self.epoch()
                if self.here.first:
                    self.save(path, identity)
                bar.set_postfix_str(
                    "validation MSE {validation_mse:.5f}, arm MAE {arm_mae:.3f}".format(**self.curve[-1])
                )
                bar.update()

    def epoch(self) -> None:
        """Sees every training picture once, validates, keeps the weights when they are the best so far."""
        start = time.perf_counter()
        entry = {"epoch": len(self.curve) + 1, "train_mse": self._train_epoch(), **self._validate()}
        if not all(math.isfinite(value) for value in entry.values()):
            raise ValueError(
                f"the autoencoder's loss became {entry['train_mse']} in epoch {entry['epoch']}, expected a finite number; "
                f"train it again with a lower --learning-rate than {self.config.learning_rate}"
            )
        if entry["validation_mse"] < min((e["validation_mse"] for e in self.curve), default=math.inf):
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self.curve.append({**entry, "seconds": round(time.perf_counter() - start, 2)})

    def finish(self) -> None:
        """Takes the best weights and standardises the latents over the training set."""
        self.model.load_state_dict(self.best)
        self.model.eval()
        self.model.standardize(in_chunks(self.model.raw_latents, self.images, self.here.device))

    def report(self) -> dict[str, Any]:
        """What goes into `metrics.json`."""
        best = min(self.curve, key=lambda entry: entry["validation_mse"])
        return {
            "epochs": self.curve,
            "best": best,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }

    def save(self, path: Path, identity: dict[str, Any]) -> None:
        """Writes all that is needed to go on."""
        training_state.save(path, KIND, identity, self.modules, self.optimizer, self.best, self.curve)

    def resume(self, path: Path, identity: dict[str, Any]) -> None:
        """Goes on from a checkpoint of the same config and data, if one lies there.

        Raises:
            ValueError: it is damaged.
        """
        self.best, self.curve = training_state.resume(path, KIND, identity, self.modules, self.optimizer)

    def _train_epoch(self) -> float:
        config, epoch = self.config, len(self.curve)
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(config.seed * 100_003 + epoch))
        batches = order.to(self.here.device).split(config.batch_size)
        total = torch.zeros((), device=self.here.device)
        self.model.train()
        for k, batch in enumerate(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = config.learning_rate * one_cycle((epoch + k / len(batches)) / config.epochs)
            mine = batch[self.here.share(len(batch))]
            with torch.autocast(self.here.device.type, self.dtype, enabled=self.dtype != torch.float32):
                picture_errors, joint_errors = self.errors(self.images[mine], self.joints[mine])
            picture_error, joint_error = (errors.sum() / len(batch) for errors in (picture_errors, joint_errors))
            self.optimizer.zero_grad()
            ((picture_error + config.joint_weight * joint_error) * self.here.count).backward()  # gradients are averaged
            self.optimizer.step()
            total += picture_error.detach() * len(batch)
        return float(self.here.total(total) / len(self.images))

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        self.model.eval()
        with torch.autocast(self.here.device.type, self.dtype, enabled=self.dtype != torch.float32):
            pictures = in_chunks(self.model, self.validation, self.here.device)
        errors = (pictures.clamp(0, 1) - self.validation).abs()
        return {
            "validation_mse": float((pictures - self.validation).square().mean()),
            "mae": float(errors.mean()),
            "arm_mae": float(errors[arm_mask(self.validation, self.model.background)].mean()),
        }

    def _out_of_patience(self) -> bool:
        errors = [entry["validation_mse"] for entry in self.curve]
        return bool(errors) and len(errors) - 1 - errors.index(min(errors)) >= self.config.patience

    def _check(self) -> None:
        for images in (self.images, self.validation):
            if not len(images):
                raise ValueError("a split of the data set is empty; collect 5 samples or more")


class _Errors(nn.Module):
    """Every picture's mean squared error, and the mean absolute error of the joints that the reader reads off its latents."""

    def __init__(self, model: ConvAutoencoder, reader: nn.Module) -> None:
        super().__init__()
        self.model, self.reader = model, reader

    def forward(self, images: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 64, 64) and normalized joints (B, J) -> (B,) each."""
        latents = self.model.raw_latents(images)
        pictures, told = self.model.draw(latents).float(), self.reader(latents).float()
        return (pictures - images).square().mean((1, 2)), (told - joints).abs().mean(1)


def _reader(latent_size: int, joint_count: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(latent_size, 128), nn.SiLU(), nn.Linear(128, joint_count))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Lets torch compute on this many processor threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_cycle(done: float) -> float:
    """The learning rate as a share of its highest value when this share of the training is done: a ramp, then half a cosine."""
    if done < _WARM_UP:
        return (done + 1e-3) / (_WARM_UP + 1e-3)  # the first step shall not be lost
    return 0.5 + 0.5 * math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))


@torch.inference_mode()
def in_chunks(function: Any, images: Tensor, device: torch.device) -> Tensor:
    """What a function gives for many pictures, a part of them at a time, computed on a device and without gradients."""
    return torch.cat([function(part.to(device)).float() for part in images.split(_CHUNK)])
