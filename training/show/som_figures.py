"""Plots of any map, with or without a run: U-matrix, hits, component planes, classes, or one number per neuron."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from agents.som import quality
from agents.som.classes import class_map
from agents.som.grid import ROW, Grid
from agents.som.samples import Samples
from agents.som.som import MultiModalSom

from .style import COLORS

Floats = NDArray[np.float32]
LARGEST = 100
"""Hits are summed over blocks of neurons on maps with a longer side; on such a map, hexagons would be too small to see."""
PALE = 0.6
"""How much a neuron that won no sample is paler in a class map."""


def plot_u_matrix(som: MultiModalSom, axes: Axes | None = None) -> Axes:
    """Draws the mean distance between each neuron and its direct neighbors: borders of clusters and folds are bright.

    Args:
        som: the map.
        axes: where to draw; by default a new figure.
    """
    axes = axes or plt.subplots()[1]
    plane = quality.u_matrix(som).cpu().numpy()
    return draw(axes, plane, som.grid, "distance to the neighbors", "U-matrix")


def plot_hits(som: MultiModalSom, samples: Samples, axes: Axes | None = None) -> Axes:
    """Draws how many samples each neuron won; on large maps, each block of neurons.

    Args:
        som: the map.
        samples: modality -> features, shape (N, width).
        axes: where to draw; by default a new figure.
    """
    return draw_hits(axes or plt.subplots()[1], som.winners(samples), som.grid)


def draw_hits(axes: Axes, winners: Tensor, grid: Grid) -> Axes:
    """Draws how many samples each neuron, or each block of neurons, won; from the winners (N,)."""
    hits = quality.hit_histogram(winners, grid.shape).float().cpu().numpy()
    per = "block" if max(grid.shape) > LARGEST else "neuron"
    return draw(axes, block_sums(hits, LARGEST), grid, f"samples per {per}", "hits")


def plot_components(
    som: MultiModalSom, modality: str, names: Sequence[str] | None = None, unit: str = "", across: int = 4
) -> Figure:
    """Draws one plane for each dimension of a modality: the weights of all neurons.

    Args:
        som: the map.
        modality: its name.
        names: titles of the planes; by default the modality's name and a number.
        unit: unit of the weights.
        across: planes side by side.
    """
    planes = quality.component_planes(som, modality).cpu().numpy()
    return draw_planes(planes, som.grid, names or [f"{modality} {n}" for n in range(len(planes))], unit, across)


def draw_planes(planes: Floats, grid: Grid, names: Sequence[str], unit: str, across: int) -> Figure:
    """A figure of many planes (D, X, Y)."""
    down, across = -(-len(planes) // across), min(across, len(planes))
    figure, axes = plt.subplots(down, across, figsize=(2.9 * across, 2.7 * down), squeeze=False)
    for empty in axes.flat[len(planes) :]:
        empty.axis("off")
    for ax, name, plane in zip(axes.flat, names, planes, strict=False):
        _color(ax, plane, grid, unit, (float(plane.min()), float(plane.max())))
        ax.set_title(name, fontsize=9)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    figure.tight_layout()
    return figure


def plot_classes(som: MultiModalSom, samples: Samples, labels: ArrayLike, axes: Axes | None = None) -> Axes:
    """Draws the most frequent label at each neuron, see `class_map`; neurons that won no sample are pale.

    Args:
        som: the map.
        samples: modality -> features, shape (N, width).
        labels: a label for each sample, shape (N,).
        axes: where to draw; by default a new figure.
    """
    axes = axes or plt.subplots()[1]
    found = class_map(som, samples, labels)
    colors = np.array([to_rgb(color) for color in _colors(len(found.names))])
    drawn = colors[found.classes.cpu().numpy()]  # (X, Y, 3)
    pale = np.where(found.hits.cpu().numpy() > 0, 0, PALE)[..., None]
    _neurons(axes, drawn * (1 - pale) + pale, som.grid)
    axes.set_title("classes")
    handles = [Patch(color=color, label=str(name)) for color, name in zip(colors, found.names, strict=True)]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0, frameon=False)
    return axes


def plot_neurons(
    som: MultiModalSom, values: ArrayLike | Tensor, axes: Axes | None = None, label: str = "", title: str = ""
) -> Axes:
    """Draws one number for each neuron.

    Args:
        som: the map.
        values: shape (X, Y), or flat (X*Y,); NaN is gray.
        axes: where to draw; by default a new figure.
        label: what the numbers are, with their unit.
        title: above the plot.
    """
    numbers = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    return draw(axes or plt.subplots()[1], numbers.astype(np.float32).reshape(som.shape), som.grid, label, title)


def draw(axes: Axes, plane: Floats, grid: Grid, label: str, title: str) -> Axes:
    """Draws one number per neuron, or per block of neurons, of a map; gray if there is no number."""
    low, high = np.nanpercentile(plane, (0.5, 99.5)).tolist()
    _color(axes, plane, grid, label, (low, high or None))
    axes.set_title(title)
    return axes


def _color(axes: Axes, plane: Floats, grid: Grid, label: str, limits: tuple[float, float | None]) -> None:
    cmap = plt.get_cmap("viridis").with_extremes(bad="#dddddd")
    shown = _neurons(axes, plane, grid, cmap=cmap, clim=limits)
    axes.figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.03).set_label(label)


def _neurons(axes: Axes, values: NDArray[Any], grid: Grid, **look: Any) -> ScalarMappable:
    """Draws neurons, or blocks of them, with a number (x, y) or a color (x, y, 3) each; as hexagons on a hexagonal map."""
    axes.set(xlabel="neuron, column", ylabel="neuron, row")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))
    if grid.topology == "hexagonal" and values.shape[:2] == grid.shape and max(grid.shape) <= LARGEST:
        return _hexagons(axes, values, grid, **look)
    side = -(-max(grid.shape) // max(values.shape[:2]))  # of a block
    height = ROW if grid.topology == "hexagonal" else 1
    shown = axes.imshow(values, extent=(0, values.shape[1] * side, values.shape[0] * side, 0), aspect=height)
    shown.set(**look)
    return shown


def _hexagons(axes: Axes, values: NDArray[Any], grid: Grid, **look: Any) -> PolyCollection:
    rows, columns = np.indices(grid.shape).reshape(2, -1)
    centers = np.stack([columns + rows % 2 / 2 + 0.5, (rows + 0.5) * ROW], 1)
    turn = np.pi / 3 * np.arange(6)
    corners = np.stack([np.sin(turn), np.cos(turn)], 1) / np.sqrt(3)
    shown = PolyCollection(centers[:, None] + corners, edgecolors="face", linewidths=0.3)
    if values.ndim == 3:
        shown.set_facecolor(values.reshape(-1, 3))
    else:
        shown.set_array(values.ravel())
        shown.set(**look)
    axes.add_collection(shown)
    named = np.arange(0, grid.shape[0], -(-grid.shape[0] // 6))
    axes.set(aspect="equal", xlim=(0, grid.shape[1] + 0.5), ylim=(grid.shape[0] * ROW + 0.15, -0.15))
    axes.set_yticks((named + 0.5) * ROW, [str(row) for row in named])
    return shown


def _colors(count: int) -> Sequence[Any]:
    """Colors for so many classes."""
    colors = [color for color in COLORS if color != "#999999"]  # gray neurons have no number
    if count <= len(colors):
        return colors[:count]
    many = plt.get_cmap("tab20")
    return [many(number % 20) for number in range(count)]


def block_sums(plane: Floats, blocks: int) -> Floats:
    """Sums over square blocks, at most `blocks` per side, because single hits on a large map are too small to see."""
    side = -(-max(plane.shape) // blocks)
    rows, columns = (-(-length // side) for length in plane.shape)
    padded = np.zeros((rows * side, columns * side), plane.dtype)
    padded[: plane.shape[0], : plane.shape[1]] = plane
    return padded.reshape(rows, side, columns, side).sum(axis=(1, 3))
