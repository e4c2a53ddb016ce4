"""`infant-arm train-world-model`: how the arm answers its servos, and where the hand is, learned from seconds of babbling."""

from dataclasses import dataclass
from pathlib import Path

import torch

from agents.mind.familiarity import remembered
from agents.mind.imagination import Imagination
from agents.world.arm_chain import ArmChain
from agents.world.servo_response import ServoResponse
from agents.world.world_model import KIND, WORLD_MODEL, WorldModel
from infant_env.body.model import ArmModel

from ..data.babbled_motion import EPISODE, babble, go_straight
from ..data.dataset import Dataset
from ..measure import world_model_errors
from ..runs.config import StageConfig
from ..runs.metrics import Metrics, World
from ..show import tables
from . import generator, som
from .skeleton import Stage, Work

Learned = tuple[int, float]
"""Transitions that were learned from, and by how many millimetres the hand is off in a known pose."""
_HELD_OUT = 1_000_003  # what this is added to is the seed of other babbling


@dataclass(frozen=True)
class Config(StageConfig):
    """Learn to imagine motion: the imagined environment's world model, and its error against the simulator."""

    steps: int = 150
    """Control steps of babbling with the real arm from which the response is learned."""
    check: int = 5000
    """Control steps of other babbling against which it is measured."""
    pictures: int = 100
    """Episodes of these whose pictures are rendered, each after 1, 5 and 25 steps."""
    threads: int | None = 1
    """Processor threads."""


def run(config: Config) -> WorldModel:
    """Babbles, learns, measures and saves; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[WorldModel, Metrics]:
    imagination = Imagination.load(work.config.run, work.device)
    mind, arm = imagination.mind, work.data.arm
    response, learned = _learned(work.config, work.data, arm)
    poses = mind.denormalize(remembered(mind.som).clamp(0, 1))
    world = WorldModel(response.to(work.device), imagination.generator, poses)
    return world, Metrics(world_model=_measured(work.config, world, work.data, arm, learned))


def _learned(config: Config, data: Dataset, arm: ArmModel) -> tuple[ServoResponse, Learned]:
    """The arm's chain from the data set's training poses and its response from babbling, and what there is to say of them."""
    train = data.split("train")
    joints, hands = (torch.from_numpy(values[train]) for values in (data.joints, data.hand_position))
    chain = ArmChain.fit(joints, hands, config.seed)
    seen = babble(arm, config.steps, config.seed).transitions()
    response = ServoResponse.fit(chain, torch.from_numpy(data.joint_ranges), seen)
    other = data.split("validation")
    apart = chain.hand(torch.from_numpy(data.joints[other]).double()) - torch.from_numpy(data.hand_position[other])
    transitions, off = len(seen.joints), 1e3 * float(apart.norm(dim=1).mean())
    print(f"world model: learned from {transitions} steps; the hand, {off:.2g} mm off in a pose")
    return response, (transitions, off)


def _measured(config: Config, world: WorldModel, data: Dataset, arm: ArmModel, learned: Learned) -> World:
    """What was learned, and how it does against the simulator, on other babbling."""
    motion = babble(arm, max(config.check, EPISODE), config.seed + _HELD_OUT)
    straight = go_straight(arm, len(motion.actions), config.seed + _HELD_OUT)
    measured = World(
        *learned,
        *world_model_errors.measure(world, arm, motion),
        touched=motion.touched.mean(0).tolist(),
        pictures=world_model_errors.of_pictures(world, arm, motion, data.eye_size, config.pictures),
        straight=world_model_errors.of_ends(world, straight),
    )
    world_model_errors.save_figure(config.run, measured)
    print(tables.as_text(*world_model_errors.table(measured)))
    print(world_model_errors.remark(measured))
    return measured


def _save(work: Work[Config], world: WorldModel) -> None:
    world.save(work.config.run, work.identity)


def _load(run: Path, _: Dataset, device: torch.device) -> WorldModel:
    return WorldModel.load(run, device)


STAGE = Stage(
    "train-world-model", "world model", WORLD_MODEL, KIND, Config, _fit, _load, _save,
    needs=(generator.STAGE, som.STAGE), sees=False,
)  # fmt: skip
