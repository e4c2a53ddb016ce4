"""`infant-arm plan`: ways over the map against straight lines, by the body's contacts and in real physics."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import infant_env  # noqa: F401 (registers the environments)
from agents.planning import PosePlanner
from agents.som_autoencoder import SomAutoencoder
from infant_env.arm_env import CONTROL_HZ
from infant_env.body import PENETRATION_LIMIT, ArmModel
from infant_env.camera import OutsideCamera
from infant_env.vision import to_rgb

from . import runs, tables
from .collect import arm_model
from .dataset import Dataset
from .film import PANEL, Video, fit

Floats = NDArray[np.float32]
_BETWEEN = 4  # poses that are checked for contact per control step


@dataclass(frozen=True)
class Config:
    """Plan ways between test poses over the map, and compare them with straight lines in joint space."""

    run: Path
    """The run's folder; holds the trained autoencoder and map."""
    pairs: int = 200
    """How many pairs of test poses without contact to plan between."""
    speed: float = 3.0
    """Highest speed of a joint, rad/s."""
    video: bool = False
    """Write `videos/plan.mp4` of the first ways: imagined, seen, and from outside."""
    video_pairs: int = 3
    """How many ways the video shows."""
    seed: int = 0
    """Seed of the choice of pairs."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "pairs", "video_pairs")


def run(config: Config) -> dict[str, Any]:
    """Plans, checks, moves, prints the table and adds it to `metrics.json`."""
    runs.record_config(config.run, "plan", config)
    data = Dataset.open(runs.data_of(config.run))
    arm = arm_model(data.info["config"])
    mind = SomAutoencoder.load(config.run, runs.pick_device(config.device))
    planner = PosePlanner(mind, config.speed)
    pairs = _pairs(config, data, arm)
    env = gym.make("InfantArm-v0", arm=arm, eye_size=tuple(data.info["config"]["eye_size"]), max_episode_steps=10_000)
    with runs.timed(config.run, "plan"):
        rows = {
            "straight line": _row(pairs, planner.straight, planner, env, arm),
            "planned": _row(pairs, planner.plan, planner, env, arm),
        }
        if config.video:
            path = config.run / "videos" / "plan.mp4"
            _film(path, [planner.plan(*pair) for pair in pairs[: config.video_pairs]], mind, env, arm)
            print(f"film: {path}")
    env.close()
    runs.merge(config.run, "metrics.json", {"plan": rows})
    print(f"Ways between {len(pairs)} pairs of test poses without contact\n" + tables.as_text(*table(rows)))
    return rows


def _pairs(config: Config, data: Dataset, arm: ArmModel) -> list[tuple[Floats, Floats]]:
    """Different test poses in which the arm touches nothing."""
    order = np.random.default_rng(config.seed).permutation(data.split("test"))
    state, free = mujoco.MjData(arm.model), []
    for joints in data.joints[order]:
        if deepest(joints[None], arm, state) == 0:
            free.append(joints)
        if len(free) == 2 * config.pairs:
            break
    if len(free) < 2:
        raise ValueError(f"{data.path} has fewer than two test poses without contact; collect more samples")
    return list(zip(free[::2], free[1::2], strict=False))


def deepest(way: Floats, arm: ArmModel, state: mujoco.MjData) -> float:
    """Deepest penetration of the arm along a way (T, J), rad, in metres; without physics, also between its poses."""
    steps = np.linspace(0, 1, _BETWEEN + 1)[1:, None]
    between = [a + (b - a) * steps for a, b in itertools.pairwise(way)]
    depth = 0.0
    for pose in np.concatenate([way[:1], *between]):
        state.qpos[arm.qpos_ids] = pose
        mujoco.mj_fwdPosition(arm.model, state)
        depth = max(depth, arm.penetration(state))
    return depth


def _row(
    pairs: list[tuple[Floats, Floats]],
    plan: Callable[[Floats, Floats], Floats],
    planner: PosePlanner,
    env: gym.Env[Any, Any],
    arm: ArmModel,
) -> dict[str, float]:
    start = time.perf_counter()
    ways = [plan(*pair) for pair in tqdm(pairs, desc="plan", unit="way")]
    spent = time.perf_counter() - start
    state = mujoco.MjData(arm.model)
    depths = np.array([deepest(way, arm, state) for way in ways])
    misses = np.array([_miss(way, env) for way in tqdm(ways, desc="move", unit="way")])
    direct = np.array([np.linalg.norm(b - a) for a, b in pairs])
    length = np.array([np.linalg.norm(np.diff(way, axis=0), axis=1).sum() for way in ways])
    strange = [float(planner.unfamiliarity(planner.mind.normalize(way)).max()) for way in ways]
    return {
        "contact": float((depths > 0).mean()),
        "deep_contact": float((depths > PENETRATION_LIMIT).mean()),
        "length": float(length.sum() / direct.sum()),
        "seconds": float(np.mean([len(way) / CONTROL_HZ for way in ways])),
        "unfamiliarity": float(np.mean(strange)),
        "hand_cm": 100 * float(misses.mean()),
        "arrived": float((misses < 0.01).mean()),
        "ms_per_plan": 1000 * spent / len(ways),
    }


def _miss(way: Floats, env: gym.Env[Any, Any]) -> float:
    """How far the hand is from where the way ends, in metres, after the servos followed it."""
    body: Any = env.unwrapped
    _, there = env.reset(options={"joints": way[-1]})
    env.reset(options={"joints": way[0]})
    for joints in way[1:]:
        body.hold(body.action_for(joints), 1)
    _, info = body.hold(body.action_for(way[-1]), CONTROL_HZ // 2)
    return float(np.linalg.norm(info["hand_position"] - there["hand_position"]))


def _film(path: Path, ways: list[Floats], mind: SomAutoencoder, env: gym.Env[Any, Any], arm: ArmModel) -> None:
    """What each way looks like: imagined beforehand, seen by the eye, and from outside."""
    video, outside, body = Video(path), OutsideCamera(arm, PANEL), env.unwrapped
    for way in ways:
        imagined = mind.imagine(way, "local_linear").cpu().numpy()
        env.reset(options={"joints": way[0]})
        for joints, picture in zip(way, imagined, strict=True):
            observation, *_ = env.step(body.action_for(joints))  # type: ignore[attr-defined]
            seen, shown = fit(observation["eye"]), outside.render(body.data)  # type: ignore[attr-defined]
            video.add([("imagined", to_rgb(picture, PANEL)), ("its right eye", seen), ("the infant", shown)])
    outside.close()
    video.close()


def table(rows: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table."""
    header = ["way", "contact", "> 5 mm", "length", "seconds", "unfamiliar", "hand cm", "arrived < 1 cm", "ms a plan"]
    body = [
        [
            name,
            *(f"{100 * row[key]:.1f} %" for key in ("contact", "deep_contact")),
            *(f"{row[key]:.2f}" for key in ("length", "seconds", "unfamiliarity", "hand_cm")),
            *(tables.percent(row["arrived"]), f"{row['ms_per_plan']:.0f}"),
        ]
        for name, row in rows.items()
    ]
    return header, body
