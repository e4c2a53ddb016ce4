"""Writes one HTML file without external references, with figures inside it. The template engine escapes every value."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from agents.tools.files import replacing

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Picture:
    """A PNG file that stands inside a page."""

    content: bytes
    description: str
    """Text for those who do not see the picture."""

    @property
    def base64(self) -> str:
        """The file as text."""
        return as_text(self.content)


def write(path: Path, template: str, content: dict[str, Any]) -> Path:
    """Writes a page, completely or not at all, and prints its path.

    Args:
        path: the file.
        template: a file of the folder `templates`.
        content: the values in the template: text, tables (header and rows), pictures.
    """
    page = render(template, content)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")  # half of a surrogate pair is no text
    print(f"report: {path}")
    return path


def render(template: str, content: dict[str, Any]) -> str:
    """A page as text; `<`, `>`, `&` and quotes of all values are escaped."""
    return _TEMPLATES.get_template(template).render(content)


def figure(run: Path, name: str, drawn: Figure) -> Picture:
    """Saves a figure in the run's `figures`; returns its picture."""
    content = png(drawn)
    with replacing(run / "figures" / f"{name.replace('/', '_')}.png") as temporary:
        temporary.write_bytes(content)
    return Picture(content, name.replace("_", " "))


def png(drawn: Figure) -> bytes:
    """A figure as a PNG file; closes the figure."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, dpi=110, format="png")
    plt.close(drawn)
    return buffer.getvalue()


def as_text(content: bytes) -> str:
    """A file as base64, as addresses that begin with `data:` hold it."""
    return base64.b64encode(content).decode()
