"""How this package is cited."""

from importlib import metadata
from pathlib import Path

PACKAGE = "infant-arm"
_FILE = "CITATION.cff"


def citation() -> str:
    """The content of CITATION.cff: that of the checkout, or of the installed package."""
    beside = Path(__file__).parents[2] / _FILE
    if beside.exists():
        return beside.read_text()
    return metadata.distribution(PACKAGE).read_text(f"licenses/{_FILE}") or ""
