"""Tables, figures, films and pages."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .som_figures import plot_classes, plot_components, plot_hits, plot_neurons, plot_u_matrix

__all__ = ["plot_classes", "plot_components", "plot_hits", "plot_neurons", "plot_u_matrix"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".som_figures", __name__), name)  # here: tables need no matplotlib


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
