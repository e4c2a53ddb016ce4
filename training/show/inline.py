"""A film in a notebook."""

import base64
from pathlib import Path


class InlineFilm:
    """Shows a film when it is the last value of a notebook's cell; the notebook then holds the film.

    Args:
        path: the film, an MP4.
        width: its width on the page, pixels.
    """

    def __init__(self, path: str | Path, width: int = 900) -> None:
        self.path, self.width = Path(path), width

    def _repr_html_(self) -> str:
        content = base64.b64encode(self.path.read_bytes()).decode()
        return f'<video controls loop width="{self.width}" src="data:video/mp4;base64,{content}"></video>'
