"""A network's training on disk after every epoch, so that a kill costs one epoch at most."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from agents import checkpoints

Curve = list[dict[str, Any]]
"""What was measured after each epoch."""


def save(
    path: Path,
    kind: str,
    identity: Mapping[str, Any],
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    best: Mapping[str, Tensor],
    curve: Curve,
) -> None:
    """Writes weights, best weights and the optimizer's moments; the order of an epoch's samples follows from seed and epoch.

    Args:
        path: the file.
        kind: what is trained, such as `autoencoder`.
        identity: what the training depends on, as JSON.
        modules: the networks by name.
        optimizer: theirs.
        best: weights of the best epoch so far.
        curve: what was measured after each epoch.
    """
    tensors = {
        f"{name}.{key}": tensor for name, module in modules.items() for key, tensor in module.state_dict().items()
    }
    tensors |= {f"best.{key}": tensor for key, tensor in best.items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": tensor for name, tensor in state.items()}
    checkpoints.write(path, f"{kind} training", tensors, {**identity, "curve": curve})


def resume(
    path: Path,
    kind: str,
    identity: Mapping[str, Any],
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
) -> tuple[dict[str, Tensor], Curve]:
    """Puts networks and optimizer where an equal training was stopped; returns the best weights and the curve, both empty
    when there was none.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.exists():
        return {}, []
    tensors, header = checkpoints.read(path, f"{kind} training")
    if not identity.items() <= header.items():
        return {}, []  # of another training: it is overwritten
    for name, module in modules.items():
        module.load_state_dict(_under(f"{name}.", tensors))
    adam: dict[int, dict[str, Tensor]] = {}
    for key, tensor in _under("adam.", tensors).items():
        number, name = key.split(".")
        adam.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": adam})
    device = next(next(iter(modules.values())).parameters()).device
    return {name: tensor.to(device) for name, tensor in _under("best.", tensors).items()}, header["curve"]


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
