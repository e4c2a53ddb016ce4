"""`infant-arm reach`: the infant reaches for what it imagines, in real physics."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

import infant_env  # noqa: F401 (registers the environments)
from agents.mental_imagery import MentalImageryAgent
from agents.som import Readout
from agents.som_autoencoder import SomAutoencoder
from infant_env.vision import to_gray

from . import metrics, runs, tables
from .collect import arm_model
from .dataset import Dataset
from .film import Film

READOUTS: dict[str, Readout] = {"som_ae": "winner", "som_ae_local_linear": "local_linear"}


@dataclass(frozen=True)
class Config:
    """Let the infant reach for goal pictures, in real physics."""

    run: Path
    """The run's folder; holds the trained autoencoder and map."""
    goals: int = 100
    """How many test pictures that show the hand to reach for."""
    goal: Path | None = None
    """Reach for this one picture instead (PNG or another format, as the eye would see it, aspect 3:5)."""
    imagine: bool = False
    """Reach for pictures that the infant imagines itself, from poses drawn at random, instead of the test pictures."""
    steps: int = 25
    """Control steps per goal, 40 ms each."""
    video: bool = False
    """Write `videos/reach.mp4` of the first goals."""
    video_goals: int = 6
    """How many goals the video shows."""
    seed: int = 0
    """Seed of the choice of goals and of the poses that the arm starts from."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        for name in ("goals", "steps", "video_goals"):
            if getattr(self, name) < 1:
                raise ValueError(f"got {name}={getattr(self, name)}, expected 1 or more")
        if self.goal and self.imagine:
            raise ValueError("got both --goal and --imagine, expected one of them")


@dataclass(frozen=True)
class Goal:
    """One picture to reach for, and where it was taken from, when that is known."""

    picture: NDArray[np.float32]
    """Preprocessed, shape (64, 64)."""
    joints: NDArray[np.float32] | None = None
    """The pose that shows it, shape (J,), rad."""
    hand_position: NDArray[np.float32] | None = None
    """Shape (3,), metres."""


def run(config: Config) -> dict[str, Any]:
    """Reaches for every goal with either readout, prints the table and adds it to `metrics.json`."""
    runs.record_config(config.run, "reach", config)
    data = Dataset.open(runs.data_of(config.run))
    arm = arm_model(data.info["config"])
    mind = SomAutoencoder.load(config.run, runs.pick_device(config.device))
    env = gym.make(
        "InfantArm-v0", arm=arm, eye_size=tuple(data.info["config"]["eye_size"]), max_episode_steps=config.steps
    )
    goals = _goals(config, data, mind)
    film = Film(config.run / "videos" / "reach.mp4", arm) if config.video else None
    rows = {}
    with runs.timed(config.run, "reach"):
        for name, readout in READOUTS.items():
            agent = MentalImageryAgent(mind, readout)
            filmed = film if readout == "local_linear" else None
            reached = [
                _reach(env, agent, goal, config.seed + k, filmed if k < config.video_goals else None)
                for k, goal in enumerate(tqdm(goals, desc=f"reach, {readout}", unit="goal"))
            ]
            rows[name] = _summary(goals, reached, data)
    env.close()
    if film is not None:
        film.close()
        print(f"film: {film.path}")
    kind = "imagined" if config.imagine else "picture" if config.goal else "test"
    runs.merge(config.run, "metrics.json", {"reach": {kind: rows}})
    print(summary(kind, len(goals), rows))
    return rows


def _goals(config: Config, data: Dataset, mind: SomAutoencoder) -> list[Goal]:
    random = np.random.default_rng(config.seed)
    if config.goal is not None:
        return [Goal(to_gray(read_picture(config.goal)))]
    shown = data.split("test")[data.shows_hand[data.split("test")]]
    if not len(shown):
        raise ValueError(f"{data.path} has no test picture that shows the hand; collect more samples")
    chosen = random.permutation(shown)[: config.goals]
    if config.imagine:
        pictures = mind.imagine(torch.from_numpy(data.joints[chosen]), "local_linear").cpu().numpy()
    else:
        pictures = data.gray[chosen]
    return [Goal(*goal) for goal in zip(pictures, data.joints[chosen], data.hand_position[chosen], strict=True)]


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture file as an RGB frame, shape (H, W, 3), uint8.

    Raises:
        ValueError: it is no picture, or not of the eye's aspect.
    """
    try:
        picture = iio.imread(path, plugin="pillow", mode="RGB")
    except Exception as error:  # every plug-in raises its own
        raise ValueError(
            f"{path} cannot be read as a picture ({error}); expected a PNG as the eye would see it"
        ) from None
    rows, columns = picture.shape[:2]
    if abs(columns / rows - 5 / 3) > 0.05:
        raise ValueError(f"{path} is {columns}x{rows} pixels, expected the eye's aspect 5:3 such as 500x300; crop it")
    return np.asarray(picture, np.uint8)


def _reach(
    env: gym.Env[Any, Any], agent: MentalImageryAgent, goal: Goal, seed: int, film: Film | None
) -> dict[str, Any]:
    """One goal, one try: the arm starts somewhere, the agent acts with its eyes closed."""
    agent.set_goal(goal.picture)
    observation, info = env.reset(seed=seed)
    over = False
    while not over:
        observation, _, terminated, truncated, info = env.step(agent.act(observation))
        over = terminated or truncated
        if film is not None:
            film.add(env.unwrapped.data, observation, agent, info, goal.hand_position)  # type: ignore[attr-defined]
    return {
        "joints": observation["joints"],
        "hand_position": info["hand_position"],
        "picture": to_gray(observation["eye"]),
        "penetration": info["penetration"],
    }


def _summary(goals: list[Goal], reached: list[dict[str, Any]], data: Dataset) -> dict[str, Any]:
    """What the reaches came to: pictures always, poses when the goals' own are known."""
    wanted, seen = (np.stack(pictures) for pictures in ([g.picture for g in goals], [r["picture"] for r in reached]))
    result: dict[str, Any] = {
        "goals": len(goals),
        "picture_mae": float(np.abs(seen - wanted).mean()),
        "arm_iou": float(metrics.arm_iou(seen, wanted, data.background).mean()),
    }
    known = [(goal, end) for goal, end in zip(goals, reached, strict=True) if goal.joints is not None]
    if known:
        joints = np.degrees(np.mean([np.abs(end["joints"] - goal.joints) for goal, end in known], axis=0))
        hands = [np.linalg.norm(end["hand_position"] - goal.hand_position) for goal, end in known]
        result["joint_error_deg"] = dict(zip(data.info["body"]["joint_names"], joints.tolist(), strict=True))
        result["hand_error_cm"] = metrics.spread(np.array(hands, np.float32))
    return result


def summary(kind: str, goals: int, rows: dict[str, Any]) -> str:
    """The reach table for the terminal."""
    return f"Reaching for {goals} goals ({kind}), open loop, real physics\n" + tables.as_text(*table(rows))


def table(rows: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the reach table."""
    header = ["method", "hand cm mean", "median", "< 1 cm", "< 2 cm", "< 2.5 cm", "< 5 cm", "arm IoU", "picture MAE"]
    body = []
    for name, row in rows.items():
        hand = row.get("hand_error_cm")
        errors = [tables.number(hand[k], 2) for k in ("mean", "median")] if hand else ["-", "-"]
        shares = [tables.percent(hand[f"within_{k}"]) if hand else "-" for k in ("1", "2", "2.5", "5")]
        body.append([name, *errors, *shares, tables.number(row["arm_iou"], 2), tables.number(row["picture_mae"])])
    return header, body
