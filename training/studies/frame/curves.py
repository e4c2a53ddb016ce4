"""Curves with the spread of the seeds, in front of gray bands with the values of the literature."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...show.style import COLORS
from .rows import Floats

BAND = "#DDDDDD"
LINES = tuple(color for color in COLORS if color != "#999999")
"""Colors of curves; gray is what the literature says."""
_MARKERS = "os^Dv<>P"


def panels(count: int, columns: int = 3, size: tuple[float, float] = (3.6, 3.1)) -> tuple[Figure, list[Axes]]:
    """A figure with panels in rows, marked a, b, c."""
    columns = min(columns, count)
    lines = -(-count // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(columns * size[0], lines * size[1]), squeeze=False, layout="constrained"
    )
    every: list[Axes] = list(axes.flat)
    for axis in every[count:]:
        axis.remove()
    for number, axis in enumerate(every[:count]):
        axis.spines[["top", "right"]].set_visible(False)
        if count > 1:
            axis.set_title("abcdefghijkl"[number], loc="left", fontweight="bold", fontsize=11)
    return figure, every[:count]


def curve(axis: Axes, x: Floats, values: Floats, number: int, label: str | None = None, **style: Any) -> None:
    """The mean of the seeds with markers, and their standard deviation as a band.

    Args:
        axis: a panel.
        x: shape (X,).
        values: shape (S, X); NaN is left out.
        number: of the color in `LINES`; lines with the same one have the same marker.
        label: its name in the legend.
        style: of the line.
    """
    kept = ~np.isnan(values).any(0)
    x, mean, spread = x[kept], values[:, kept].mean(0), values[:, kept].std(0)
    usual: dict[str, Any] = {"marker": _MARKERS[number], "markersize": 4, "linewidth": 1.5, "color": LINES[number]}
    axis.plot(x, mean, label=label, **usual | style)
    if len(values) > 1:
        axis.fill_between(x, mean - spread, mean + spread, color=usual["color"], alpha=0.15, linewidth=0)


def band(axis: Axes, low: float, high: float, label: str | None = None) -> None:
    """What the literature says: a gray band over the whole panel."""
    axis.axhspan(low, high, color=BAND, zorder=0, linewidth=0, label=label)


def bars(axis: Axes, values: dict[str, Floats], bands: Mapping[str, tuple[float, float]] | None = None) -> None:
    """Means of the seeds as dots with their standard deviation, one below the other; each seed is a small dot.

    Args:
        axis: a panel.
        values: name -> values of the seeds, (S,).
        bands: name -> what the literature says, a gray band.
    """
    for place, (name, own) in enumerate(reversed(values.items())):
        if bands and name in bands:
            low, high = bands[name]
            axis.fill_betweenx([place - 0.35, place + 0.35], low, high, color=BAND, zorder=0, linewidth=0)
        axis.plot(own, np.full(len(own), place), ".", color="#999999", markersize=4)
        axis.errorbar(own.mean(), place, xerr=own.std(), fmt="o", color=COLORS[0], capsize=3, markersize=5)
    axis.set_yticks(range(len(values)), [*reversed(values)])
    axis.set_ylim(-0.6, len(values) - 0.4)
