"""The report's pictures: the recalled pictures, the map, the errors, the training."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents import map_quality
from agents.som_autoencoder import SomAutoencoder

from .dataset import Dataset

COLORS = ("#0072B2", "#D55E00", "#999999", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe-Ito
DEGREES = 180 / np.pi


def recalled_pictures(mind: SomAutoencoder, data: Dataset, count: int = 8, seed: int = 0) -> Figure:
    """The counterpart of the paper's Table 2: what is shown, what the autoencoder keeps, what the map recalls."""
    chosen = np.random.default_rng(seed).permutation(data.split("validation"))[:count]
    images = torch.from_numpy(data.gray[chosen]).to(mind.device)
    joints = torch.from_numpy(data.normalized_joints[chosen]).to(mind.device)
    with torch.inference_mode():
        kept = mind.autoencoder.decode(mind.autoencoder.encode(images))
    rows = {
        "shown": images,
        "autoencoder": kept,
        "vision -> vision\nwinner": mind.predict("vision", images)["vision"],
        "vision -> vision\nlocal linear": mind.predict("vision", images, "local_linear")["vision"],
        "joints -> vision\nwinner": mind.predict("proprioception", joints)["vision"],
        "joints -> vision\nlocal linear": mind.predict("proprioception", joints, "local_linear")["vision"],
    }
    figure, axes = plt.subplots(
        len(rows), len(chosen), figsize=(1.5 * len(chosen) + 1, 1.02 * len(rows)), squeeze=False
    )
    for line, (label, pictures) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
        for axis, picture in zip(line, pictures.float().cpu().numpy(), strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1, aspect=3 / 5)
            axis.set(xticks=[], yticks=[])
    figure.tight_layout(pad=0.4)
    return figure


def atlas(mind: SomAutoencoder, tiles: int = 16) -> Figure:
    """What neurons all over the map imagine: every tile is one neuron's decoded picture."""
    rows, columns = mind.som.shape
    tiles = min(tiles, rows, columns)
    along = [np.linspace(0, side - 1, tiles).round().astype(int) for side in (rows, columns)]
    neurons = (along[0][:, None] * columns + along[1]).ravel()
    with torch.inference_mode():
        pictures = mind.autoencoder.decode(mind.som.weights("vision")[torch.from_numpy(neurons)]).float().cpu().numpy()
    framed = np.pad(pictures, ((0, 0), (2, 2), (2, 2)), constant_values=1.0).reshape(tiles, tiles, 68, 68)
    wide = framed.transpose(0, 2, 1, 3).reshape(tiles * 68, tiles * 68)
    figure, axis = plt.subplots(figsize=(9, 5.6))
    axis.imshow(wide, cmap="gray", vmin=0, vmax=1, aspect=3 / 5, extent=(0, columns, rows, 0))
    axis.set_aspect(3 / 5 * columns / rows)
    axis.set(xlabel="neuron, column", ylabel="neuron, row")
    figure.tight_layout()
    return figure


def joint_planes(mind: SomAutoencoder, names: list[str]) -> Figure:
    """Component planes: the angle that each neuron holds for each joint."""
    low, high = mind.joint_ranges.T[..., None, None]  # (J, 1, 1)
    planes = map_quality.component_planes(mind.som, "proprioception")  # (J, X, Y), normalized
    angles = (low + planes * (high - low)).cpu().numpy() * DEGREES
    figure, axes = plt.subplots(1, len(names), figsize=(2.9 * len(names), 2.9), squeeze=False)
    for axis, name, plane in zip(axes[0], names, angles, strict=True):
        shown = axis.imshow(plane, cmap="viridis")
        axis.set_title(name.replace("_", " "), fontsize=9)
        axis.set(xticks=[], yticks=[])
        figure.colorbar(shown, ax=axis, shrink=0.75).set_label("deg", fontsize=8)
    figure.tight_layout()
    return figure


