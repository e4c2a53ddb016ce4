"""`infant-arm train-world-model`: learns from seconds of babbling how the servos move the arm, and where the hand is."""

from dataclasses import dataclass
from typing import Annotated

import torch
from msgspec import Meta

from agents.mind.familiarity import remembered
from agents.mind.imagination import Imagination
from agents.world.arm_chain import ArmChain
from agents.world.gaze_response import GazeResponse
from agents.world.servo_response import ServoResponse
from agents.world.world_model import KIND, WORLD_MODEL, WorldModel
from infant_env.body.model import ArmModel
from infant_env.errors import UserError

from ..data.babbled_motion import EPISODE, babble, go_straight
from ..data.dataset import Dataset
from ..measure import world_model_errors
from ..runs.config import Count, StageConfig, Threads
from ..runs.metrics import Metrics, WorldModelErrors
from ..show import html_page, tables
from . import generator, som
from .skeleton import Stage, Work

_HELD_OUT = 1_000_003  # difference between the seeds of training and test babbling


@dataclass(frozen=True)
class Config(StageConfig):
    """Learn to imagine motion: the imagined environment's world model, and its error against the simulator."""

    steps: Annotated[int, Meta(ge=26, le=100_000)] = 150
    """Control steps of babbling with the real arm, from which the model learns."""
    check: Count = 5000
    """Control steps of other babbling, for the measurement."""
    pictures: Count = 100
    """Number of these episodes with rendered pictures, after 1, 5 and 25 steps."""
    threads: Threads | None = 1
    """Processor threads."""


def run(config: Config) -> WorldModel:
    """Babbles, learns, measures and saves; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[WorldModel, Metrics]:
    work.data.check_seen_arm("the world model")
    work.data.check_simulated("the world model")
    if len(work.data.arm.hands) > 1:
        raise UserError(
            f"{work.data.path} was collected with --arms both, expected one arm: the world model learns one arm with one hand; "
            "collect with --arms right or --arms left"
        )
    imagination = Imagination.load(work.config.run, work.device)
    mind, arm = imagination.mind, work.data.arm
    response, gaze, learned = _learned(work.config, work.data, arm)
    poses = mind.denormalize(remembered(mind.som).clamp(0, 1))
    looks = None if gaze is None else gaze.to(work.device)
    world = WorldModel(response.to(work.device), imagination.generator, poses, looks)
    world.body, world.eye_size = work.data.body.as_dict(), work.data.eye_size
    return world, Metrics(world_model=_measured(work.config, world, work.data, arm, learned))


def _learned(
    config: Config, data: Dataset, arm: ArmModel
) -> tuple[ServoResponse, GazeResponse | None, tuple[int, float]]:
    """Learns the arm's chain from the training poses, and its response and that of an eye that moves from babbling.

    Returns:
        The responses; the number of transitions, and the mean error of the hand in a known pose, mm.
    """
    train = data.split("train")
    joints, hands = (torch.from_numpy(values[train]) for values in (data.joints, data.hand_position))
    chain = ArmChain.fit(joints, hands, config.seed)
    motion = babble(arm, config.steps, config.seed)
    seen = motion.transitions()
    response = ServoResponse.fit(chain, torch.from_numpy(data.joint_ranges), seen)
    gaze = None
    if arm.gaze_joints:
        ranges = torch.from_numpy(arm.gaze.ranges)
        targets = torch.from_numpy(motion.actions[:, :, motion.joint_count :])
        gaze = GazeResponse.fit(ranges, torch.from_numpy(motion.gazes), targets)
    other = data.split("validation")
    errors = chain.hand(torch.from_numpy(data.joints[other]).double()) - torch.from_numpy(data.hand_position[other])
    transitions, off = len(seen.joints), 1e3 * float(errors.norm(dim=1).mean())
    print(f"world model: learned from {transitions} steps; the hand is {off:.2g} mm off in a known pose")
    return response, gaze, (transitions, off)


def _measured(
    config: Config, world: WorldModel, data: Dataset, arm: ArmModel, learned: tuple[int, float]
) -> WorldModelErrors:
    """The errors of the world model against the simulator, on other babbling."""
    motion = babble(arm, max(config.check, EPISODE), config.seed + _HELD_OUT)
    straight = go_straight(arm, len(motion.actions), config.seed + _HELD_OUT)
    joints, hands, *gazes = world_model_errors.measure(world, arm, motion)
    measured = WorldModelErrors(
        *learned,
        joints,
        hands,
        touched=motion.touched.mean(0).tolist(),
        pictures=world_model_errors.of_pictures(world, arm, motion, data, config.pictures),
        straight=world_model_errors.of_ends(world, straight),
        gaze_error_deg=gazes[0] if gazes else None,
    )
    html_page.figure(config.run, "world_model", world_model_errors.figure(measured))
    print(tables.as_text(*world_model_errors.table(measured)))
    print(world_model_errors.remark(measured))
    return measured


STAGE = Stage(
    "train-world-model", "world model", WORLD_MODEL, KIND, Config, _fit,
    lambda run, _, device: WorldModel.load(run, device), lambda work, made: made.save(work.config.run, work.header),
    needs=(generator.STAGE, som.STAGE), sees=False, moving_eye=True,
)  # fmt: skip
