"""`infant-arm reach`: the infant reaches for shown or imagined pictures, in real physics."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import torch
from msgspec import Meta, structs
from numpy.typing import NDArray
from tqdm import tqdm

import infant_env  # noqa: F401 (registers the environments)
from agents.mind.agent import MentalImageryAgent
from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.envs.simulated import hands_of
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION
from infant_env.senses.vision import GRAY, Format

from ..data.background import moving_backgrounds
from ..data.dataset import Dataset
from ..measure import error_tables, metrics
from ..methods.method import JointPredictor, Predictor, Trained, seen_by
from ..methods.registry import present
from ..runs import folder as runs
from ..runs.config import Count, OnCluster, Threads
from ..runs.device import cluster_of, pick_device, threads
from ..runs.in_turn import in_turn
from ..runs.metrics import Metrics, Reached
from ..show import tables
from ..show.film import Film
from ..train import calibration, generator, glance
from .goals import Goal, GoalConfig, Hypotheses, each_hand, gazes_of, goals_of
from .parts import End, Part, Tried, tried_in_parts
from .true_eye import corrected_by_the_true_eye, looks_of


@dataclass(frozen=True)
class Config(GoalConfig, OnCluster):
    """Let the infant reach for goal pictures, in real physics."""

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


@in_turn("reach", "reaches for goals")
def run(config: Config) -> dict[str, Reached]:
    """Reaches for every goal with every trained method, prints the table and adds it to `metrics.json`."""
    runs.record_config(config.run, "reach", config)
    with _ready(config) as at, runs.timed(config.run, "reach") as elsewhere, threads(config.threads):
        if cluster_of(config.cluster):
            tried, spent = tried_in_parts(config, len(at.goals), try_part)
            elsewhere.append(spent)
        else:
            tried = _tried(config, at, range(len(at.goals)))
        rows = {name: _summary(at.goals, one.ends, at.data, one.seconds) for name, one in tried.items()}
        if at.agent is not None:
            ends = tried["looks"].ends
            if config.bound:
                rows["bound"] = _bound_row(config, at.env, at.goals, ends, at.data)
            if config.video:
                shown = _instructive(ends)[: config.video_goals]
                film = Film(config.run / "videos" / "reach.mp4", at.data.arm, at.data.info.recipe.touch)
                _film(config, at.env, at.agent, at.goals, shown, film)
    kind = "imagined" if config.imagine else "picture" if config.goal else "pose" if config.goal_joints else "test"
    kind += "" if config.hand is None else ", both hands" if config.hand == "both" else f", {config.hand} hand"
    runs.record(config.run, Metrics(reach={kind: rows}))
    print(summary(kind, len(at.goals), rows))
    return rows


def try_part(part: Part) -> None:
    """Reaches for some of the goals; the ends go to the part's file."""
    with _ready(part.config) as at, threads(part.config.threads):
        part.write(_tried(part.config, at, range(part.first, min(part.last, len(at.goals)))))


@dataclass(frozen=True)
class _At:
    """All that reaching needs."""

    data: Dataset
    mind: SomAutoencoder
    agent: MentalImageryAgent | None
    env: gym.Env[Any, Any]
    goals: list[Goal]


@contextmanager
def _ready(config: Config) -> Iterator[_At]:
    data, device = Dataset.open(runs.data_of(config.run)), pick_device(config.device)
    data.check_seen_arm("reaching")
    data.check_simulated("`infant-arm reach`")
    agent = load_agent(config, data, device)
    mind = agent.imagination.mind if agent else SomAutoencoder.load(config.run, device)
    env = gym.make(
        "InfantArm-v0",
        arm=data.arm,
        eye_size=data.eye_size,
        senses=data.agent_senses,
        acuity=data.acuity,
        max_episode_steps=10_000,
    )
    data = data.squeezed_to(agent.imagination.format) if agent else data
    yield _At(data, mind, agent, env, goals_of(config, data, data.arm, agent.imagination if agent else None))
    env.close()


def _tried(config: Config, at: _At, numbers: range) -> dict[str, Tried]:
    """The reaches for some of the goals, by method; what does not move is computed for all goals together."""
    tried = {}
    for name, recalled in _recalls(config, at.data, at.mind, at.goals):
        start = time.perf_counter()
        poses = recalled()
        spent = time.perf_counter() - start
        tried[name] = Tried(_without_looking(at.env, config, name, poses, at.goals, at.data.format, numbers), spent)
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
    told = {} if gazes is None else {GAZE: torch.from_numpy(data.arm.gaze.normalize(gazes)).to(mind.device)}
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
    blind = MentalImageryAgent(agent.imagination, config.hypotheses, looks=0)
    blind.planner = agent.planner
    tried = {}
    for name, one in (("imagination", blind), ("looks", agent)):
        ends, moving = [], 0.0
        for k in tqdm(numbers, desc=f"reach, {name}", unit="goal"):
            one.set_goal(goals[k].picture, found.of(k), goals[k].gaze)
            end, spent = _move_agent(env, config, k, one)
            ends.append(end)
            moving += spent
        tried[name] = Tried(ends, thinking, moving)
    return tried


