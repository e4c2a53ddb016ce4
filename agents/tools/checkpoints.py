"""Checkpoints of trained models: safetensors with a JSON header and checksums, never a pickle."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, device, nn

from infant_env.errors import UserError

from .files import SHA256, DamagedFileError, checksum, replacing

FORMAT = 2
"""Files of format 1 (version 0.1) have no checksums."""
TRAIN_IT_AGAIN = "train it again"
REPORT = "report"
"""Entry of the header: the course of the training. Files are equal without it."""
_HEADER, _TENSORS = "header", "tensors"
Network = TypeVar("Network", bound=nn.Module)


def write(path: Path, kind: str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Writes a checkpoint, completely or not at all.

    The header holds the checksums of the tensors and of itself.

    Args:
        path: the file.
        kind: kind of model, such as `autoencoder`.
        tensors: the model's tensors by name.
        header: further entries of the header, in JSON's types.

    Raises:
        UserError: a tensor holds NaN or infinite numbers; an earlier file stays as it is.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    if (broken := _not_finite(plain)) is not None:
        raise UserError(
            f"{path} was not written: {broken} of this {kind} holds NaN or infinite numbers; train it again with other "
            "settings, such as a lower learning rate"
        )
    content = {"format": FORMAT, "kind": kind, _TENSORS: _checksum(plain), **header}
    text = json.dumps({SHA256: checksum(content), **content}, sort_keys=True)
    metadata = {_HEADER: text}  # one key: safetensors does not keep the order of keys
    with replacing(path) as temporary:
        temporary.write_bytes(save(plain, metadata))  # save_file would make a file that only its owner can read


def read(path: Path, kind: str, mend: str = TRAIN_IT_AGAIN) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Reads a checkpoint.

    Args:
        path: the file.
        kind: expected kind of model.
        mend: how to mend a damaged file, for the message.

    Returns:
        The tensors and the header.

    Raises:
        DamagedFileError: the file is missing or damaged.
        UserError: it holds another kind or a later format.
    """
    header = read_header(path, kind, mend)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise _damaged(path, kind, repr(error), mend) from None
    if _TENSORS in header:  # finite, because `write` checked that
        if header[_TENSORS] != _checksum(tensors):
            raise _damaged(path, kind, "its tensors were changed after they were written", mend)
    elif (broken := _not_finite(tensors)) is not None:
        raise _damaged(path, kind, f"{broken} holds NaN or infinite numbers", mend)
    return tensors, header


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
    with fitting(path):
        network = make(tensors["background"], *(header[size] for size in sizes))
    return fill(path, network, tensors, where)


def fill(path: Path, network: Network, tensors: Mapping[str, Tensor], where: str | device) -> Network:
    """Loads tensors into a network, moves it to a device and sets it to evaluation mode.

    Raises:
        DamagedFileError: the tensors do not fit this network.
    """
    with fitting(path):
        return filled(network, tensors, where)


def filled(network: Network, tensors: Mapping[str, Tensor], where: str | device) -> Network:
    """The network with these tensors, on a device, in evaluation mode; raises torch's errors if they do not fit."""
    network.load_state_dict(tensors)
    return network.to(where).eval()


def named(start: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with a word and a dot, by the rest of the name."""
    return {name.removeprefix(f"{start}."): each for name, each in tensors.items() if name.startswith(f"{start}.")}


@contextmanager
def fitting(path: Path, mend: str = f"{TRAIN_IT_AGAIN} with this version") -> Iterator[None]:
    """Turns an error while a model is made from a file's tensors and header into a `DamagedFileError`."""
    try:
        yield
    except DamagedFileError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError, MemoryError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise DamagedFileError(f"{path} holds the tensors of another model ({reason}); {mend}", path) from None


def read_header(path: Path, kind: str | None, mend: str = TRAIN_IT_AGAIN) -> dict[str, Any]:
    """Reads only the header, of any kind if `kind` is None; raises the same errors as `read`."""
    if not path.exists():
        first = mend.replace("again", "first", 1)
        raise DamagedFileError(f"there is no {path}, expected a trained {kind or 'model'}; {first}", path)
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads(file.metadata()[_HEADER])
        sums = {header.pop(SHA256, None), checksum(header)}
        found, version = header.get("kind"), int(header.get("format", 0))
    except (OSError, SafetensorError, TypeError, LookupError, AttributeError, ValueError, RecursionError) as error:
        raise _damaged(path, kind, repr(error), mend) from None
    if len(sums - {None} if version == 1 else sums) > 1:
        raise _damaged(path, kind, "its header was changed after it was written", mend)
    if version > FORMAT:
        raise UserError(
            f"{path} has format {version}, expected {FORMAT} or earlier; if a later version wrote it, install that version"
        )
    if found != (kind or found):
        raise _damaged(path, kind, f"it holds {found!r}", mend)
    return header


def content_hash(path: Path) -> str:
    """SHA-256 of a checkpoint's tensors and of all that they depend on, hexadecimal; files of format 1: of the whole file.

    Raises:
        DamagedFileError: the file is missing, or its header is damaged.
    """
    header = read_header(path, None)
    if int(header["format"]) == 1:
        return file_hash(path)
    return checksum({name: value for name, value in header.items() if name != REPORT})


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and numbers, hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor with NaN or infinite numbers; None if there is none."""
    return next((name for name, t in tensors.items() if t.is_floating_point() and not torch.isfinite(t).all()), None)


def _damaged(path: Path, kind: str | None, reason: str, mend: str) -> DamagedFileError:
    return DamagedFileError(f"{path} is damaged ({reason}), expected a {kind or 'model'} checkpoint; {mend}", path)
