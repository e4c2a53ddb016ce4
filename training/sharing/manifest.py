"""The list of what was pushed: each file's name, size and checksum. It is written last, so that a half push has none."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from msgspec import Meta, Struct

from agents.tools import checkpoints, json_files
from agents.tools.files import SHA256, checksum
from infant_env.errors import UserError

MANIFEST, BEGUN, CARD = "manifest.json", "push-begun.json", "README.md"
"""Files at an address: the manifest, the manifest of a push that did not end, and the card."""
RUN, DATA_SET = "run", "data set"
Kind = Literal["run", "data set"]
_STATE = ".training.safetensors"
_LEFT_OUT = {RUN: ("dataset", "parts"), DATA_SET: ("cache",)}


class File(Struct, frozen=True):
    """A file's content."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(ge=0)]
    """Bytes."""

    @classmethod
    def of(cls, path: Path) -> "File":
        """That of a file here."""
        return cls(checkpoints.file_hash(path), path.stat().st_size)

    @classmethod
    def of_bytes(cls, content: bytes) -> "File":
        """That of a file with this content."""
        return cls(hashlib.sha256(content).hexdigest(), len(content))


class Manifest(Struct, frozen=True):
    """All files of a run or a data set.

    Raises:
        UserError: a name leads out of the folder, or is one that a push does not write.
    """

    kind: Kind
    files: dict[str, File]
    """By name, with slashes."""
    version: Literal[1] = 1

    def __post_init__(self) -> None:
        for name in self.files:
            if not is_plain(name):
                raise UserError(
                    f"got a file with the name {name!r}, expected names within the folder, such as shards/a.h5"
                )

    def as_bytes(self) -> bytes:
        """JSON, with a checksum."""
        content = json_files.plain(self)
        return (json.dumps({SHA256: checksum(content), **content}, indent=1) + "\n").encode()

    @classmethod
    def of_bytes(cls, content: bytes, name: str) -> "Manifest":
        """The inverse of `as_bytes`.

        Raises:
            DamagedFileError: it is no manifest, or a damaged one.
        """
        mend = "push to another address"
        return json_files.fit(json_files.parsed(content, Path(name), mend), cls, Path(name), mend)

    @property
    def identity(self) -> str:
        """SHA-256 of kind and files, hexadecimal."""
        return checksum(json_files.plain(self))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())


def is_plain(name: str) -> bool:
    """Whether a file's name stays within its folder, on any system, and is not hidden."""
    path = PurePosixPath(name)
    whole = path.as_posix() == name and not path.is_absolute() and not set(name) & set('\\:*?"<>|\0')
    return whole and name not in (MANIFEST, BEGUN, ".") and not any(part.startswith(".") for part in path.parts)


def kind_of(folder: Path) -> Kind:
    """Whether a folder is a run or a data set.

    Raises:
        UserError: it is neither.
    """
    if (folder / "dataset.json").exists():
        return "data set"
    if (folder / "config.json").exists():
        return "run"
    raise UserError(f"{folder} holds neither a run (config.json) nor a data set (dataset.json); give the folder of one")


def names_in(folder: Path, kind: Kind) -> Iterator[str]:
    """Names of the files of a run or a data set, in order, without what is temporary, cached or another data set.

    Raises:
        UserError: a file's name cannot be written on every system.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        top = here == folder
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not (top and f in _LEFT_OUT[kind]))
        for file in sorted(files):
            name = (here / file).relative_to(folder).as_posix()
            if file.startswith(".") or file.endswith((_STATE, ".log")) or (top and file in (MANIFEST, BEGUN)):
                continue
            if not is_plain(name):
                raise UserError(f"{folder / name} has a name that not every system can write; rename it")
            yield name
