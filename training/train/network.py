"""Training of networks, epoch by epoch; after a kill it goes on from a checkpoint."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from agents.tools import checkpoints
from agents.tools.precision import without_denormal_numbers
from infant_env.errors import UserError

from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from .skeleton import Identity, matches, usual_of
from .tools.muon import Muon

_MATRICES_FASTER = 10
"""The learning rate of Muon, as a multiple of that of AdamW."""
_WARM_UP = 0.1  # share of the steps in which the learning rate rises


class NetworkTraining(ABC):
    """A training of one or more networks.

    Attributes:
        kind: the kind of model, such as `autoencoder`.
        measure: name of the error that the training measures next to its loss.
        status: text of the progress bar, a format for the last entry of the curve.
        criterion: name of the validation error that decides which epoch is the best.
        best: weights of the first network in the best epoch.
        curve: the measurements after each epoch.

    Args:
        config: the command's config.
        networks: the networks by name, the one that is kept first.
        weight_decay: weight decay of AdamW.
        count: number of training samples.
        here: this process's place among those that train together.
    """

    kind: str
    measure: str
    criterion: str
    status: str
    config: NetworkConfig

    def __init__(
        self, config: NetworkConfig, networks: Mapping[str, nn.Module], weight_decay: float, count: int, here: Place
    ) -> None:
        self.config, self.networks, self.count, self.here = config, networks, count, here
        adam = torch.optim.AdamW(
            self._groups(), config.learning_rate, (0.9, 0.99), weight_decay=weight_decay, fused=True
        )
        self.optimizers: dict[str, torch.optim.Optimizer] = {"adam": adam}
        if layers := self._matrix_layers():
            self.optimizers["muon"] = Muon(layers, config.learning_rate)
            self.optimizers["muon"].param_groups[0]["times"] = _MATRICES_FASTER
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []

    def fit(self, path: Path | None = None, identity: Identity | None = None) -> None:
        """Trains with a progress bar; goes on from the checkpoint of an equal training, and writes one after every epoch.

        Args:
            path: the checkpoint; None: there is none.
            identity: all that the training depends on, as JSON.

        Raises:
            UserError: the checkpoint is damaged, or the loss became infinite.
        """
        if path is not None:
            self._resume(path, identity or {})
        epochs, hidden = self.config.epochs, not self.here.first
        bar = tqdm(total=epochs, initial=len(self.curve), desc=self.kind, unit="epoch", disable=hidden)
        with bar, without_denormal_numbers():
            while len(self.curve) < epochs and not self._out_of_patience():
                self.epoch()
                if self.here.first and path is not None:
                    self.save(path, identity or {})
                bar.set_postfix_str(self.status.format(**self.curve[-1]))
                bar.update()

    def epoch(self) -> None:
        """Trains on every sample once, validates, and keeps the weights if they are the best so far."""
        start = time.perf_counter()
        error = self._train_epoch()
        entry: dict[str, float] = {"epoch": len(self.curve) + 1, f"train_{self.measure}": error}
        if math.isfinite(error):
            entry |= self._validate()
        wrong = {name: value for name, value in entry.items() if not math.isfinite(value)}
        if wrong:
            each = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in wrong.items())
            raise UserError(
                f"the {self.kind} has in epoch {entry['epoch']} the {each}, expected finite numbers; train it again with a lower "
                f"--learning-rate than {self.config.learning_rate:g}"
            )
        if entry[self.criterion] < min((e[self.criterion] for e in self.curve), default=math.inf):
            network = next(iter(self.networks.values()))
            self.best = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.curve.append({**entry, "seconds": round(time.perf_counter() - start, 2)})

    @abstractmethod
    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of some training samples (b,), and their error that `measure` names."""

    def _expect(self, batch: Tensor) -> None:  # noqa: B027 (most do nothing)
        """Begins to read the samples of the next batch, if they lie on disk."""

    @abstractmethod
    def _validate(self) -> dict[str, float]:
        """The errors of the validation samples, by name."""

    def _groups(self) -> list[dict[str, Any]]:
        """AdamW's groups of parameters; `times` multiplies the learning rate of a group."""
        matrices = {id(layer.weight) for layer in self._matrix_layers()}
        parameters = (p for network in self.networks.values() for p in network.parameters())
        return [{"params": [p for p in parameters if id(p) not in matrices], "times": 1.0}]

    def _matrix_layers(self) -> list[nn.Module]:
        """The layers whose weights Muon trains instead of AdamW."""
        return []

    def _out_of_patience(self) -> bool:
        """Whether the training stops early."""
        return False

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch; the last batch may be smaller."""
        return math.ceil(self.count / self.config.batch_size)

    def _order(self, epoch: int) -> Tensor:
        """The order of the training samples in an epoch, from 0, (N,): it depends only on the seed and the epoch."""
        return torch.randperm(self.count, generator=torch.Generator().manual_seed(self.config.seed * 100_003 + epoch))

    def _rate(self, epoch: int, batch: int, batches: int) -> float:
        """The learning rate of one step."""
        return self.config.learning_rate * one_cycle((epoch + batch / batches) / self.config.epochs)

    def _train_epoch(self) -> float:
        epoch = len(self.curve)
        batches = self._order(epoch).to(self.here.device).split(self.config.batch_size)
        total = torch.zeros((), device=self.here.device)
        for network in self.networks.values():
            network.train()
        for k, batch in enumerate(batches):
            for group in (group for optimizer in self.optimizers.values() for group in optimizer.param_groups):
                group["lr"] = group["times"] * self._rate(epoch, k, len(batches))
            loss, measured = self._losses(batch)
            if k + 1 < len(batches):
                self._expect(batches[k + 1])
            for optimizer in self.optimizers.values():
                optimizer.zero_grad()
            loss.backward()
            for optimizer in self.optimizers.values():
                optimizer.step()
            total += measured.detach() * len(batch)
        return float(self.here.total(total) / self.count)

    def save(self, path: Path, identity: Identity) -> None:
        """Writes a checkpoint: the weights, the best weights and the optimizer's moments."""
        tensors = {
            f"{name}.{key}": t for name, network in self.networks.items() for key, t in network.state_dict().items()
        }
        tensors |= {f"best.{key}": tensor for key, tensor in self.best.items()}
        for title, optimizer in self.optimizers.items():
            for number, state in optimizer.state_dict()["state"].items():
                tensors |= {f"{title}.{number}.{name}": tensor for name, tensor in state.items()}
        checkpoints.write(path, f"{self.kind} training", tensors, {**identity, "curve": self.curve})

    def _resume(self, path: Path, identity: Identity) -> None:
        if not path.exists():
            return
        tensors, header = checkpoints.read(path, f"{self.kind} training")
        same_optimizers = all(any(_under(f"{title}.", tensors)) for title in self.optimizers)
        if not (same_optimizers and matches(identity, header, usual_of(type(self.config)))):
            return  # another training wrote it: it is overwritten
        with checkpoints.fitting(path):
            self._take(tensors)
            self.curve = list(header["curve"])

    def _take(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes weights, best weights and moments from a checkpoint."""
        for name, network in self.networks.items():
            network.load_state_dict(_under(f"{name}.", tensors))
        self.best = {name: tensor.to(self.here.device) for name, tensor in _under("best.", tensors).items()}
        for title, optimizer in self.optimizers.items():
            _take_moments(optimizer, _under(f"{title}.", tensors))


def _take_moments(optimizer: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    """Takes an optimizer's moments, by the number of the parameter and their name."""
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for key, tensor in moments.items():
        number, name = key.split(".")
        like = parameters[int(number)].detach()
        # the fused step needs a moment in the same memory layout as its parameter
        moment = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(int(number), {})[name] = moment
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def one_cycle(done: float) -> float:
    """The learning rate as a share of its highest value, after a share of the training: a ramp, then half a cosine."""
    if done < _WARM_UP:
        return (done + 1e-3) / (_WARM_UP + 1e-3)  # more than 0, so that the first step counts
    return 0.5 + 0.5 * math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
