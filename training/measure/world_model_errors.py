"""Errors of imagined motion against the simulator, from the same start with the same actions."""

from typing import Any

import matplotlib.pyplot as plt
import mujoco
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.world.world_model import WorldModel
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera

from ..data.babbled_motion import Motion
from ..data.dataset import Dataset
from ..runs import metrics
from ..show.style import COLORS

HORIZONS = (1, 5, 25)
"""Numbers of steps after which tables show errors."""
NEAR = 0.5
"""An imagined hand within this distance, cm, counts as right."""
LABELS = {
    "imagined": "imagined",
    "imagined_median": "imagined, median",
    "imagined_untouched": "imagined, where the real arm touched nothing",
    "stays": "stays where it is",
    "arrives": "arrives at once",
}
Floats = NDArray[np.floating[Any]]


def measure(world: WorldModel, arm: ArmModel, motion: Motion) -> list[metrics.MotionErrors]:
    """Errors of joints, of hands, and of a gaze that turns, after each step of an episode.

    Each has the errors of the imagined motion, and of two yardsticks.
    """
    poses, (low, high) = _true(motion), np.concatenate([arm.joint_ranges, arm.gaze.ranges]).T
    imagined = _errors(world, motion, _imagined(world, motion))
    stays = _errors(world, motion, np.repeat(poses[:, :1], motion.actions.shape[1], 1))
    arrives = _errors(world, motion, low + (motion.actions + 1) / 2 * (high - low))
    return [
        metrics.MotionErrors(
            imagined=_means(own),
            imagined_median=np.median(own, 0).tolist(),
            imagined_untouched=_means(own, ~motion.touched),
            stays=_means(resting),
            arrives=_means(jumping),
        )
        for own, resting, jumping in zip(imagined, stays, arrives, strict=True)
    ]


def _means(errors: Floats, where: NDArray[np.bool_] | None = None) -> list[float | None]:
    """Mean over the episodes after each step, (N, E) -> E; None if no episode is chosen."""
    where = np.full(errors.shape, True) if where is None else where
    return [float(e[w].mean()) if w.any() else None for e, w in zip(errors.T, where.T, strict=True)]


def of_ends(world: WorldModel, motion: Motion) -> metrics.EndErrors:
    """Errors of the hand at the end of episodes: the share within `NEAR`, the mean and the median, cm."""
    errors = _errors(world, motion, _imagined(world, motion))[1][:, -1]
    return metrics.EndErrors(float((errors <= NEAR).mean()), float(errors.mean()), float(np.median(errors)))


def of_pictures(
    world: WorldModel, arm: ArmModel, motion: Motion, data: Dataset, episodes: int
) -> dict[str, metrics.PictureErrors]:
    """Mean absolute errors of pictures after some steps, against preprocessed frames of the eye."""
    eye, state = EyeCamera(arm, data.eye_size, data.acuity), arm.new_data()
    poses = _imagined(world, motion)[:episodes]
    result = {}
    for horizon in HORIZONS:
        true = _true(motion)[:episodes, horizon]
        seen = world.format.squeeze(np.stack([_frame(arm, eye, state, pose) for pose in true]))
        drawn = {"imagined": poses[:, horizon - 1], "generator": true}
        pictures = {name: _drawn(world, of) for name, of in drawn.items()} | {"empty": _empty(world, true)}
        errors = {name: float(np.abs(picture - seen).mean()) for name, picture in pictures.items()}
        result[str(horizon)] = metrics.PictureErrors(**errors)
    eye.close()
    return result


def table(measured: metrics.WorldModelErrors) -> tuple[list[str], list[list[str]]]:
    """Header and rows: errors of joints, hand and pictures after some steps."""
    header = ["mean error after", *(f"{h} step{'s' * (h > 1)}" for h in HORIZONS)]
    rows = []
    motions = [(measured.joint_error_deg, "joints, deg"), (measured.hand_error_cm, "hand, cm")]
    motions += [(measured.gaze_error_deg, "gaze, deg")] if measured.gaze_error_deg else []
    for motion, unit in motions:
        for name, label in LABELS.items():
            rows.append([f"{unit}: {label}", *_cells([getattr(motion, name)[h - 1] for h in HORIZONS], 3)])
    labels = {
        "imagined": LABELS["imagined"],
        "generator": "drawn of the true pose",
        "empty": "the view without the arm",
    }
    for name, label in labels.items():
        drawn = [measured.pictures.get(str(h)) for h in HORIZONS]
        rows.append([f"picture, MAE: {label}", *_cells([getattr(each, name, None) for each in drawn], 4)])
    return header, rows


