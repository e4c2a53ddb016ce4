"""`infant-arm reach`: the infant reaches for shown or imagined pictures, in real physics."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import torch
from msgspec import Meta, structs
from numpy.typing import NDArray
from tqdm import tqdm

import infant_env  # noqa: F401 (registers the environments)
from agents.mind.agent import MentalImageryAgent
from agents.mind.packed import unpack
from agents.mind.som_autoencoder import AUTOENCODER, SomAutoencoder
from agents.tools.files import DamagedFileError, replacing
from infant_env.body.raw.mjcf_files import BODY
from infant_env.body.servos import CONTROL_HZ
from infant_env.errors import UserError
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION
from infant_env.senses.vision import GRAY

from ..data.background import moving_backgrounds
from ..data.dataset import Dataset
from ..data.info import info_of
from ..measure import error_tables, metrics
from ..methods.method import JointPredictor, Predictor, Trained, seen_by
from ..methods.registry import present
from ..runs import folder as runs
from ..runs.config import Count, OnCluster, Threads
from ..runs.device import cluster_of, pick_device, threads
from ..runs.in_turn import turn
from ..runs.metrics import Metrics, Reached
from ..show import tables
from ..show.film import Film
from ..train import calibration, generator, glance
from .goals import Goal, GoalConfig, Hypotheses, each_hand, gazes_of, goals_of
from .moves import film_reaches, instructive, move_agent, without_looking
from .parts import End, Part, Tried, tried_in_parts
from .true_eye import corrected_by_the_true_eye, looks_of

_RESULTS = Path("runs/pretrained")


@dataclass(frozen=True)
class Config(GoalConfig, OnCluster):
    """Let the infant reach for goal pictures, in real physics."""

    run: Path = _RESULTS
    """The run's folder; with --pretrained or --infant the folder of the results."""
    pretrained: bool = False
    """Reach with the trained infant that comes with this package, for new poses: no run and no data set are needed. The first
    reach is filmed at once: `videos/first_reach.mp4`."""
    infant: str | None = None
    """Reach with this infant instead: a file of `infant-arm pack`, or an address such as hf://NAME/REPOSITORY/infant.safetensors."""
    looks: Count = 5
    """Largest number of looks, each with a correction."""
    hypotheses: Hypotheses = 5
    """Number of hypotheses for each goal."""
    bound: bool = False
    """Also measure a bound for what looking can reach: the true renderer corrects the agent's last poses."""
    steps: Annotated[int, Meta(ge=1, le=1000)] = 12
    """Control steps of each movement, 40 ms each."""
    video: bool = False
    """Write `videos/reach.mp4` of the first goals."""
    video_goals: Count = 6
    """Number of goals in the video."""
    threads: Threads = 1
    """Processor threads."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.is_packed and self.run == _RESULTS:
            raise UserError("got neither --run nor --pretrained, expected the folder of a run, or --pretrained")

    @property
    def draws_poses(self) -> bool:
        """Whether the goals are new poses: always for a packed infant, which has no data set, unless others are asked for."""
        return self.new_poses or (self.is_packed and not (self.goal or self.goal_joints or self.imagine))

    @property
    def is_packed(self) -> bool:
        """Whether a packed infant reaches, not that of a run."""
        return self.pretrained or self.infant is not None


def run(config: Config) -> dict[str, Reached]:
    """Reaches for every goal with every trained method, prints the table and adds it to `metrics.json`."""
    if not config.is_packed:
        runs.data_of(config.run)  # raises an error before anything is written to a folder with a mistyped name
    elif (config.run / AUTOENCODER).exists():
        raise UserError(
            f"got --run {config.run} for a packed infant, and another one was trained there; choose another folder"
        )
    with turn(config.run, "reach", "reaches for goals"), threads(config.threads if config.is_packed else None):
        return _reached(config)


def _reached(config: Config) -> dict[str, Reached]:
    with (
        _ready(config, films=config.is_packed) as at,
        runs.timed(config.run, "reach") as elsewhere,
        threads(config.threads),
    ):
        runs.record_config(config.run, "reach", config)
        if cluster_of(config.cluster):
            tried, spent = tried_in_parts(config, len(at.goals), try_part)
            elsewhere.append(spent)
        else:
            tried = _tried(config, at, range(len(at.goals)))
        rows = {name: _summary(at, one.ends, one.seconds) for name, one in tried.items()}
        if at.agent is not None:
            ends = tried["looks"].ends
            if config.bound:
                rows["bound"] = _bound_row(config, at, ends)
            if config.video:
                shown = instructive(ends)[: config.video_goals]
                film_reaches(config, at.env, at.agent, at.goals, shown, _film(config, at.data, "reach"))
    kind = _kind(config)
    runs.record(config.run, Metrics(reach={kind: rows}))
    print(summary(kind, len(at.goals), rows))
    return rows


def _kind(config: Config) -> str:
    """What the goals are."""
    goals = "imagined" if config.imagine else "picture" if config.goal else "pose" if config.goal_joints else "test"
    goals = "new poses" if config.draws_poses else goals
    return goals + ("" if config.hand is None else ", both hands" if config.hand == "both" else f", {config.hand} hand")


def _film(config: Config, data: Dataset, name: str) -> Film:
    return Film(config.run / "videos" / f"{name}.mp4", data.arm, data.info.recipe.touch)


def try_part(part: Part) -> None:
    """Reaches for some of the goals; the ends go to the part's file."""
    with _ready(part.config) as at, threads(part.config.threads):
        part.write(_tried(part.config, at, range(part.first, min(part.last, len(at.goals)))))


