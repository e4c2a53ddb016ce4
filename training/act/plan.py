"""`infant-arm plan`: compares ways over the map with straight lines, by contacts and in real physics."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import mujoco
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from tqdm import tqdm

from agents.mind.imagination import Imagination
from agents.mind.planning import PosePlanner
from infant_env.body.checks import checked_joints
from infant_env.body.model import PENETRATION_LIMIT, ArmModel
from infant_env.body.servos import CONTROL_HZ, Servos
from infant_env.envs.arm_env import InfantArmEnv
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..measure import metrics
from ..runs import folder as runs
from ..runs.config import Count, RunConfig
from ..runs.device import pick_device
from ..runs.in_turn import in_turn
from ..runs.metrics import Metrics, PlannerScores
from ..show import tables
from ..show.film import PANEL, Video, as_seen, what_it_sees
from ..show.outside_view import OutsideView
from ..train import calibration

Floats = NDArray[np.float32]
_BETWEEN = 4  # number of contact checks per control step


@dataclass(frozen=True)
class Config(RunConfig):
    """Plan ways between test poses over the map, and compare them with straight lines in joint space."""

    pairs: Count = 1000
    """Number of pairs of test poses without contact."""
    speed: Annotated[float, Meta(ge=0.01, le=1000)] = 3.0
    """Highest speed of a joint, rad/s."""
    video: bool = False
    """Write `videos/plan.mp4`: imagined, seen, and from outside; it begins with pairs whose straight line touches the body."""
    video_pairs: Count = 4
    """Number of ways in the video."""


@dataclass(frozen=True)
class Ways:
    """The ways of one method between the pairs."""

    ways: list[Floats]
    """(T, J) each, rad."""
    depths: NDArray[np.float64]
    """Deepest penetration along each way, m."""
    seconds: float
    """Time to make all of them."""


@in_turn("plan", "plans ways")
def run(config: Config) -> dict[str, PlannerScores]:
    """Plans, checks, moves, prints the table and adds it to `metrics.json`."""
    runs.record_config(config.run, "plan", config)
    data = Dataset.open(runs.data_of(config.run))
    data.check_simulated("`infant-arm plan`")
    arm = data.arm
    calibration.STAGE.check(config.run, data)
    imagination = Imagination.load(config.run, pick_device(config.device))
    planner = PosePlanner(imagination.mind, config.speed, config.seed)
    pairs = free_pairs(config, data, arm)
    with runs.timed(config.run, "plan"):
        straight, planned = (_ways(pairs, method, arm) for method in (planner.straight, planner.plan))
        rows = {name: _row(ways, planner, arm) for name, ways in (("straight line", straight), ("planned", planned))}
    if config.video:
        path = config.run / "videos" / "plan.mp4"
        shown = np.argsort(-straight.depths, kind="stable")[: config.video_pairs]
        _film(path, [planned.ways[k] for k in shown], imagination, arm, data)
        print(f"film: {path}")
    runs.record(config.run, Metrics(plan=rows))
    print(f"Ways between {len(pairs)} pairs of test poses without contact\n" + tables.as_text(*table(rows)))
    return rows


def free_pairs(config: Config, data: Dataset, arm: ArmModel) -> list[tuple[Floats, Floats]]:
    """Pairs of different test poses in which the arm touches nothing, drawn at random.

    Raises:
        UserError: fewer than two test poses are free of contact.
    """
    state = arm.new_data()
    poses = [joints for joints in data.joints[data.split("test")] if deepest(joints[None], arm, state) == 0]
    if len(poses) < 2:
        more = "collect more samples, or remove what touches the arm from its MJCF"
        raise UserError(
            f"got {len(poses)} of {len(data.split('test'))} test poses without contact in {data.path}, expected two or more; "
            + ("make a run of a data set without --touching" if data.info.recipe.touching else more)
        )
    random = np.random.default_rng(config.seed)
    first = random.integers(len(poses), size=config.pairs)
    second = (first + random.integers(1, len(poses), size=config.pairs)) % len(poses)
    return [(poses[a], poses[b]) for a, b in zip(first, second, strict=True)]


def deepest(way: Floats, arm: ArmModel, state: mujoco.MjData) -> float:
    """Deepest penetration of the arm along a way (T, J), rad, in meters; without physics, also between its poses."""
    steps = np.linspace(0, 1, _BETWEEN + 1)[1:, None]
    between = [a + (b - a) * steps for a, b in itertools.pairwise(way)]
    depth = 0.0
    for pose in np.concatenate([way[:1], *between]):
        state.qpos[arm.qpos_ids] = pose
        mujoco.mj_fwdPosition(arm.model, state)
        depth = max(depth, arm.penetration(state))
    return depth


def _ways(pairs: list[tuple[Floats, Floats]], method: Callable[[Floats, Floats], Floats], arm: ArmModel) -> Ways:
    start = time.perf_counter()
    ways = [method(*pair) for pair in tqdm(pairs, desc="plan", unit="way")]
    seconds = time.perf_counter() - start
    state = arm.new_data()
    return Ways(ways, np.array([deepest(way, arm, state) for way in ways]), seconds)


def _row(made: Ways, planner: PosePlanner, arm: ArmModel) -> PlannerScores:
    """Scores of the ways, by geometry and with the servos in real physics."""
    servos, state = Servos(arm), mujoco.MjData(arm.model)
    moved = [_move(way, arm, servos, state) for way in tqdm(made.ways, desc="move", unit="way")]
    hand, joint, touch = (np.array(column) for column in zip(*moved, strict=True))
    direct = [np.linalg.norm(way[-1] - way[0]) for way in made.ways]
    length = [np.linalg.norm(np.diff(way, axis=0), axis=1).sum() for way in made.ways]
    return PlannerScores(
        pairs=len(made.ways),
        contact=float((made.depths > 0).mean()),
        deep_contact=float((made.depths > PENETRATION_LIMIT).mean()),
        moved_contact=float((touch > 0).mean()),
        length=float(np.sum(length) / np.sum(direct)),
        seconds=float(np.mean([(len(way) - 1) / CONTROL_HZ for way in made.ways])),
        fastest=max(float(np.abs(np.diff(way, axis=0)).max()) for way in made.ways) * CONTROL_HZ,
        least_familiar=float(np.mean([planner.least_familiar(way) for way in made.ways])),
        hand_cm=100 * float(hand.mean()),
        joint_deg=float(np.degrees(joint.mean())),
        arrived=float((hand < 0.01).mean()),
        ms_per_plan=1000 * made.seconds / len(made.ways),
    )


def _move(way: Floats, arm: ArmModel, servos: Servos, state: mujoco.MjData) -> tuple[float, float, float]:
    """The servos follow a way, then hold for half a second; nothing is rendered.

    Returns:
        Distance of the hand from the end of the way, m; error of the worst joint, rad; deepest penetration on the way, m.
    """
    first, last = (checked_joints(arm, way[k]) for k in (0, -1))
    arm.pose(state, last)
    there = arm.hand_positions(state)
    arm.pose(state, first)
    depth = 0.0
    for joints in [*way[1:], *[way[-1]] * (CONTROL_HZ // 2)]:
        servos.move(state, servos.action_for(joints))
        mujoco.mj_fwdPosition(arm.model, state)  # a step leaves positions one substep behind
        depth = max(depth, arm.penetration(state))
    miss = metrics.hand_distances(arm.hand_positions(state)[None], there[None])[0]
    ends = state.qpos[arm.qpos_ids].astype(np.float32)
    return float(miss), float(np.abs(ends - way[-1]).max()), depth


def _film(path: Path, ways: list[Floats], imagination: Imagination, arm: ArmModel, data: Dataset) -> None:
    """Films each way: imagined beforehand, seen by the eye, and from outside."""
    video, outside = Video(path), OutsideView(arm, PANEL, data.info.recipe.touch)
    body = InfantArmEnv(arm=arm, eye_size=data.eye_size, senses=data.agent_senses, acuity=data.acuity, seen=data.seen)
    for number, way in enumerate(ways):
        imagined = imagination.draw(way).cpu().numpy()
        body.reset(seed=number, options={"joints": way[0]})
        for joints, picture in zip(way, imagined, strict=True):
            observation, *_ = body.step(body.action_for(joints))
            thought = "imagined", as_seen(picture, data.eye_size)
            video.add([thought, what_it_sees(observation), ("from outside", outside.render(body.data))])
    outside.close()
    body.close()
    video.close()


def table(rows: dict[str, PlannerScores]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: share of ways with contact, by geometry; with contact deeper than 5 mm; during motion."""
    header = ["way", "contact", "> 5 mm", "moved", "length", "seconds", "rad/s", "familiar"]
    header += ["hand cm", "joint deg", "arrived < 1 cm", "ms a plan"]
    body = [
        [
            name,
            *(f"{100 * getattr(row, key):.2f} %" for key in ("contact", "deep_contact", "moved_contact")),
            *(
                f"{getattr(row, key):.2f}"
                for key in ("length", "seconds", "fastest", "least_familiar", "hand_cm", "joint_deg")
            ),
            *(f"{100 * row.arrived:.2f} %", f"{row.ms_per_plan:.1f}"),
        ]
        for name, row in rows.items()
    ]
    return header, body
