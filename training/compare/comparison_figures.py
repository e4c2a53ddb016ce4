"""Figures of the comparison: error against cost, and the recalled pictures of every method."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from ..measure.senses import JOINTS_TO_PICTURE, PICTURE_TO_JOINTS
from ..measure.statistics import Interval
from ..methods.method import seen_by
from ..runs import folder as runs
from ..show.figures import picture_grid, reliability_diagram
from ..show.style import COLORS
from .config import Config
from .judge import JudgeConfig

_CROSS = {PICTURE_TO_JOINTS: "joints from a picture", JOINTS_TO_PICTURE: "a picture from joints"}
Intervals = Mapping[str, Mapping[str, Interval]]
"""Intervals by method and mapping."""
_MARKERS = "osD^v<>Pp*"
_TICKS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)


def all_of(config: Config, folder: Path, errors: Intervals, spent: Mapping[str, float | None]) -> dict[str, Figure]:
    """All figures by title.

    Args:
        config: the command's config.
        folder: the folder of one seed, with its checkpoints.
        errors: errors by method and mapping.
        spent: CPU seconds of training by method.
    """
    drawn = {"Error against training time": error_against_cost(errors, spent)}
    if thoughts := runs.metrics_of(folder, "imagery").imagery:
        drawn["What the probabilities of imagined poses are worth"] = reliability_diagram(
            thoughts.hypotheses.all.reliability
        )
    return {**drawn, "What every method recalls": recalled(config, folder, Dataset.open(runs.data_of(folder)))}


def error_against_cost(errors: Intervals, spent: Mapping[str, float | None]) -> Figure:
    """Both cross-modal errors with intervals, against CPU seconds of training; methods without training are at the left."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6))
    for axis, (mapping, title) in zip(axes, _CROSS.items(), strict=True):
        looks = zip(itertools.cycle(COLORS), itertools.cycle(_MARKERS))
        for (color, marker), (name, row) in zip(looks, errors.items(), strict=False):
            if mapping in row:
                error, seconds = row[mapping], max(spent[name] or 0, 1)
                bar = [[error.mean - error.low], [error.high - error.mean]]
                axis.errorbar(seconds, error.mean, bar, color=color, marker=marker, capsize=3, linestyle="", label=name)
        axis.set(xscale="log", yscale="log", title=title, xlabel="training, CPU seconds", ylabel="mean absolute error")
        axis.set_yticks([t for t in _TICKS if axis.get_ylim()[0] < t < axis.get_ylim()[1]])
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("")
        axis.grid(alpha=0.3)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    axes[1].legend(handles.values(), handles, fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.tight_layout()
    return figure


def recalled(config: Config, folder: Path, data: Dataset, count: int = 8) -> Figure:
    """Validation samples, and each method's pictures from the picture (left) and from the joints (right)."""
    chosen = np.random.default_rng(config.seed).permutation(data.split("validation"))[:count]
    joints = torch.from_numpy(data.normalized_joints[chosen])
    scoring = JudgeConfig(folder, config.neighbors, imagery=True, device=config.device)
    rows = {"shown": [*data.pictures[chosen]] * 2}
    for _, name, method in scoring.predictors(data):
        pictures = torch.from_numpy(data.squeezed_to(seen_by(method)).pictures[chosen])
        known = {VISION: pictures, PROPRIOCEPTION: joints}
        drawn = [method.predict(source, samples).get(VISION) for source, samples in known.items()]
        if any(each is not None for each in drawn):
            halves = [[None] * len(chosen) if each is None else [*each.float().cpu().numpy()] for each in drawn]
            rows[name] = halves[0] + halves[1]
    aspect, size = data.eye_size[0] / data.eye_size[1], (2.2 * count + 2, 0.72 * len(rows) + 0.3)
    figure, axes = picture_grid(rows, aspect, size)
    axes[0, 0].set_title("from the picture", loc="left", fontsize=10)
    axes[0, len(chosen)].set_title("from the joints", loc="left", fontsize=10)
    figure.tight_layout(pad=0.3)
    return figure
