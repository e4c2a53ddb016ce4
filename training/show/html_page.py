"""Writes one HTML file without external references, with figures inside it."""

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from agents.tools.files import replacing

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2 { line-height: 1.2; margin-top: 2.2rem } img, video { max-width: 100%; display: block; margin: .5rem 0 }
table { border-collapse: collapse; font-size: 14px; margin: .5rem 0; display: block; overflow-x: auto }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th:first-child, td:first-child { text-align: left } th { white-space: normal; vertical-align: bottom }
code { background: #f3f3f3; padding: .1rem .3rem }
p.note { color: #555; font-size: 14px }
"""


def write(path: Path, title: str, sections: Iterable[str]) -> Path:
    """Writes a page, completely or not at all, and prints its path."""
    content = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{chr(10).join(sections)}</body></html>\n"
    )
    with replacing(path) as temporary:
        temporary.write_text(content)
    print(f"report: {path}")
    return path


def figure(run: Path, name: str, drawn: Figure) -> str:
    """Saves a figure in the run's `figures`; returns its HTML."""
    content = png(drawn)
    with replacing(run / "figures" / f"{name}.png") as temporary:
        temporary.write_bytes(content)
    return image(content, name.replace("_", " "))


def png(drawn: Figure) -> bytes:
    """A figure as a PNG file; closes the figure."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, dpi=110, format="png")
    plt.close(drawn)
    return buffer.getvalue()


def image(content: bytes, description: str) -> str:
    """The HTML of a PNG file, with the file inside."""
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
