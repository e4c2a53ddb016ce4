"""`infant-arm train-world-model`: how the arm answers its servos, and where the hand is, learned from seconds of babbling."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from agents.mind.familiarity import remembered
from agents.mind.imagination import GENERATOR, Imagination
from agents.mind.som_autoencoder import SOM
from agents.tools import checkpoints
from agents.world.arm_chain import ArmChain
from agents.world.servo_response import ServoResponse
from agents.world.world_model import KIND, WORLD_MODEL, WorldModel
from infant_env.body.model import ArmModel

from ..data.babbled_motion import EPISODE, babble, go_straight
from ..data.dataset import Dataset
from ..measure import world_model_errors
from ..runs import folder as runs
from ..show import tables
from .network import threads

_HELD_OUT = 1_000_003  # what this is added to is the seed of other babbling


@dataclass(frozen=True)
class Config:
    """Learn to imagine motion: the imagined environment's world model, and its error against the simulator."""

    run: Path
    """The run's folder; holds the trained autoencoder, map and generator."""
    steps: int = 150
    """Control steps of babbling with the real arm from which the response is learned."""
    check: int = 5000
    """Control steps of other babbling against which it is measured."""
    pictures: int = 100
    """Episodes of these whose pictures are rendered, each after 1, 5 and 25 steps."""
    seed: int = 0
    """Seed of the babbling, and of the search for the joints' axes."""
    device: runs.Device = "auto"
    """Where to imagine when measured; what is learned is learned on the processor."""
    threads: int = 1
    """Processor threads."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "steps", "check", "pictures", "threads")


def run(config: Config) -> WorldModel:
    """Babbles, learns, saves and measures; does nothing when the same is there already."""
    device, path = runs.pick_device(config.device), config.run / WORLD_MODEL
    data = Dataset.open(runs.data_of(config.run))
    imagination = Imagination.load(config.run, device)
    identity = _identity(config, data)
    if path.exists() and identity.items() <= checkpoints.read_header(path, KIND).items():
        print(f"world model: {path} is there already")
        return WorldModel.load(config.run, device)
    runs.record_config(config.run, "train-world-model", config)
    arm = data.arm
    with runs.timed(config.run, "train-world-model"), threads(config.threads):
        learned = _learned(config, data, arm)
        mind = imagination.mind
        poses = mind.denormalize(remembered(mind.som).clamp(0, 1))
        world = WorldModel(learned.to(device), imagination.generator, poses)
        world.save(config.run, identity)
        _measure(config, world, data, arm)
    return world


def _identity(config: Config, data: Dataset) -> dict[str, Any]:
    """What a world model depends on, as JSON."""
    parts = {
        name: checkpoints.content_hash(config.run / file) for name, file in (("generator", GENERATOR), ("som", SOM))
    }
    return {"config": runs.settings(config), "dataset": data.fingerprint, **parts}


def _learned(config: Config, data: Dataset, arm: ArmModel) -> ServoResponse:
    """The arm's chain from the data set's training poses, and its response from babbling."""
    train = data.split("train")
    joints, hands = (torch.from_numpy(values[train]) for values in (data.joints, data.hand_position))
    chain = ArmChain.fit(joints, hands, config.seed)
    seen = babble(arm, config.steps, config.seed).transitions()
    response = ServoResponse.fit(chain, torch.from_numpy(data.joint_ranges), seen)
    other = data.split("validation")
    apart = chain.hand(torch.from_numpy(data.joints[other]).double()) - torch.from_numpy(data.hand_position[other])
    learned = {"transitions": len(seen.joints), "hand_error_mm": 1e3 * float(apart.norm(dim=1).mean())}
    runs.merge(config.run, "metrics.json", {"world_model": learned})
    print(
        f"world model: learned from {learned['transitions']} steps; the hand, {learned['hand_error_mm']:.2g} mm off in a pose"
    )
    return response


def _measure(config: Config, world: WorldModel, data: Dataset, arm: ArmModel) -> None:
    """Against the simulator, on other babbling."""
    motion = babble(arm, max(config.check, EPISODE), config.seed + _HELD_OUT)
    measured = world_model_errors.measure(world, arm, motion)
    measured["pictures"] = world_model_errors.of_pictures(world, arm, motion, data.eye_size, config.pictures)
    straight = go_straight(arm, len(motion.actions), config.seed + _HELD_OUT)
    measured["straight"] = world_model_errors.of_ends(world, straight)
    runs.merge(config.run, "metrics.json", {"world_model": measured})
    world_model_errors.save_figure(config.run, measured)
    print(tables.as_text(*world_model_errors.table(measured)))
    print(world_model_errors.remark(measured))
