"""Figures of the report: recalled pictures, errors, training curves; `map_figures` has those of the map."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from ..runs.learning import Learned
from ..runs.metrics import Scores
from ..runs.trained import MapEpoch, PictureEpoch
from .style import COLORS

_STYLES, _HATCHES = ("-", "--", ":"), ("", "//", "..")  # if there are more methods than colors


def recalled_pictures(mind: SomAutoencoder, data: Dataset, count: int = 8, seed: int = 0) -> Figure:
    """The counterpart of the paper's Table 2: true pictures, their reconstruction by the autoencoder, and recalled pictures."""
    chosen = np.random.default_rng(seed).permutation(data.split("validation"))[:count]
    images = torch.from_numpy(data.pictures[chosen]).to(mind.device)
    joints = torch.from_numpy(data.normalized_joints[chosen]).to(mind.device)
    gaze = (
        {GAZE: torch.from_numpy(data.normalized_felt_gaze[chosen]).to(mind.device)}
        if GAZE in mind.som.modalities
        else {}
    )
    kept = mind.decode({VISION: mind.latents(images, gaze.get(GAZE)), **gaze})[VISION]
    known = {VISION: images, **gaze}
    asked = "vision and gaze" if gaze else "vision"
    rows = {
        "shown": images,
        "autoencoder": kept,
        f"{asked} -> vision\nwinner": mind.predict_from(known)[VISION],
        f"{asked} -> vision\nlocal linear": mind.predict_from(known, "local_linear")[VISION],
        "joints -> vision\nwinner": mind.predict(PROPRIOCEPTION, joints)[VISION],
        "joints -> vision\nlocal linear": mind.predict(PROPRIOCEPTION, joints, "local_linear")[VISION],
    }
    aspect = data.eye_size[0] / data.eye_size[1]
    size = 1.5 * len(chosen) + 1, 1.02 * len(rows) * aspect / 0.6
    figure, _ = picture_grid({label: list(each.float().cpu().numpy()) for label, each in rows.items()}, aspect, size)
    figure.tight_layout(pad=0.4)
    return figure


def picture_grid(
    rows: Mapping[str, Sequence[NDArray[np.float32] | None]], aspect: float, size: tuple[float, float]
) -> tuple[Figure, NDArray[Any]]:
    """A grid of pictures, and its axes; a cell stays empty for None.

    Args:
        rows: pictures (64, 64) by label, equally many in each row.
        aspect: rows over columns of the eye's frames.
        size: width and height of the figure, inches.
    """
    figure, axes = plt.subplots(len(rows), len(next(iter(rows.values()))), figsize=size, squeeze=False)
    for line, (label, pictures) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
        for axis, picture in zip(line, pictures, strict=True):
            axis.set(xticks=[], yticks=[])
            if picture is None:
                axis.set_frame_on(False)
            else:
                axis.imshow(picture, cmap="gray", vmin=0, vmax=1, aspect=aspect)
    return figure, axes