@dataclass(frozen=True)
class _At:
    """All that reaching needs."""

    data: Dataset
    """That of a packed infant has no poses."""
    mind: SomAutoencoder
    agent: MentalImageryAgent | None
    env: gym.Env[Any, Any]
    goals: list[Goal]
    background: NDArray[np.float32]
    """The view without the arm, in the format of the goals."""


@contextmanager
def _ready(config: Config, films: bool = False) -> Iterator[_At]:
    """All that reaching needs; `films` the first reach before the other goals are drawn."""
    data, agent = _packed(config) if config.is_packed else _of_run(config)
    mind = agent.imagination.mind if agent else SomAutoencoder.load(config.run, pick_device(config.device))
    env = gym.make(
        "InfantArm-v0",
        arm=data.arm,
        eye_size=data.eye_size,
        senses=data.agent_senses,
        acuity=data.acuity,
        max_episode_steps=10_000,
    )
    data = data.squeezed_to(agent.imagination.format) if agent else data
    if agent and films:
        _film_first(config, env, agent, data)
    seen = agent.imagination.generator.background if agent and config.is_packed else None
    background = data.background if seen is None else seen.cpu().numpy()
    goals = goals_of(config, data, data.arm, agent.imagination if agent else None)
    yield _At(data, mind, agent, env, goals, background)
    env.close()


def _of_run(config: Config) -> tuple[Dataset, MentalImageryAgent | None]:
    """The data set of a run, and its agent if it is trained."""
    data = Dataset.open(runs.data_of(config.run))
    data.check_seen_arm("reaching")
    data.check_simulated("`infant-arm reach`")
    return data, load_agent(config, data, pick_device(config.device))


def _packed(config: Config) -> tuple[Dataset, MentalImageryAgent]:
    """The body of a packed infant as a data set without poses, and its agent."""
    infant = unpack(config.infant, pick_device(config.device))
    if BODY in infant.files:
        with replacing(config.run / BODY) as temporary:
            temporary.write_bytes(infant.files[BODY])
    try:
        info = info_of(json.dumps(infant.about.get("dataset")), config.run)
    except DamagedFileError as error:
        raise UserError(f"{config.infant} does not say which body it has ({error}); pack it again") from None
    data = Dataset(config.run, info)
    return data, MentalImageryAgent(infant.imagination, config.hypotheses, config.looks)


def _film_first(config: Config, env: gym.Env[Any, Any], agent: MentalImageryAgent, data: Dataset) -> None:
    """Films the reach for the first goal, before the other goals are drawn."""
    goals = goals_of(replace(config, goals=1), data, data.arm, agent.imagination)
    film_reaches(config, env, agent, goals, [0], _film(config, data, "first_reach"), still=CONTROL_HZ)


def _tried(config: Config, at: _At, numbers: range) -> dict[str, Tried]:
    """The reaches for some of the goals, by method; what does not move is computed for all goals together."""
    tried = {}
    for name, recalled in [] if config.is_packed else _recalls(config, at.data, at.mind, at.goals):
        start = time.perf_counter()
        poses = recalled()
        spent = time.perf_counter() - start
        tried[name] = Tried(without_looking(at.env, config, name, poses, at.goals, at.data.format, numbers), spent)
    return tried | (_tried_by_agent(config, at.env, at.agent, at.goals, numbers) if at.agent else {})


def load_agent(config: Config, data: Dataset, device: torch.device) -> MentalImageryAgent | None:
    """The agent, if its networks are trained; otherwise None, with a printed hint."""
    missing = [stage.command for stage in (generator.STAGE, glance.STAGE) if not (config.run / stage.file).exists()]
    if missing:
        commands = ", ".join(f"`infant-arm {command}`" for command in missing)
        print(f"the agent is missing: {commands} and `infant-arm calibrate --run {config.run}` make it")
        return None
    calibration.STAGE.check(config.run, data)
    return MentalImageryAgent.load(config.run, config.hypotheses, config.looks, device)


Recalled = Callable[[], NDArray[np.float32]]


def _recalls(config: Config, data: Dataset, mind: SomAutoencoder, goals: list[Goal]) -> Iterator[tuple[str, Recalled]]:
    """The methods that recall one pose (N, J), rad, for each goal and go there without looking."""
    pictures, gazes = np.stack([goal.picture for goal in goals]), gazes_of(goals)
    told = {}
    if gazes is not None:
        told[GAZE] = torch.from_numpy(data.arm.gaze.normalize(gazes).astype(np.float32)).to(mind.device)
    trained = Trained(config.run, data.squeezed_to(GRAY), mind.device)
    for method in present(config.run):
        for name, read in method.readings.items() if method.reaches else ():
            reading = read(trained)
            seen = pictures if seen_by(reading) == data.format else data.format.gray(pictures)
            known = {VISION: torch.from_numpy(seen).to(mind.device)}
            yield name, partial(_recalled, reading, mind, known | (told if isinstance(reading, JointPredictor) else {}))