def _bound_row(config: Config, env: gym.Env[Any, Any], goals: list[Goal], ends: list[End], data: Dataset) -> Reached:
    """The row of the bound: the true renderer corrects the last poses of the agent."""
    pictures, joints = np.stack([goal.picture for goal in goals]), np.stack([end.joints for end in ends])
    body: Any = env.unwrapped
    start = time.perf_counter()
    poses = corrected_by_the_true_eye(pictures, joints, body.arm, data.eye_size, data.acuity, gazes_of(goals))
    spent = time.perf_counter() - start
    moved = _without_looking(env, config, "bound", poses, goals, data.format, range(len(poses)))
    return _summary(goals, [replace(end, looks=looks_of(body.arm)) for end in moved], data, spent)


def _without_looking(
    env: gym.Env[Any, Any],
    config: Config,
    name: str,
    poses: NDArray[np.float32],
    goals: list[Goal],
    format: Format,
    numbers: range,
) -> list[End]:
    """Moves to some of these poses (N, J), rad, and looks where the goals were seen, in real physics and without correction."""
    body: Any = env.unwrapped
    ends = []
    for number in tqdm(numbers, desc=f"reach, {name}", unit="goal"):
        env.reset(seed=config.seed + number)
        observation, info = body.hold(body.action_for(poses[number], goals[number].gaze), 2 * config.steps)
        ends.append(_end(observation, info, format))
    return ends


def _move_agent(env: gym.Env[Any, Any], config: Config, number: int, agent: MentalImageryAgent) -> tuple[End, float]:
    """Moves the agent, with looks if it has any, until it makes no more corrections; also the seconds of its thinking."""
    env.reset(seed=config.seed + number)
    body: Any = env.unwrapped
    observation, info = body.hold(agent.action(), 2 * config.steps)
    spent = 0.0
    while not agent.done:
        start = time.perf_counter()
        agent.look(observation)
        spent += time.perf_counter() - start
        while agent.on_its_way:
            body.hold(agent.action(), 1)
        observation, info = body.hold(agent.action(), config.steps)
    return replace(
        _end(observation, info, agent.imagination.format), looks=len(agent.looks), ideas=agent.trying + 1
    ), spent


def _end(observation: dict[str, NDArray[Any]], info: dict[str, Any], format: Format) -> End:
    return End(observation["joints"], hands_of(info), format.squeeze(observation["eye"]))


def _instructive(ends: list[End]) -> list[int]:
    """Numbers of the goals, alternately with and without a change of the agent's hypothesis."""
    changed, kept = ([k for k, end in enumerate(ends) if (end.ideas > 1) == wanted] for wanted in (True, False))
    paired = itertools.chain.from_iterable(itertools.zip_longest(changed, kept))
    return [k for k in paired if k is not None]


def _film(
    config: Config, env: gym.Env[Any, Any], agent: MentalImageryAgent, goals: list[Goal], shown: list[int], film: Film
) -> None:
    """Films the reaches for some goals."""
    for number in shown:
        goal = goals[number]
        observation, info = env.reset(seed=config.seed + number)
        agent.set_goal(goal.picture, gaze=goal.gaze)
        for _ in range(2 * config.steps * (config.looks + 1)):
            observation, *_, info = env.step(agent.act(observation))
            body: Any = env.unwrapped
            film.add(body.data, observation, agent, info, goal.error_in_words(hands_of(info), body.arm))
            if agent.done and np.abs(observation["joint_velocities"]).max() < 0.05:
                break
    film.close()
    print(f"film: {film.video.path}")


def _summary(goals: list[Goal], ends: list[End], data: Dataset, seconds: float) -> Reached:
    """Scores of the reaches: always for pictures, for poses if those of the goals are known."""
    wanted, seen = (np.stack(pictures) for pictures in ([g.picture for g in goals], [end.picture for end in ends]))
    gazes = gazes_of(goals)
    empty = data.background if gazes is None else moving_backgrounds(data.info, gazes, data.format)
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
