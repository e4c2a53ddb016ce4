"""Figures of the map for the report: the weights of its neurons, its place in the data, and its errors."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som import quality as map_quality
from agents.som.som import MultiModalSom
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from .som_figures import block_sums, draw, draw_hits, draw_planes, plot_components, plot_u_matrix

Floats = NDArray[np.float32]

ASKED = {"vision alone": (VISION,), "proprioception alone": (PROPRIOCEPTION,), "both": (VISION, PROPRIOCEPTION)}
"""The senses of each query for a pose, by the title of its panel."""
_MOST_ACROSS = 7  # planes in one row of a figure


def atlas(mind: SomAutoencoder, tiles: int = 16, aspect: float = 3 / 5) -> Figure:
    """Decoded pictures of neurons all over the map, one tile for each.

    Args:
        mind: the SOM-AE.
        tiles: largest number of tiles along each side.
        aspect: rows over columns of the eye's frames.
    """
    rows, columns = mind.som.shape
    tiles = min(tiles, rows, columns)
    pictures = tile_pictures(mind, tiles, tiles).reshape(-1, 64, 64)
    framed = np.pad(pictures, ((0, 0), (2, 2), (2, 2)), constant_values=1.0).reshape(tiles, tiles, 68, 68)
    wide = framed.transpose(0, 2, 1, 3).reshape(tiles * 68, tiles * 68)
    figure, axis = plt.subplots(figsize=(9, 5.6))
    axis.imshow(wide, cmap="gray", vmin=0, vmax=1, aspect=aspect, extent=(0, columns, rows, 0))
    axis.set_aspect(aspect * columns / rows)
    axis.set(xlabel="neuron, column", ylabel="neuron, row")
    figure.tight_layout()
    return figure


def tile_pictures(mind: SomAutoencoder, down: int, across: int) -> Floats:
    """Decoded pictures of the neurons in the middle of equal tiles of the map, shape (down, across, 64, 64)."""
    rows, columns = (
        ((np.arange(tiles) + 0.5) * side / tiles).astype(int)
        for tiles, side in zip((down, across), mind.som.shape, strict=True)
    )
    neurons = torch.from_numpy((rows[:, None] * mind.som.shape[1] + columns).ravel()).to(mind.device)
    with torch.inference_mode():
        pictures = mind.pictures_of(neurons).float().cpu().numpy()
    return pictures.reshape(down, across, 64, 64)


def joint_angles(mind: SomAutoencoder) -> Floats:
    """The angle that each neuron holds for each joint, shape (J, X, Y), deg."""
    low, high = mind.joint_ranges.T[..., None, None]  # (J, 1, 1)
    planes = map_quality.component_planes(mind.som, PROPRIOCEPTION)  # (J, X, Y), normalized
    return (low + planes * (high - low)).rad2deg().cpu().numpy()


def joint_planes(mind: SomAutoencoder, names: Sequence[str]) -> Figure:
    """Component planes: the angle that each neuron holds for each joint."""
    titles = [name.replace("_", " ") for name in names]
    across = len(names) if len(names) <= _MOST_ACROSS else -(-len(names) // 2)
    return draw_planes(joint_angles(mind), mind.som.grid, titles, "deg", across=across)


def latent_planes(mind: SomAutoencoder) -> Figure:
    """Component planes: what each neuron holds for each latent, in standard deviations over the data set."""
    names = [f"latent {number}" for number in range(mind.som.modalities[VISION])]
    return plot_components(mind.som, VISION, names, "standard deviations")


def lay(som: MultiModalSom, winners: Tensor) -> Figure:
    """The map's place in the data: the U-matrix, and the number of samples that each block of neurons won."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2))
    plot_u_matrix(som, axes[0])
    draw_hits(axes[1], winners, som.grid)
    figure.tight_layout()
    return figure


def activities(mind: SomAutoencoder, data: Dataset, seed: int = 0) -> Figure:
    """The activity of the map (Eq. 3) for one test pose by vision, by proprioception and by both; the winner is marked."""
    test = data.split("test")
    shown = test[data.shows_hand[test]]
    chosen = np.random.default_rng(seed).permutation(shown if len(shown) else test)[:1]
    gaze = torch.from_numpy(data.normalized_felt_gaze[chosen]) if GAZE in mind.som.modalities else None
    latents = mind.latents(data.pictures[chosen], gaze)
    pose = {VISION: latents, PROPRIOCEPTION: torch.from_numpy(data.normalized_joints[chosen]).to(mind.device)}
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8))
    for axis, (title, names) in zip(axes, ASKED.items(), strict=True):
        query = {name: pose[name] for name in names}
        activity = mind.som.activity(query)[0].cpu().numpy()  # (X, Y)
        row, column = divmod(int(mind.som.winners(query)), mind.som.shape[1])
        draw(axis, activity, mind.som.grid, "activity A", title)
        axis.plot(column + 0.5, row + 0.5, "o", ms=11, mfc="none", mec="#D55E00", mew=2)
    figure.tight_layout()
    return figure


def errors(som: MultiModalSom, samples: dict[str, Tensor]) -> Figure:
    """The map's errors: mean quantization error and share of topographic errors, by block of neurons."""
    distances, winners = som.nearest(samples)
    folds = map_quality.on_fold(som, samples).float()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2))
    for axis, values, label, title in (
        (axes[0], distances, "mean distance to the winner (-A of Eq. 3)", "quantization error"),
        (axes[1], folds, "share of the samples", "topographic error"),
    ):
        draw(axis, block_means(values, winners, som.shape, 25), som.grid, label, title)
    figure.tight_layout()
    return figure


def block_means(values: Tensor, winners: Tensor, shape: tuple[int, int], blocks: int) -> Floats:
    """Means over square blocks of the samples that won there, at most `blocks` per side; NaN for a block without samples.

    Args:
        values: one number per sample, shape (N,).
        winners: flat index of every sample's winner, shape (N,).
        shape: rows and columns of the map.
        blocks: largest number of blocks per side.
    """
    sums, counts = (
        block_sums(torch.bincount(winners, weights, shape[0] * shape[1]).view(shape).float().cpu().numpy(), blocks)
        for weights in (values, torch.ones_like(values))
    )
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).astype(np.float32)