def map_picture(plane: NDArray[np.float32], shape: tuple[int, int], label: str) -> Figure:
    """One number per neuron, or per block of neurons, of a map of this shape: a U-matrix, a hit histogram, an activity."""
    figure, axis = plt.subplots(figsize=(4.6, 3.9))
    top = float(np.percentile(plane, 99.5)) or None
    shown = axis.imshow(plane, cmap="viridis", vmax=top, extent=(0, shape[1], shape[0], 0))
    axis.set(xlabel="neuron, column", ylabel="neuron, row")
    figure.colorbar(shown, ax=axis).set_label(label)
    figure.tight_layout()
    return figure


def hand_errors(details: dict[str, Any]) -> Figure:
    """How many test poses each method recalls from a picture how exactly, as the hand's error."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.9), sharey=True)
    for axis, subset, title in zip(axes, ("all", "shows_hand"), ("all test poses", "hand in view"), strict=True):
        for color, (name, mappings) in zip(COLORS, details.items(), strict=False):
            scores = mappings.get("vision->proprioception", {}).get(subset)
            if scores:
                axis.plot(scores["hand_error_cm_percentiles"], np.linspace(0, 1, 101), color=color, label=name)
        axis.set(title=title, xlabel="error of the hand (cm)", xlim=(0, 20), ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("share of the poses")
    axes[1].legend(fontsize=8)
    figure.tight_layout()
    return figure


def joint_errors(details: dict[str, Any]) -> Figure:
    """Which joints a picture tells, in degrees."""
    told = {n: m["vision->proprioception"]["all"] for n, m in details.items() if "vision->proprioception" in m}
    figure, axis = plt.subplots(figsize=(10, 3.6))
    width = 0.8 / len(told)
    for k, (color, (name, scores)) in enumerate(zip(COLORS, told.items(), strict=False)):
        degrees = scores["joint_error_deg"]
        axis.bar(np.arange(len(degrees)) + k * width, list(degrees.values()), width, color=color, label=name)
        labels = [joint.replace("_", " ") for joint in degrees]
    axis.set_xticks(np.arange(len(labels)) + 0.4 - width / 2, labels, fontsize=9)
    axis.set_ylabel("mean absolute error (deg)")
    axis.margins(y=0.25)  # room for the legend
    axis.legend(fontsize=8, ncols=4, loc="upper center")
    figure.tight_layout()
    return figure


def training_curves(autoencoder: list[dict[str, float]], som: list[dict[str, float]]) -> Figure:
    """How the autoencoder and the map got better."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
    epochs = [entry["epoch"] for entry in autoencoder]
    for color, key, label in ((COLORS[0], "train_mse", "training"), (COLORS[1], "validation_mse", "validation")):
        axes[0].plot(epochs, [entry[key] for entry in autoencoder], color=color, label=label)
    axes[0].set(title="autoencoder", xlabel="epoch", ylabel="mean squared error", yscale="log")
    axes[0].legend()
    axes[1].plot([e["epoch"] for e in som], [e["quantization_error"] for e in som], color=COLORS[0])
    axes[1].set(title="map", xlabel="epoch, coarse to fine", ylabel="quantization error (-A of Eq. 3)")
    for axis in axes:
        axis.grid(alpha=0.3)
    figure.tight_layout()
    return figure


def frame(picture: NDArray[np.uint8]) -> Figure:
    """A frame of the eye, pixel by pixel."""
    rows, columns = picture.shape[:2]
    figure = plt.figure(figsize=(5, 5 * rows / columns))
    figure.add_axes((0, 0, 1, 1), frameon=False).imshow(picture)
    return figure


def block_sums(plane: NDArray[np.float32], blocks: int = 100) -> NDArray[np.float32]:
    """Sums over square blocks, at most `blocks` a side: single hits on a large map are too small to see."""
    side = -(-max(plane.shape) // blocks)
    rows, columns = (-(-length // side) for length in plane.shape)
    padded = np.zeros((rows * side, columns * side), plane.dtype)
    padded[: plane.shape[0], : plane.shape[1]] = plane
    return padded.reshape(rows, side, columns, side).sum(axis=(1, 3))
