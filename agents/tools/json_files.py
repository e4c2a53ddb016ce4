"""JSON files of a known shape: reads and checks them; an error says in one line what is wrong."""

import json
import math
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .files import SHA256, DamagedFileError, checksum

T = TypeVar("T")


def read(path: Path, kind: type[T], mend: str) -> T:
    """Reads a JSON file.

    Args:
        path: the file.
        kind: the type of its content, such as a dataclass; further fields are ignored.
        mend: advice how to mend a damaged file, the end of the error message.

    Raises:
        FileNotFoundError: the file is missing.
        DamagedFileError: the file is not JSON, or its content has another type.
    """
    return fit(load(path, mend), kind, path, mend)


def load(path: Path, mend: str) -> Any:
    """Reads a JSON file of any shape. A number that is not finite or too large becomes None, like a missing measurement.

    Files of version 0.1 have no checksum, and neither has a file whose author removed it.

    Raises:
        FileNotFoundError: the file is missing.
        DamagedFileError: the file is not JSON, or does not fit its checksum.
    """
    return parsed(path.read_bytes(), path, mend)


def parsed(text: bytes, path: Path, mend: str) -> Any:
    """As `load`, of a content that was read already; `path` is its name in messages.

    Raises:
        DamagedFileError: the content is not JSON, or does not fit its checksum.
    """
    try:
        content = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        sealed = isinstance(content, dict) and SHA256 in content
        unchanged = not sealed or content.pop(SHA256) == _checksum(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: {error}; {mend}", path) from None
    if not unchanged:
        by_hand = f'if you changed it yourself, remove its line "{SHA256}"'
        raise DamagedFileError(f"{path} is damaged: it was changed after it was written; {mend} ({by_hand})", path)
    return content


def fit(content: Any, kind: type[T], path: Path, mend: str, place: str = "$") -> T:
    """Converts a part of a JSON file to an object.

    Args:
        content: the part.
        kind: the type of the object.
        path: the file, for the error message.
        mend: as in `read`.
        place: the position of the part in the file, such as `$.table1`.

    Raises:
        DamagedFileError: the part has another type.
    """
    try:
        return msgspec.convert(content, kind, dec_hook=_from_text)
    except (ValueError, RecursionError) as error:
        message = " ".join(str(error).split())
        located = message if "`$" in message else f"{message} - at `$`"
        raise DamagedFileError(f"{path} is damaged: {located.replace('`$', f'`{place}', 1)}; {mend}", path) from None


def plain(value: Any) -> Any:
    """The value as JSON: objects become dictionaries, tuples become lists, numbers that are not finite become None."""
    return json.loads(msgspec.json.encode(value, enc_hook=float))


def _checksum(text: bytes) -> str:
    """The checksum of the text of a JSON file; its numbers are taken as they stand there."""
    return checksum({key: value for key, value in json.loads(text).items() if key != SHA256})


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    value = int(text)
    return value if abs(value) < 2**63 else None


def _from_text(kind: type[Any], text: Any) -> Any:
    """An object that JSON holds as text, such as a path."""
    if not isinstance(text, str):
        raise ValueError(f"Expected `str`, got `{type(text).__name__}`")
    return kind(text)
