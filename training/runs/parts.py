"""The parts of a run's `metrics.json`: what each must be, whether it is that, and which command writes it again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from agents.tools import json_files
from agents.tools.files import DamagedFileError

from .metrics import WRITTEN_BY, Metrics

_KINDS = get_type_hints(Metrics)


@dataclass(frozen=True)
class Part:
    """A section, or one entry of a section that has entries by name."""

    section: str
    entry: str | None
    content: Any
    """As it stands in the file."""
    kind: Any
    """What it must be."""

    @property
    def command(self) -> str:
        """The command that writes it again."""
        return _writer(self.section, self.entry or "NAME")

    def is_of(self, command: str) -> bool:
        """Whether this command writes it."""
        return fnmatchcase(command, _writer(self.section, self.entry or "*"))

    def fitted(self, path: Path, mend: str) -> Any:
        """What it says.

        Raises:
            DamagedFileError: it is not what it must be.
        """
        place = f"$.{self.section}" if self.entry is None else f"$.{self.section}.{self.entry}"
        return json_files.fit(self.content, self.kind, path, mend, place)

    @property
    def is_sound(self) -> bool:
        """Whether it is what it must be."""
        try:
            self.fitted(Path(), "")
        except DamagedFileError:
            return False
        return True


def of(content: Mapping[str, Any]) -> Iterator[Part]:
    """The parts of a file with this content; sections of later versions are left out."""
    for section in _KINDS:
        if section in content:
            yield from _of_section(section, content[section])


def sound_entries(section: str, content: Any) -> dict[str, Any]:
    """What stands in a section under names, without what is damaged."""
    return {
        part.entry: part.content for part in _of_section(section, content) if part.entry is not None and part.is_sound
    }


def sections_of(command: str) -> set[str]:
    """The sections that a command writes."""
    return {section for section in _KINDS if _writer(section, "") == command}


def _of_section(section: str, content: Any) -> Iterator[Part]:
    kind = _KINDS[section]
    if get_origin(kind) is dict and isinstance(content, dict):
        for entry, part in content.items():
            yield Part(section, entry, part, get_args(kind)[1])
    else:
        yield Part(section, None, content, kind)


def _writer(section: str, entry: str) -> str:
    return WRITTEN_BY.get(section, "evaluate").format(entry=entry)
