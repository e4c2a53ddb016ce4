"""A JSON file's content, checked: what is missing or wrong in it is told in one line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infant_env.errors import UserError
from infant_env.given import shown

MEND = "restore it or collect anew"
"""What mends a file that is damaged."""
_LARGEST = 1e30  # of numbers that are read as float32


@dataclass(frozen=True)
class Part:
    """A dictionary in a JSON file, from which values are taken when they are as expected.

    Raises:
        UserError: a value is missing or wrong; one line says where.
    """

    file: Path
    name: str
    """Where it stands; empty: it is all of it."""
    content: dict[str, Any]

    def take(self, key: str, fits: Callable[[Any], bool], expected: str) -> Any:
        """The value of a key, when it fits."""
        if key not in self.content or not fits(self.content[key]):
            raise self.wrong(key, expected)
        return self.content[key]

    def part(self, key: str) -> "Part":
        """The dictionary of a key."""
        return Part(self.file, self._at(key), self.take(key, lambda v: isinstance(v, dict), "a dictionary"))

    def only(self, *keys: str) -> None:
        """Refuses any other keys: data are identified by all that stands here."""
        unknown = [key for key in self.content if key not in keys]
        if unknown:
            found = shown(self._at(unknown[0]))
            raise UserError(
                f"{self.file} has the unknown {found}, expected {list(keys)} alone; update infant-arm, or {MEND}"
            )

    def wrong(self, key: str, expected: str) -> UserError:
        """What is said of a key's value."""
        found = f"has {self._at(key)}={shown(self.content[key])}" if key in self.content else f"lacks {self._at(key)}"
        return UserError(f"{self.file} {found}, expected {expected}; {MEND}")

    def _at(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def is_number(value: Any) -> bool:
    """A number that is finite, also in single precision."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


def is_whole(least: int) -> Callable[[Any], bool]:
    """A whole number of so much or more."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_text(value: Any) -> bool:
    """A text."""
    return isinstance(value, str)


def is_texts(value: Any) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


def by_name(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A dictionary whose values all fit."""
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def is_size(value: Any) -> bool:
    """Two whole numbers of 1 or more."""
    return isinstance(value, list) and len(value) == 2 and all(map(is_whole(1), value))


def is_range(value: Any) -> bool:
    """Two numbers, the second larger, also in single precision."""
    if not (isinstance(value, list) and len(value) == 2 and all(map(is_number, value))):
        return False
    return bool(np.float32(value[0]) < np.float32(value[1]))