def _cells(values: list[float | None], digits: int) -> list[str]:
    return ["-" if value is None else f"{value:.{digits}f}" for value in values]


def remark(measured: metrics.WorldModelErrors) -> str:
    """A remark on what the means hide."""
    joints, hand = (each.imagined_median[-1] for each in (measured.joint_error_deg, measured.hand_error_cm))
    straight = f"{measured.straight.near:.1%}" if measured.straight else "-"
    return (
        f"Half of the imagined episodes end within {joints:.3f} deg and {hand:.3f} cm; in {measured.touched[-1]:.0%} of "
        "them the real arm has touched the body, and the world model ignores contact. Sent straight to valid poses, "
        f"{straight} of the hands end within {NEAR:g} cm of the imagined place."
    )


def figure(measured: metrics.WorldModelErrors) -> Figure:
    """Errors of joints and hand, step by step."""
    drawn, axes = plt.subplots(1, 2, figsize=(10, 3.9))
    joints, hands = measured.joint_error_deg, measured.hand_error_cm
    labels = (joints, "joints: mean absolute error (deg)"), (hands, "hand: mean distance (cm)")
    for axis, (motion, label) in zip(axes, labels, strict=True):
        for color, (name, legend) in zip(COLORS, LABELS.items(), strict=False):
            values = [np.nan if v is None else v for v in getattr(motion, name)]
            axis.plot(np.arange(1, len(values) + 1), values, color=color, label=legend)
        axis.set(xlabel="steps of 40 ms", ylabel=label, yscale="log")
        axis.grid(alpha=0.3)
    drawn.legend(*axes[0].get_legend_handles_labels(), fontsize=8, ncols=3, loc="lower center")
    drawn.tight_layout(rect=(0, 0.13, 1, 1))
    return drawn


def _imagined(world: WorldModel, motion: Motion) -> Floats:
    """Imagined joints and gazes after each step, (N, E, J + G), rad, from the start alone."""
    resting = np.zeros_like(motion.gazes[:, 0])
    starts = _true(motion)[:, 0], np.hstack([motion.felt[:, 0, motion.joint_count :], resting])
    q, v = (torch.from_numpy(np.ascontiguousarray(start)).to(world.device) for start in starts)
    poses = []
    for actions in torch.from_numpy(motion.actions).to(world.device).unbind(1):
        q, v = world.step(q, v, actions)
        poses.append(q)
    return torch.stack(poses, 1).cpu().numpy()


def _true(motion: Motion) -> Floats:
    """The real joints and gazes before each step and after the last, (N, E + 1, J + G), rad."""
    return np.concatenate([motion.felt[:, :, : motion.joint_count], motion.gazes], 2)


def _errors(world: WorldModel, motion: Motion, poses: Floats) -> list[Floats]:
    """Errors of joints (deg), hands (cm), and of a gaze that turns (deg), in each episode and step, (N, E) each."""
    off = np.abs(poses - _true(motion)[:, 1:])
    hands = world.hand(torch.from_numpy(poses.astype(np.float32)).to(world.device)).cpu().numpy()
    joints, gazes = np.split(off, [motion.joint_count], axis=2)
    errors = [np.degrees(joints.mean(2)), 100 * np.linalg.norm(hands - motion.hands, axis=2)]
    return [*errors, np.degrees(gazes.mean(2))] if gazes.size else errors


def _frame(arm: ArmModel, eye: EyeCamera, data: mujoco.MjData, pose: Floats) -> NDArray[np.uint8]:
    arm.place(data, *np.split(pose, [len(arm.joint_names)]))
    return eye.render(data)


def _empty(world: WorldModel, poses: Floats) -> NDArray[np.float32]:
    """What the eye sees without the arm, (*shape), or of an eye that moves (n, *shape), from joints and gazes (n, J + G)."""
    low, high = world.ranges.T
    normalized = (torch.from_numpy(np.ascontiguousarray(poses)).to(world.device) - low) / (high - low)
    return np.asarray(world.generator.backgrounds(normalized).cpu().numpy())


def _drawn(world: WorldModel, poses: Floats) -> NDArray[np.float32]:
    return np.asarray(world.draw(torch.from_numpy(np.ascontiguousarray(poses)).to(world.device)).cpu().numpy())
