"""A recording as all kinds of sources present it."""

import hashlib
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.camera_arm import key_of
from infant_env.errors import UserError
from infant_env.given import shown

Frame = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """A recording: N moments, each with a frame and the joints."""

    camera: str
    """The camera's name in the recording."""
    joint_names: tuple[str, ...]
    """Names of the J joints."""
    joints: Floats
    """The joints in the recording's own unit, shape (N, J)."""
    hands: Floats | None
    """Positions of the hand, shape (N, 3), m; None if they are unknown."""
    episodes: NDArray[np.int64]
    """The number of the episode of each moment, shape (N,); each episode is one piece."""
    content: str
    """SHA-256 of all that is recorded."""
    frames: Callable[[NDArray[np.int64]], Iterator[Frame]]
    """The frames (H, W, 3) of some moments, whose numbers rise."""


@dataclass(frozen=True)
class Key:
    """A quantity of a recording: a column or an entry, or some of its numbers, such as `observation.state[0:5]`."""

    name: str
    part: slice

    @classmethod
    def of(cls, text: str) -> "Key":
        """The key that a user wrote.

        Raises:
            UserError: it is no name, or a name with a part `[FIRST:LAST]`.
        """
        return cls(*key_of(text))

    def of_vectors(self, vectors: Floats, names: Iterable[str] | None = None) -> tuple[Floats, list[str]]:
        """Some columns of vectors (N,) or (N, D), and their names; by default the key's own name with a number.

        Raises:
            UserError: nothing is left.
        """
        flat = vectors.reshape(len(vectors), -1)
        known = list(
            names or ([self.name] if flat.shape[1] == 1 else [f"{self.name}_{k}" for k in range(flat.shape[1])])
        )
        if not known[self.part]:
            raise UserError(
                f"got a part of {self.name} that is empty, expected some of its numbers 0 to {flat.shape[1] - 1}"
            )
        return flat[:, self.part], known[self.part]


def joined(
    keys: Iterable[str], vectors: Callable[[Key], tuple[Floats, Iterable[str] | None]]
) -> tuple[Floats, tuple[str, ...]]:
    """The numbers of several keys side by side, (N, D), and their names.

    Args:
        keys: the keys, as the user wrote them.
        vectors: finds all numbers of a key's name, (N,) or (N, D), and their names if these are known.
    """
    parts = [key.of_vectors(*vectors(key)) for key in map(Key.of, keys)]
    return np.concatenate([each for each, _ in parts], axis=1), tuple(name for _, names in parts for name in names)


def found(name: str, among: Mapping[str, Any], option: str, where: object) -> Any:
    """An entry of a recording.

    Raises:
        UserError: there is no such entry.
    """
    if name not in among:
        raise UserError(f"got {option} {name}, but {where} has no such entry; expected one of {shown(list(among))}")
    return among[name]


def digest_of(parts: Iterable[bytes | Path]) -> str:
    """SHA-256 of texts and of the contents of files, hexadecimal."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with part.open("rb") as file:
                part = hashlib.file_digest(file, "sha256").digest()
        whole.update(part)
    return whole.hexdigest()


def library(name: str, what: str) -> ModuleType:
    """A library of the extra `recordings`.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"{what} needs {name.partition('.')[0]} ({error}); run `pip install 'infant-arm[recordings]'`"
        ) from None
