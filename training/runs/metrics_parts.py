"""The parts of a run's `metrics.json`: the type of each, whether it is damaged, and which command writes it again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from agents.tools import json_files
from agents.tools.files import DamagedFileError

from .metrics import OPTIONAL, WRITTEN_BY, Metrics

_KINDS = get_type_hints(Metrics)


@dataclass(frozen=True)
class MetricsPart:
    """A section of the file, or one entry of a section with named entries."""

    section: str
    entry: str | None
    content: Any
    """Its content in the file."""
    kind: Any
    """The type that it must have."""

    @property
    def command(self) -> str:
        """The command that writes this part again."""
        return _writer(self.section, self.entry or "NAME")

    def is_of(self, command: str) -> bool:
        """Whether this command writes this part."""
        return fnmatchcase(command, _writer(self.section, self.entry or "*"))

    def fitted(self, path: Path, mend: str) -> Any:
        """Its content as an object.

        Raises:
            DamagedFileError: the content has another type.
        """
        place = f"$.{self.section}" if self.entry is None else f"$.{self.section}.{self.entry}"
        return json_files.fit(self.content, self.kind, path, mend, place)

    @property
    def is_sound(self) -> bool:
        """Whether the content has the right type."""
        try:
            self.fitted(Path(), "")
        except DamagedFileError:
            return False
        return True


def of(content: Mapping[str, Any]) -> Iterator[MetricsPart]:
    """The parts of a file with this content; sections of later versions are ignored."""
    for section in _KINDS:
        if section in content:
            yield from _of_section(section, content[section])


def sound_entries(section: str, content: Any) -> dict[str, Any]:
    """The entries of a section that are not damaged, by name."""
    return {
        part.entry: part.content for part in _of_section(section, content) if part.entry is not None and part.is_sound
    }


def sections_of(command: str) -> set[str]:
    """The sections that a command always writes."""
    return {section for section in _KINDS if _writer(section, "") == command} - OPTIONAL


def _of_section(section: str, content: Any) -> Iterator[MetricsPart]:
    kind = _KINDS[section]
    if get_origin(kind) is dict and isinstance(content, dict):
        for entry, part in content.items():
            yield MetricsPart(section, entry, part, get_args(kind)[1])
    else:
        yield MetricsPart(section, None, content, kind)


def _writer(section: str, entry: str) -> str:
    return WRITTEN_BY.get(section, "evaluate").format(entry=entry)
