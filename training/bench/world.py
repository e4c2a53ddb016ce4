"""`infant-arm bench world`: imagined steps, compared with simulated ones, with and without pictures.

The pictures are those that the agents get: rendered at the size of the run's frames and preprocessed to 64x64, or imagined at
that size. There is one simulated infant, as in most code, and there are many on all cores.
"""

from functools import partial
from typing import Any

import gymnasium as gym
import torch

import agents  # noqa: F401 (registers the imagined environment)
from agents.world.world_model import WorldModel
from infant_env.errors import UserError
from infant_env.senses.vision import to_gray

from ..runs.device import pick_device, threads
from .config import Config
from .episodes import EPISODE, random_actions, run_episodes, run_steps
from .turns import Workload, compare

SIMULATED = 64
ASKED = 10
"""How many imagined steps are required in the time of a simulated one."""


def run(config: Config) -> dict[str, float]:
    """Measures, prints tables, and returns by name the time for a step relative to a single simulated infant's.

    Raises:
        UserError: no run is given, or the run holds no world model.
    """
    if config.run is None:
        raise UserError("got bench world without --run, expected the folder of a run with a trained world model")
    with threads(config.threads):
        return _measured(config, WorldModel.load(config.run, pick_device(config.device)))


def _measured(config: Config, world: WorldModel) -> dict[str, float]:
    ratios: dict[str, float] = {}
    for title, workloads in (
        ("without pictures", _without_pictures(config, world)),
        ("with pictures", _with_pictures(config, world)),
    ):
        measured = compare(f"bench world, {title}", config.rounds, workloads)
        best = min(value for name, value in measured.items() if "imagined" in name)
        print(f"{title}: {1 / best:.1f} imagined steps in the time of one simulated (asked: {ASKED})\n")
        ratios |= measured
    return ratios


def _without_pictures(config: Config, world: WorldModel) -> dict[str, Workload]:
    """Steps of whole environments, as a user takes them."""
    steps, joints = 10 * config.repeats, len(world.ranges)  # an action also has the targets of an eye that moves
    vector: dict[str, Any] = {"autoreset_mode": "SameStep"}  # no step without motion
    one = gym.make("InfantArmReach-v0", arm=world.body)
    many = gym.make_vec("InfantArmReach-v0", SIMULATED, arm=world.body, **vector)
    imagined = gym.make_vec("ImaginedArmReach-v0", config.infants, world=world, **vector)
    one_workload = Workload(steps, partial(run_episodes, one, random_actions(config.seed, steps, joints)))
    workloads = {"one simulated infant": one_workload}
    for name, env in ((f"{SIMULATED} simulated infants", many), (f"{config.infants} imagined infants", imagined)):
        env.reset(seed=config.seed)
        actions = random_actions(config.seed, EPISODE, env.num_envs, joints)
        workloads[name] = Workload(EPISODE * env.num_envs, partial(run_steps, env, actions))
    return workloads


def _with_pictures(config: Config, world: WorldModel) -> dict[str, Workload]:
    """A step, and the preprocessed picture of the pose to which it leads."""
    env = gym.make("InfantArmReach-v0", arm=world.body, eye_size=world.eye_size)
    count = 2 * config.repeats
    joints = world.looking_ahead(world.poses[torch.arange(count) % len(world.poses)])
    actions = torch.from_numpy(random_actions(config.seed, count, len(world.ranges))).to(world.device)

    def imagine() -> None:
        world.draw(world.step(joints, torch.zeros_like(joints), actions)[0]).cpu()

    rendered = partial(run_episodes, env, random_actions(config.seed, config.repeats, len(world.ranges)), to_gray)
    return {
        "one simulated infant, rendered": Workload(config.repeats, rendered),
        f"{count} imagined infants, drawn": Workload(count, imagine),
    }
