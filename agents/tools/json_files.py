"""JSON files of a known shape: read, checked, and what is wrong with them told in one line."""

import json
import math
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .files import DamagedFileError

T = TypeVar("T")


def read(path: Path, kind: type[T], mend: str) -> T:
    """Reads a JSON file.

    Args:
        path: the file.
        kind: what it must hold, such as a dataclass; what it holds beyond that is left out.
        mend: how to mend the file; ends the message when it is damaged.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it is no JSON, or does not hold what it must.
    """
    return fit(load(path, mend), kind, path, mend)


def load(path: Path, mend: str) -> Any:
    """Reads a JSON file of any shape. A number that is not finite, or too large, becomes None: nothing could be
    measured.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it is no JSON.
    """
    try:
        return json.loads(path.read_text(), parse_int=_whole, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: {error}; {mend}") from None


def fit(content: Any, kind: type[T], path: Path, mend: str, place: str = "$") -> T:
    """Makes an object of a part of a JSON file.

    Args:
        content: the part.
        kind: what it must be.
        path: the file, for the message.
        mend: as in `read`.
        place: where the part stands in the file, such as `$.table1`.

    Raises:
        DamagedFileError: it is something else.
    """
    try:
        return msgspec.convert(content, kind, dec_hook=_from_text)
    except (ValueError, RecursionError) as error:
        told = str(error) if "`$" in str(error) else f"{error} - at `$`"
        raise DamagedFileError(f"{path} is damaged: {told.replace('`$', f'`{place}', 1)}; {mend}") from None


def plain(value: Any) -> Any:
    """The same as JSON: objects as dictionaries, tuples as lists, and None for numbers that are not finite."""
    return json.loads(msgspec.json.encode(value, enc_hook=float))


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    value = int(text)
    return value if abs(value) < 2**63 else None


def _from_text(kind: type[Any], text: Any) -> Any:
    """What JSON holds as text, such as paths."""
    if not isinstance(text, str):
        raise ValueError(f"Expected `str`, got `{type(text).__name__}`")
    return kind(text)
