"""Files that are written completely or not at all."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infant_env.errors import UserError

SHA256 = "sha256"
"""Entry of a JSON file: the checksum of all its other entries."""


class DamagedFileError(UserError):
    """A file of this project that is missing or cannot be read, or does not fit its neighbors: what makes it may replace it.

    Args:
        message: what is wrong, and how to mend it.
        path: the file.
    """

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path to write to; on success, that file is fsynced and atomically replaces `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file with a checksum, completely or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({SHA256: checksum(content), **content}, indent=2) + "\n")


def checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 of JSON, hexadecimal; spaces and the order of keys do not count."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files in a folder and below it whose processes have died."""
    for leftover in folder.rglob(".*.tmp"):
        try:
            os.kill(int(leftover.name.split(".")[-2]), 0)  # raises an error if the process is gone
        except (ProcessLookupError, ValueError, IndexError):
            leftover.unlink(missing_ok=True)
        except PermissionError:
            pass  # the process is alive and belongs to another user
