"""How far what is imagined is from what the simulator does, from the same start by the same actions."""

from pathlib import Path
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
from infant_env.senses.vision import to_gray

from ..data.babbled_motion import Motion
from ..runs import metrics
from ..show.figures import COLORS

HORIZONS = (1, 5, 25)
"""Steps after which errors are told."""
NEAR = 0.5
"""Centimeters within which an imagined hand is as good as the real one."""
LABELS = {
    "imagined": "imagined",
    "imagined_median": "imagined, median",
    "imagined_untouched": "imagined, where the real arm touched nothing",
    "stays": "stays where it is",
    "arrives": "arrives at once",
}
Floats = NDArray[np.floating[Any]]


def measure(world: WorldModel, arm: ArmModel, motion: Motion) -> tuple[metrics.Motion, metrics.Motion]:
    """Errors after each step of an episode, of joints and of hands: of what is imagined and of two yardsticks."""
    joints = motion.actions.shape[2]
    imagined = _imagined(world, motion)
    stays = np.repeat(motion.felt[:, :1, :joints], motion.actions.shape[1], 1)
    arrives = arm.denormalize((motion.actions + 1) / 2)
    result: dict[str, dict[str, Any]] = {"joint_error_deg": {}, "hand_error_cm": {}}
    free = ~motion.touched
    for name, poses, where in (
        ("imagined", imagined, np.ones_like(free)),
        ("imagined_untouched", imagined, free),
        ("stays", stays, np.ones_like(free)),
        ("arrives", arrives, np.ones_like(free)),
    ):
        errors = _errors(world, motion, poses)
        for measure, values in errors.items():
            result[measure][name] = [
                float(v[w].mean()) if w.any() else None for v, w in zip(values.T, where.T, strict=True)
            ]
            if name == "imagined":
                result[measure]["imagined_median"] = np.median(values, 0).tolist()
    return metrics.Motion(**result["joint_error_deg"]), metrics.Motion(**result["hand_error_cm"])


def of_ends(world: WorldModel, motion: Motion) -> metrics.Ends:
    """Where the hand is at the end of episodes: the share that is imagined `NEAR` enough, and the mean and median error, cm."""
    errors = _errors(world, motion, _imagined(world, motion))["hand_error_cm"][:, -1]
    return metrics.Ends(float((errors <= NEAR).mean()), float(errors.mean()), float(np.median(errors)))


def of_pictures(
    world: WorldModel, arm: ArmModel, motion: Motion, size: tuple[int, int], episodes: int
) -> dict[str, metrics.Drawn]:
    """Mean absolute errors of pictures after the horizons, against rendered and preprocessed ones."""
    eye, data, joints = EyeCamera(arm, size), mujoco.MjData(arm.model), motion.actions.shape[2]
    poses, background = _imagined(world, motion)[:episodes], world.generator.background.cpu().numpy()
    result = {}
    for horizon in HORIZONS:
        true = motion.felt[:episodes, horizon, :joints]
        seen = np.stack([_seen(arm, eye, data, pose) for pose in true])
        drawn = {"imagined": poses[:, horizon - 1], "generator": true}
        pictures = {name: _drawn(world, of) for name, of in drawn.items()} | {"empty": background}
        errors = {name: float(np.abs(picture - seen).mean()) for name, picture in pictures.items()}
        result[str(horizon)] = metrics.Drawn(**errors)
    eye.close()
    return result


def table(measured: metrics.World) -> tuple[list[str], list[list[str]]]:
    """Header and rows: errors of joints, hand and pictures after each horizon."""
    header = ["mean error after", *(f"{h} step{'s' * (h > 1)}" for h in HORIZONS)]
    rows = []
    for motion, unit in ((measured.joint_error_deg, "joints, deg"), (measured.hand_error_cm, "hand, cm")):
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


def remark(measured: metrics.World) -> str:
    """What the means hide."""
    joints, hand = (each.imagined_median[-1] for each in (measured.joint_error_deg, measured.hand_error_cm))
    straight = f"{measured.straight.near:.1%}" if measured.straight else "-"
    return (
        f"Half of the imagined episodes end within {joints:.3f} deg and {hand:.3f} cm; in {measured.touched[-1]:.0%} of all "
        f"the real arm had touched the body, of which the world model knows nothing. Sent straight to valid poses, "
        f"{straight} of the hands end within {NEAR:g} cm of where they are imagined."
    )


def figure(measured: metrics.World) -> Figure:
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


def save_figure(run: Path, measured: metrics.World) -> None:
    """Writes `figures/world_model.png`."""
    drawn, path = figure(measured), run / "figures" / "world_model.png"
    path.parent.mkdir(exist_ok=True)
    drawn.savefig(path, dpi=110)
    plt.close(drawn)


def _imagined(world: WorldModel, motion: Motion) -> Floats:
    """Poses after each step, (N, E, J), rad; only the start is known."""
    joints = motion.actions.shape[2]
    q, v = (torch.from_numpy(part).to(world.device) for part in np.split(motion.felt[:, 0], [joints], axis=1))
    poses = []
    for actions in torch.from_numpy(motion.actions).to(world.device).unbind(1):
        q, v = world.step(q, v, actions)
        poses.append(q)
    return torch.stack(poses, 1).cpu().numpy()


def _errors(world: WorldModel, motion: Motion, poses: Floats) -> dict[str, Floats]:
    """Of each episode and step, (N, E) each."""
    true = motion.felt[:, 1:, : poses.shape[2]]
    hands = world.hand(torch.from_numpy(poses.astype(np.float32)).to(world.device)).cpu().numpy()
    return {
        "joint_error_deg": np.degrees(np.abs(poses - true).mean(2)),
        "hand_error_cm": 100 * np.linalg.norm(hands - motion.hands, axis=2),
    }


def _seen(arm: ArmModel, eye: EyeCamera, data: mujoco.MjData, pose: Floats) -> NDArray[np.float32]:
    arm.place(data, pose)
    return to_gray(eye.render(data))


def _drawn(world: WorldModel, poses: Floats) -> NDArray[np.float32]:
    return np.asarray(world.draw(torch.from_numpy(np.ascontiguousarray(poses)).to(world.device)).cpu().numpy())
