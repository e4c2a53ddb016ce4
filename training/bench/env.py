"""`infant-arm bench env`: environments, compared with the physics and the rendering that they need.

The bare work is of the same kind: it takes the same actions, and each 25th step begins at another valid pose. The environments
are made and reset as a user would do it.
"""

from collections.abc import Callable
from functools import partial

import gymnasium as gym
import mujoco
import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

import infant_env  # noqa: F401 (registers the environments)
from infant_env.body.model import ArmModel
from infant_env.body.servos import Servos
from infant_env.senses.camera import EyeCamera

from .config import Config
from .episodes import EPISODE, random_actions, run_episodes, run_steps
from .turns import Workload, compare

INFANTS = 64
_WITHOUT = "without pictures"
_WITH = "with pictures"
_MANY = f"{INFANTS} infants"
TARGETS = {
    f"InfantArmReach-v0 {_WITHOUT}": 75,
    "InfantArm-v0": 85,
    f"InfantArmReach-v0 {_WITH}": 85,
    f"InfantArmReach-v0, {_MANY}": 90,
}
"""The rate that is required of each environment, in percent of the bare rate."""


def run(config: Config) -> dict[str, float]:
    """Measures, prints tables and rates, and returns by name the time for a step relative to the bare work's."""
    arm = ArmModel.infant()
    ratios: dict[str, float] = {}
    for title, workloads in (
        (_WITHOUT, _without_pictures(arm, config)),
        (_WITH, _with_pictures(arm, config)),
        (_MANY, _many_infants(arm, config)),
    ):
        ratios |= compare(f"bench env, {title}", config.rounds, workloads)
        print()
    for name, target in TARGETS.items():
        print(f"{name}: {100 / ratios[name]:.1f} % of the bare rate (asked: {target} %)")
    return ratios


def _without_pictures(arm: ArmModel, config: Config) -> dict[str, Workload]:
    """Steps of one infant without pictures."""
    steps = 10 * config.repeats
    actions = random_actions(config.seed, steps, 5)
    env = gym.make("InfantArmReach-v0", arm=arm)
    return {
        "bare mj_step": Workload(steps, _bare(arm, actions)),
        f"InfantArmReach-v0 {_WITHOUT}": Workload(steps, partial(run_episodes, env, actions)),
    }


def _with_pictures(arm: ArmModel, config: Config) -> dict[str, Workload]:
    """Steps of one infant with pictures of full size."""
    actions = random_actions(config.seed, config.repeats, 5)
    bare = _bare(arm, actions, EyeCamera(arm))
    babbling, reaching = gym.make("InfantArm-v0", arm=arm), gym.make("InfantArmReach-v0", arm=arm, eye_size=(300, 500))
    return {
        "bare physics and rendering": Workload(config.repeats, bare),
        "InfantArm-v0": Workload(config.repeats, partial(run_episodes, babbling, actions)),
        f"InfantArmReach-v0 {_WITH}": Workload(config.repeats, partial(run_episodes, reaching, actions)),
    }


def _many_infants(arm: ArmModel, config: Config) -> dict[str, Workload]:
    """Steps of many infants together; the step of each infant counts."""
    steps = 2 * config.repeats
    actions = random_actions(config.seed, steps, INFANTS, 5)
    servos, starts = Servos(arm, INFANTS), _starts(arm, steps, INFANTS)
    batch = Batch(arm.model, INFANTS)
    ctrl, qpos, qvel = (batch.bind(name) for name in ("ctrl", "qpos", "qvel"))
    targets = np.array([servos.targets(action) for action in actions])  # (S, N, J)
    env = gym.make_vec("InfantArmReach-v0", INFANTS, arm=arm, autoreset_mode="SameStep")  # no step without physics
    env.reset(seed=config.seed)

    def bare() -> None:
        for k, target in enumerate(targets):
            if k % EPISODE == 0:
                qpos[:], qvel[:] = starts[k // EPISODE], 0
            ctrl[:] = target
            batch.step(nstep=servos.substeps)

    return {
        "bare mujoco.batch": Workload(steps * INFANTS, bare),
        f"InfantArmReach-v0, {_MANY}": Workload(steps * INFANTS, partial(run_steps, env, actions)),
    }


def _bare(arm: ArmModel, actions: NDArray[np.float32], eye: EyeCamera | None = None) -> Callable[[], None]:
    """The work that no environment can avoid: physics with the servos' targets, and rendering if there is an eye."""
    servos, data = Servos(arm), arm.new_data()
    targets = np.array([servos.targets(action) for action in actions])  # (S, J)
    starts = _starts(arm, len(actions), 1)[:, 0]  # (E, J)

    def run() -> None:
        for k, target in enumerate(targets):
            if k % EPISODE == 0:
                data.qpos[:], data.qvel[:] = starts[k // EPISODE], 0
            data.ctrl[:] = target
            mujoco.mj_step(arm.model, data, servos.substeps)
            if eye is not None:
                eye.render(data)

    return run


def _starts(arm: ArmModel, steps: int, infants: int) -> NDArray[np.float64]:
    """Valid poses at which the episodes begin, (E, N, J)."""
    data, random = arm.new_data(), np.random.default_rng(0)
    episodes = -(-steps // EPISODE)
    return np.array([[arm.valid_pose(data, random) for _ in range(infants)] for _ in range(episodes)])
