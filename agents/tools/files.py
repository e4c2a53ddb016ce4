"""Files that are written completely or not at all."""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infant_env.errors import UserError

_LEFTOVER = re.compile(r"\..+\.(\d+)(?:@([\w-]*))?\.tmp(?:\.\w+)?")
"""A temporary file's name, with the number of its process and its machine; version 0.1 wrote no machine."""
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
def replacing(path: Path, end: str = "") -> Iterator[Path]:
    """Yields a temporary path to write to; on success, that file is fsynced and atomically replaces `path`.

    Args:
        path: the file.
        end: the end of the temporary name, for a writer that goes by it, such as `.mp4`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}@{_machine()}.tmp{end}")
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
    own = {name: value for name, value in content.items() if name != SHA256}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({SHA256: checksum(own), **own}, indent=2) + "\n")


def checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 of JSON, hexadecimal; spaces and the order of keys do not count."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files in a folder and below it whose processes have died.

    Files of other machines stay, because their processes are not known here; so do files whose process's number has gone to
    another living process.
    """
    for path in folder.rglob(".*.tmp*"):
        found = _LEFTOVER.fullmatch(path.name)
        if found and found[2] in (None, _machine()) and not _is_alive(int(found[1])):
            path.unlink(missing_ok=True)


def _machine() -> str:
    return re.sub(r"[^\w-]", "-", platform.node())


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it belongs to another user
    return True
