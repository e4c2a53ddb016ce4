"""The command line and what it runs: collect, train, evaluate, reach, report.

`Dataset` reads a data set; the rest is for the command line.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data.dataset import Dataset

__all__ = ["Dataset"]


def __getattr__(name: str) -> Any:
    if name != "Dataset":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .data.dataset import Dataset  # here: the command line starts without it

    return Dataset


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
