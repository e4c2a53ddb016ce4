"""`infant-arm bench world`: imagined steps beside simulated ones, with pictures and without.

Pictures are compared as the agents get them: rendered at 300x500 and preprocessed to 64x64, or imagined at once. Simulated
infants are one, as most code has them, and many on all cores.
"""

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

import agents  # noqa: F401 (registers the imagined one)
from agents.world.world_model import WorldModel
from infant_env.errors import UserError
from infant_env.senses.vision import to_gray

from ..runs.device import pick_device
from .config import Config
from .turns import Work, in_turns

SIMULATED = 64
_EPISODE = 25
ASKED = 10
"""How many imagined steps are asked for in the time of a simulated one."""


def run(config: Config) -> dict[str, float]:
    """Measures, prints tables, and gives by name how often as long a step takes as one of a single simulated infant.

    Raises:
        UserError: no run is given, or it holds no world model.
    """
    if config.run is None:
        raise UserError("got bench world without --run, expected the folder of a run with a trained world model")
    torch.set_num_threads(config.threads)
    world = WorldModel.load(config.run, pick_device(config.device))
    ratios: dict[str, float] = {}
    for title, works in (
        ("without pictures", _without_pictures(config, world)),
        ("with pictures", _with_pictures(config, world)),
    ):
        measured = in_turns(f"bench world, {title}", config.rounds, works)
        best = min(value for name, value in measured.items() if "imagined" in name)
        print(f"{title}: {1 / best:.1f} imagined steps in the time of one simulated (asked: {ASKED})\n")
        ratios |= measured
    return ratios


def _without_pictures(config: Config, world: WorldModel) -> dict[str, Work]:
    """Whole environments, as users step them."""
    vector: dict[str, Any] = {"autoreset_mode": "SameStep"}  # no step without motion
    one, many = gym.make("InfantArmReach-v0"), gym.make_vec("InfantArmReach-v0", SIMULATED, **vector)
    head = gym.make_vec("ImaginedArmReach-v0", config.infants, world=world, **vector)
    works = {"one simulated infant": Work(10 * config.repeats, _live(one, 10 * config.repeats, config.seed))}
    for name, env in ((f"{SIMULATED} simulated infants", many), (f"{config.infants} imagined infants", head)):
        works[name] = Work(_EPISODE * env.num_envs, _live_together(env, config.seed))
    return works


def _with_pictures(config: Config, world: WorldModel) -> dict[str, Work]:
    """A step and the preprocessed picture of where it leads to."""
    env = gym.make("InfantArmReach-v0", eye_size=(300, 500))
    count = 2 * config.repeats
    joints = world.poses[torch.arange(count) % len(world.poses)]
    actions = torch.from_numpy(_actions(config.seed, count, 5)).to(world.device)

    def imagined() -> None:
        world.draw(world.step(joints, torch.zeros_like(joints), actions)[0]).cpu()

    return {
        "one simulated infant, rendered": Work(config.repeats, _live(env, config.repeats, config.seed, to_gray)),
        f"{count} imagined infants, drawn": Work(count, imagined),
    }


def _live(env: Any, steps: int, seed: int, look: Any = None) -> Any:
    actions = _actions(seed, steps, 5)

    def live() -> None:
        for k, action in enumerate(actions):
            if k % _EPISODE == 0:
                env.reset()
            observation, *_ = env.step(action)
            if look is not None:
                look(observation["eye"])

    return live


def _live_together(env: Any, seed: int) -> Any:
    env.reset(seed=seed)
    actions = _actions(seed, _EPISODE, (env.num_envs, 5))

    def live() -> None:
        for action in actions:
            env.step(action)

    return live


def _actions(seed: int, steps: int, shape: int | tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1, 1, (steps, *np.atleast_1d(shape))).astype(np.float32)
