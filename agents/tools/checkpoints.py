"""Checkpoints of trained models: safetensors with a JSON header, never a pickle."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, device, nn

from infant_env.errors import UserError

from .files import DamagedFileError, replacing

FORMAT = 1
Network = TypeVar("Network", bound=nn.Module)


def write(path: Path, kind: str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Writes a checkpoint, completely or not at all.

    Args:
        path: the file.
        kind: kind of model, such as `autoencoder`.
        tensors: the model's tensors by name.
        header: further entries of the header, in JSON's types.
    """
    content = {"format": FORMAT, "kind": kind, **header}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"header": json.dumps(content, sort_keys=True)}  # one key: safetensors does not keep the order of keys
    with replacing(path) as temporary:
        temporary.write_bytes(save(plain, metadata))  # save_file would make a file that only its owner can read


def read(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Reads a checkpoint.

    Args:
        path: the file.
        kind: expected kind of model.

    Returns:
        The tensors and the header.

    Raises:
        UserError: the file is missing or damaged, or holds another kind or a later format.
    """
    header = read_header(path, kind)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise DamagedFileError(_damaged(path, kind, error)) from None


def read_network(
    path: Path, kind: str, make: Callable[..., Network], sizes: Sequence[str], where: str | device
) -> Network:
    """Reads a network whose constructor takes a background picture and sizes.

    Args:
        path: the file.
        kind: expected kind of model.
        make: makes the network from the background and the sizes.
        sizes: names of the sizes in the header.
        where: the device.

    Raises:
        UserError: see `read`; or the tensors do not fit this network.
    """
    tensors, header = read(path, kind)
    try:
        network = make(tensors["background"], *(header[size] for size in sizes))
    except KeyError as error:
        raise UserError(_other_network(path, error)) from None
    return fill(path, network, tensors, where)


def fill(path: Path, network: Network, tensors: Mapping[str, Tensor], where: str | device) -> Network:
    """Loads tensors into a network, moves it to a device and sets it to evaluation mode.

    Raises:
        UserError: the tensors do not fit this network.
    """
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(_other_network(path, error)) from None
    return network.to(where).eval()


def read_header(path: Path, kind: str) -> dict[str, Any]:
    """Reads only the header; raises the same errors as `read`."""
    if not path.exists():
        raise UserError(f"there is no {path}, expected a trained {kind}; train it first")
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads(file.metadata()["header"])
    except (OSError, SafetensorError, TypeError, KeyError, json.JSONDecodeError) as error:
        raise DamagedFileError(_damaged(path, kind, error)) from None
    if header.get("kind") != kind or header.get("format", 0) > FORMAT:
        raise UserError(
            f"{path} holds {header.get('kind')!r} of format {header.get('format')!r}, expected {kind!r} of format {FORMAT} "
            "or earlier; if a later version wrote it, install that version"
        )
    return header


def content_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _other_network(path: Path, error: Exception) -> str:
    return f"{path} holds the tensors of another network ({error}); train it again with this version"


def _damaged(path: Path, kind: str, error: Exception) -> str:
    return f"{path} is damaged ({error!r}), expected a {kind} checkpoint; delete it and train again"
