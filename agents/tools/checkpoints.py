"""Trained things on disk: safetensors with a JSON header, never a pickle."""

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
    """Writes a checkpoint, whole or not at all.

    Args:
        path: the file.
        kind: what it is, such as `autoencoder`.
        tensors: its tensors by name.
        header: what else it is made of, as JSON.
    """
    content = {"format": FORMAT, "kind": kind, **header}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"header": json.dumps(content, sort_keys=True)}  # one key: safetensors keeps no order of several
    with replacing(path) as temporary:
        temporary.write_bytes(save(plain, metadata))  # save_file would make a file that only its owner may read


def read(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Reads a checkpoint.

    Args:
        path: the file.
        kind: what it must be.

    Returns:
        Its tensors and its header.

    Raises:
        UserError: there is no such file, it is damaged, of another kind or of a later format.
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
    """Reads a network that draws or reads pictures before a background.

    Args:
        path: the file.
        kind: what it must be.
        make: called with the background and the sizes.
        sizes: names of the sizes in the header.
        where: the device.

    Raises:
        UserError: see `read`; or its tensors are not those of this network.
    """
    tensors, header = read(path, kind)
    try:
        network = make(tensors["background"], *(header[size] for size in sizes))
    except KeyError as error:
        raise UserError(_of_another(path, error)) from None
    return fill(path, network, tensors, where)


def fill(path: Path, network: Network, tensors: Mapping[str, Tensor], where: str | device) -> Network:
    """Gives a network the tensors that were read, moves it to a device and sets it to `eval`.

    Raises:
        UserError: the tensors are not those of this network.
    """
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(_of_another(path, error)) from None
    return network.to(where).eval()


def read_header(path: Path, kind: str) -> dict[str, Any]:
    """The header alone; raises as `read` does."""
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
            "at most; was it written by a later version?"
        )
    return header


def content_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_another(path: Path, error: Exception) -> str:
    return f"{path} holds the tensors of another network ({error}); train it again with this version"


def _damaged(path: Path, kind: str, error: Exception) -> str:
    return f"{path} is damaged ({error!r}), expected a {kind} checkpoint; delete it and train again"