def reliability_diagram(rows: list[tuple[int, float, float]]) -> Figure:
    """Reliability diagram: the share of right hypotheses against their probability, with 95 % intervals."""
    counts, probabilities, right = (np.array(column) for column in zip(*rows, strict=True))
    spread = 1.96 * np.sqrt(right * (1 - right) / counts)  # 95 % interval of a share
    figure, axis = plt.subplots(figsize=(4.4, 3.9))
    axis.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    axis.errorbar(probabilities, right, spread, color=COLORS[0], marker="o", capsize=3)
    for x, y, count in zip(probabilities, right, counts, strict=True):
        axis.annotate(f"{count}", (x, y), (5, -11), textcoords="offset points", fontsize=8, color="#555555")
    axis.set(xlabel="predicted probability", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    figure.tight_layout()
    return figure


def hand_errors(everywhere: Mapping[str, Scores], shown: Mapping[str, Scores]) -> Figure:
    """Distribution of the hand's error, for poses that each method recalls from a picture.

    Args:
        everywhere: scores by method, over all test poses.
        shown: scores by method, over the poses that show the hand; empty if nobody knows which do.
    """
    parts = {"all test poses": everywhere} | ({"hand in view": shown} if shown else {})
    figure, grid = plt.subplots(1, len(parts), figsize=(10 if shown else 6.5, 3.9), sharey=True, squeeze=False)
    axes = grid[0]
    looks = dict(zip(everywhere, itertools.product(_STYLES, COLORS), strict=False))
    for axis, (title, rows) in zip(axes, parts.items(), strict=True):
        for name, scores in rows.items():
            if name in looks and scores.hand_error_cm_percentiles is not None:
                style, color = looks[name]
                percentiles = scores.hand_error_cm_percentiles
                axis.plot(percentiles, np.linspace(0, 1, 101), color=color, linestyle=style, label=as_it_is(name))
        axis.set(title=title, xlabel="error of the hand (cm)", xlim=(0, 20), ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("share of the poses")
    axes[-1].legend(*axes[0].get_legend_handles_labels(), fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.tight_layout()
    return figure


def as_it_is(name: str) -> str:
    """A name for a figure: matplotlib would read text between two `$` as a formula."""
    return name.replace("$", r"\$")


def joint_errors(rows: Mapping[str, Scores]) -> Figure:
    """Error of each joint, predicted from pictures, in degrees, by method."""
    joints = list(dict.fromkeys(joint for scores in rows.values() for joint in scores.joint_error_deg))
    figure, axis = plt.subplots(figsize=(max(10, 1.3 * len(joints)), 3.6))
    width = 0.8 / max(len(rows), 1)
    looks = itertools.product(_HATCHES, COLORS)
    for k, ((hatch, color), (name, scores)) in enumerate(zip(looks, rows.items(), strict=False)):
        degrees = [scores.joint_error_deg.get(joint, np.nan) for joint in joints]
        places = np.arange(len(joints)) + k * width
        axis.bar(places, degrees, width, color=color, hatch=hatch, edgecolor="white", label=as_it_is(name))
    labels = ["\n".join(joint.replace("_", " ").rsplit(" ", 1)) for joint in joints]
    axis.set_xticks(np.arange(len(labels)) + 0.4 - width / 2, labels, fontsize=9)
    axis.set_ylabel("mean absolute error (deg)")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.tight_layout()
    return figure


def training_curves(autoencoder: Sequence[PictureEpoch], som: Sequence[MapEpoch]) -> Figure:
    """Training curves of the autoencoder and the map."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
    epochs = [entry.epoch for entry in autoencoder]
    for color, key, label in ((COLORS[0], "train_mse", "training"), (COLORS[1], "validation_mse", "validation")):
        axes[0].plot(epochs, [getattr(entry, key) for entry in autoencoder], color=color, label=label)
    axes[0].set(title="autoencoder", xlabel="epoch", ylabel="mean squared error", yscale="log")
    axes[0].legend()
    axes[1].plot([e.epoch for e in som], [e.quantization_error for e in som], color=COLORS[0])
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


def learning_curves(rows: Mapping[str, Learned]) -> Figure:
    """Share of the fixed goals that each way of learning reaches, by real steps; thin: the seeds, thick: their mean."""
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.2), sharey=True)
    for axis, which in zip(axes, ("far", "near"), strict=True):
        for color, (name, row) in zip(itertools.cycle(COLORS), rows.items()):
            seeds = row.seeds
            curves = [[(r.model_steps + j.steps, getattr(j, which)) for j in r.judgments] for r in seeds]
            if seeds[0].imagined or len(curves[0]) < 2:  # it did not improve with real steps
                axis.axhline(
                    np.mean([curve[-1][1] for curve in curves]), color=color, linestyle=":", label=as_it_is(name)
                )
                continue
            for curve in curves:
                axis.plot(*zip(*curve, strict=True), color=color, alpha=0.3, linewidth=0.8)
            length = min(map(len, curves))
            axis.plot(*np.mean([curve[:length] for curve in curves], axis=0).T, color=color, label=as_it_is(name))
        axis.axhline(0.9, color="#999999", linewidth=0.8)
        axis.set(
            xscale="log",
            xlabel="steps of the real infant",
            ylim=(0, 1),
            title={"far": "within 5 cm", "near": "within 2 cm"}[which],
        )
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("share of the goals")
    axes[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.tight_layout()
    return figure
