"""How the networks are trained: epoch by epoch, with all on disk that must survive a kill."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from agents.networks.autoencoder import arm_mask
from agents.tools import checkpoints
from infant_env.errors import UserError

from ..runs.distributed import Place
from .skeleton import Identity, matches

_WARM_UP = 0.1  # share of the steps in which the learning rate rises


class Settings(Protocol):
    """What of a command's config every training needs."""

    @property
    def epochs(self) -> int:
        """Times that every sample is seen."""

    @property
    def batch_size(self) -> int:
        """Samples per step."""

    @property
    def learning_rate(self) -> float:
        """Highest learning rate."""

    @property
    def seed(self) -> int:
        """Seed of the order of the samples."""


class NetworkTraining(ABC):
    """A training under way: everything that must survive a kill, and how it goes on.

    Attributes:
        kind: what is trained, such as `autoencoder`.
        measure: what of the training samples is measured beside the loss, for the curve.
        told: what the bar says of the last epoch.
        criterion: which of the errors that were measured in validation tells the best epoch.
        best: weights of the first network in the epoch with the least of them.
        curve: what was measured after each epoch.

    Args:
        config: the command's config.
        networks: what is trained, by name, the one that matters first.
        weight_decay: of AdamW.
        count: number of training samples.
        here: this process's place among those that train together.
    """

    kind: str
    measure: str = "mse"
    told: str = "validation MSE {validation_mse:.5f}, arm MAE {arm_mae:.3f}"
    criterion: str = "validation_mse"

    def __init__(
        self, config: Settings, networks: Mapping[str, nn.Module], weight_decay: float, count: int, here: Place
    ) -> None:
        self.settings, self.networks, self.count, self.here = config, networks, count, here
        self.optimizer = torch.optim.AdamW(
            self._groups(), config.learning_rate, (0.9, 0.99), weight_decay=weight_decay, fused=True
        )
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []

    def fit(self, path: Path, identity: Identity) -> None:
        """Goes on from the checkpoint of an equal training, writes one after every epoch, shows a bar.

        Args:
            path: the checkpoint.
            identity: what the training depends on, as JSON.

        Raises:
            UserError: the checkpoint is damaged, or the loss became infinite.
        """
        self._resume(path, identity)
        epochs = self.settings.epochs
        hidden = not self.here.first
        with tqdm(total=epochs, initial=len(self.curve), desc=self.kind, unit="epoch", disable=hidden) as bar:
            while len(self.curve) < epochs and not self._out_of_patience():
                self.epoch()
                if self.here.first:
                    self.save(path, identity)
                bar.set_postfix_str(self.told.format(**self.curve[-1]))
                bar.update()

    def epoch(self) -> None:
        """Sees every training sample once, validates, keeps the weights when they are the best so far."""
        start = time.perf_counter()
        error = self._train_epoch()
        entry: dict[str, float] = {"epoch": len(self.curve) + 1, f"train_{self.measure}": error}
        if math.isfinite(error):
            entry |= self._validate()
        if not all(math.isfinite(value) for value in entry.values()):
            raise UserError(
                f"the {self.kind}'s loss became {error} in epoch {entry['epoch']}, expected a finite number; "
                f"train it again with a lower --learning-rate than {self.settings.learning_rate}"
            )
        if entry[self.criterion] < min((e[self.criterion] for e in self.curve), default=math.inf):
            network = next(iter(self.networks.values()))
            self.best = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.curve.append({**entry, "seconds": round(time.perf_counter() - start, 2)})

    @abstractmethod
    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """What is minimised, and what is measured of it (`measure`), of some training samples (b,)."""

    @abstractmethod
    def _validate(self) -> dict[str, float]:
        """What is measured of the validation samples; for pictures see `picture_errors`."""

    def _groups(self) -> list[dict[str, Any]]:
        """What the optimizer changes, and how many times the learning rate it does so."""
        return [{"params": [p for network in self.networks.values() for p in network.parameters()], "times": 1.0}]

    def _out_of_patience(self) -> bool:
        """Whether to stop early."""
        return False

    @property
    def steps_per_epoch(self) -> int:
        """Batches of which an epoch is made; the last one may be smaller."""
        return math.ceil(self.count / self.settings.batch_size)

    def _order(self, epoch: int) -> Tensor:
        """In which order an epoch, from 0, sees the training samples, (N,): it follows from the seed and the epoch alone."""
        return torch.randperm(self.count, generator=torch.Generator().manual_seed(self.settings.seed * 100_003 + epoch))

    def _rate(self, epoch: int, batch: int, batches: int) -> float:
        """The learning rate of one step."""
        return self.settings.learning_rate * one_cycle((epoch + batch / batches) / self.settings.epochs)

    def _train_epoch(self) -> float:
        epoch = len(self.curve)
        batches = self._order(epoch).to(self.here.device).split(self.settings.batch_size)
        total = torch.zeros((), device=self.here.device)
        for network in self.networks.values():
            network.train()
        for k, batch in enumerate(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = group["times"] * self._rate(epoch, k, len(batches))
            loss, measured = self._losses(batch)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += measured.detach() * len(batch)
        return float(self.here.total(total) / self.count)

    def save(self, path: Path, identity: Identity) -> None:
        """Writes weights, best weights and the optimizer's moments; an epoch's order follows from seed and epoch."""
        tensors = {
            f"{name}.{key}": t for name, network in self.networks.items() for key, t in network.state_dict().items()
        }
        tensors |= {f"best.{key}": tensor for key, tensor in self.best.items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": tensor for name, tensor in state.items()}
        checkpoints.write(path, f"{self.kind} training", tensors, {**identity, "curve": self.curve})

    def _resume(self, path: Path, identity: Identity) -> None:
        if not path.exists():
            return
        tensors, header = checkpoints.read(path, f"{self.kind} training")
        if not matches(identity, header):
            return  # of another training: it is overwritten
        for name, network in self.networks.items():
            network.load_state_dict(_under(f"{name}.", tensors))
        self.best = {name: tensor.to(self.here.device) for name, tensor in _under("best.", tensors).items()}
        adam: dict[int, dict[str, Tensor]] = {}
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        for key, tensor in _under("adam.", tensors).items():
            number, name = key.split(".")
            moment, like = tensor, parameters[int(number)].detach()
            if (
                moment.shape == like.shape
            ):  # it must lie in memory as its parameter does, or the fused step mixes them up
                moment = torch.empty_like(like).copy_(tensor)
            adam.setdefault(int(number), {})[name] = moment
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": adam})
        self.curve = header["curve"]


def picture_errors(pictures: Tensor, images: Tensor, background: Tensor) -> dict[str, float]:
    """How far drawn pictures are from the true ones, (N, 64, 64) each: squared as trained, and absolute within [0, 1]."""
    errors = (pictures.clamp(0, 1) - images).abs()
    return {
        "validation_mse": float((pictures - images).square().mean()),
        "mae": float(errors.mean()),
        "arm_mae": float(errors[arm_mask(images, background)].mean()),
    }


def one_cycle(done: float) -> float:
    """The learning rate as a share of its highest value when this share of the training is done: a ramp, then half a cosine."""
    if done < _WARM_UP:
        return (done + 1e-3) / (_WARM_UP + 1e-3)  # the first step shall not be lost
    return 0.5 + 0.5 * math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
