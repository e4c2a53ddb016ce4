"""Tables, figures, films and pages."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .inline import InlineFilm
    from .som_figures import plot_classes, plot_components, plot_hits, plot_neurons, plot_u_matrix

__all__ = ["InlineFilm", "plot_classes", "plot_components", "plot_hits", "plot_neurons", "plot_u_matrix"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = ".inline" if name == "InlineFilm" else ".som_figures"
    return getattr(importlib.import_module(module, __name__), name)  # here: tables need no matplotlib


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