def _recalled(method: Predictor, mind: SomAutoencoder, known: dict[str, torch.Tensor]) -> NDArray[np.float32]:
    """The poses that a method recalls from pictures, and from their gazes if it can be told them."""
    answers = (
        method.predict_from(known) if isinstance(method, JointPredictor) else method.predict(VISION, known[VISION])
    )
    return mind.denormalize(answers[PROPRIOCEPTION].to(mind.device)).cpu().numpy()


def _tried_by_agent(
    config: Config, env: gym.Env[Any, Any], agent: MentalImageryAgent, goals: list[Goal], numbers: range
) -> dict[str, Tried]:
    """The agent's reaches without and with looking, from the same hypotheses."""
    start = time.perf_counter()
    pictures = np.stack([goal.picture for goal in goals])
    found = agent.imagination.hypotheses(pictures, config.hypotheses, gazes_of(goals))
    thinking = time.perf_counter() - start
    tried = {}
    for name, one in (("imagination", agent.sibling(looks=0)), ("looks", agent)):
        ends, moving = [], 0.0
        for k in tqdm(numbers, desc=f"reach, {name}", unit="goal"):
            one.set_goal(goals[k].picture, found.of(k), goals[k].gaze)
            end, spent = move_agent(env, config, k, one)
            ends.append(end)
            moving += spent
        tried[name] = Tried(ends, thinking, moving)
    return tried


def _bound_row(config: Config, at: _At, ends: list[End]) -> Reached:
    """The row of the bound: the true renderer corrects the last poses of the agent."""
    pictures, joints = np.stack([goal.picture for goal in at.goals]), np.stack([end.joints for end in ends])
    body: Any = at.env.unwrapped
    start = time.perf_counter()
    there = corrected_by_the_true_eye(pictures, joints, body.arm, at.data.eye_size, at.data.acuity, gazes_of(at.goals))
    spent = time.perf_counter() - start
    moved = without_looking(at.env, config, "bound", there, at.goals, at.data.format, range(len(there)))
    return _summary(at, [replace(end, looks=looks_of(body.arm)) for end in moved], spent)


def _summary(at: _At, ends: list[End], seconds: float) -> Reached:
    """Scores of the reaches: always for pictures, for poses if those of the goals are known."""
    goals, data = at.goals, at.data
    wanted, seen = (np.stack(pictures) for pictures in ([g.picture for g in goals], [end.picture for end in ends]))
    gazes = gazes_of(goals)
    empty = at.background if gazes is None else moving_backgrounds(data.info, gazes, data.format)
    reached = Reached(
        goals=len(goals),
        picture_mae=float(np.abs(seen - wanted).mean()),
        arm_iou=float(metrics.arm_iou(seen, wanted, empty).mean()),
        looks=float(np.mean([end.looks for end in ends])),
        ms_per_goal=1000 * seconds / len(goals),
    )
    joints = [goal.joints for goal in goals if goal.joints is not None]
    if not joints:
        return reached
    turned = np.degrees(np.abs(np.stack([end.joints for end in ends]) - joints).mean(0))
    distances = np.array([goal.hand_error(end.hands) for goal, end in zip(goals, ends, strict=True)], np.float32)
    return structs.replace(
        reached,
        joint_error_deg=dict(zip(data.joint_names, turned.tolist(), strict=True)),
        hand_error_cm=metrics.hand_summary(distances),
        hands_cm=each_hand(goals, [end.hands for end in ends], data.arm),
    )


def summary(kind: str, goals: int, rows: dict[str, Reached]) -> str:
    """The reach table for the terminal."""
    return f"Reaching for {goals} goals ({kind}), real physics\n" + tables.as_text(*table(rows))


def table(rows: dict[str, Reached]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the reach table."""
    header = ["method", "hand cm mean", "median", "< 1 cm", "< 2 cm", "< 2.5 cm", "< 5 cm"]
    sides = error_tables.sides_of(row.hands_cm for row in rows.values())
    header += [*error_tables.hand_columns(sides), "joints deg", "arm IoU", "looks", "ms a goal"]
    body = []
    for name, row in rows.items():
        hand = row.hand_error_cm
        errors = [tables.number(hand.mean, 2), tables.number(hand.median, 2)] if hand else ["-"] * 2
        within = (hand.within_1, hand.within_2, hand.within_2_5, hand.within_5) if hand else ()
        shares = [tables.percent(share) for share in within] or ["-"] * 4
        degrees = " ".join(f"{value:.0f}" for value in row.joint_error_deg.values()) if hand else "-"
        figures = [tables.number(row.arm_iou, 2), f"{row.looks:.1f}", f"{row.ms_per_goal:.1f}"]
        body.append([name, *errors, *shares, *error_tables.hand_cells(row.hands_cm, sides), degrees, *figures])
    return header, body
