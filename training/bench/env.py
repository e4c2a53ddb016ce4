"""`infant-arm bench env`: environments beside the physics and the rendering that they cannot do without.

The bare work is of the same kind: the same actions, and at each 25th step another start from a valid pose. Environments are made
and reset as a user would.
"""

from typing import Any

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
from .turns import Work, in_turns

INFANTS = 64
_EPISODE = 25
_WITHOUT = "without pictures"
_WITH = "with pictures"
_MANY = f"{INFANTS} infants"
TARGETS = {
    f"InfantArmReach-v0 {_WITHOUT}": 75,
    "InfantArm-v0": 85,
    f"InfantArmReach-v0 {_WITH}": 85,
    f"InfantArmReach-v0, {_MANY}": 90,
}
"""Per cent of the bare rate that is asked of each environment."""


def run(config: Config) -> dict[str, float]:
    """Measures, prints tables and rates, and gives by name how often as long a step takes as its bare work."""
    arm = ArmModel.infant()
    ratios: dict[str, float] = {}
    for title, works in (
        (_WITHOUT, _without_pictures(arm, config)),
        (_WITH, _with_pictures(arm, config)),
        (_MANY, _many(arm, config)),
    ):
        ratios |= in_turns(f"bench env, {title}", config.rounds, works)
        print()
    for name, target in TARGETS.items():
        print(f"{name}: {100 / ratios[name]:.1f} % of the bare rate (asked: {target} %)")
    return ratios


def _without_pictures(arm: ArmModel, config: Config) -> dict[str, Work]:
    """Steps of one infant that is not looked at."""
    steps = 10 * config.repeats
    actions = _actions(config.seed, steps, 5)
    env = gym.make("InfantArmReach-v0", arm=arm)
    return {
        "bare mj_step": Work(steps, _Bare(arm, actions).run),
        f"InfantArmReach-v0 {_WITHOUT}": Work(steps, lambda: _live(env, actions)),
    }


def _with_pictures(arm: ArmModel, config: Config) -> dict[str, Work]:
    """Steps of one infant that looks, at full size."""
    actions = _actions(config.seed, config.repeats, 5)
    bare = _Bare(arm, actions, EyeCamera(arm))
    babbling, reaching = gym.make("InfantArm-v0", arm=arm), gym.make("InfantArmReach-v0", arm=arm, eye_size=(300, 500))
    return {
        "bare physics and rendering": Work(config.repeats, bare.run),
        "InfantArm-v0": Work(config.repeats, lambda: _live(babbling, actions)),
        f"InfantArmReach-v0 {_WITH}": Work(config.repeats, lambda: _live(reaching, actions)),
    }


def _many(arm: ArmModel, config: Config) -> dict[str, Work]:
    """Steps of many infants together, counted singly."""
    steps = 2 * config.repeats
    actions = _actions(config.seed, steps, (INFANTS, 5))
    targets, starts = Servos(arm, INFANTS), _starts(arm, steps, INFANTS)
    batch = Batch(arm.model, INFANTS)
    ctrl, qpos, qvel = (batch.bind(name) for name in ("ctrl", "qpos", "qvel"))
    bare_targets = np.array([targets.targets(action) for action in actions])  # (S, N, J)
    env = gym.make_vec("InfantArmReach-v0", INFANTS, arm=arm, autoreset_mode="SameStep")  # no step without physics
    env.reset(seed=config.seed)

    def bare() -> None:
        for k, target in enumerate(bare_targets):
            if k % _EPISODE == 0:
                qpos[:], qvel[:] = starts[k // _EPISODE], 0
            ctrl[:] = target
            batch.step(nstep=targets.substeps)

    def live() -> None:
        for action in actions:
            env.step(action)

    return {
        "bare mujoco.batch": Work(steps * INFANTS, bare),
        f"InfantArmReach-v0, {_MANY}": Work(steps * INFANTS, live),
    }


class _Bare:
    """What no environment can do without: servo targets, physics, and rendering where one looks."""

    def __init__(self, arm: ArmModel, actions: NDArray[np.float32], eye: EyeCamera | None = None) -> None:
        servos = Servos(arm)
        self._arm, self._eye, self._data = arm, eye, mujoco.MjData(arm.model)
        self._targets = np.array([servos.targets(action) for action in actions])  # (S, J)
        self._substeps = servos.substeps
        self._starts = _starts(arm, len(actions), 1)[:, 0]  # (E, J)

    def run(self) -> None:
        """All steps once."""
        for k, target in enumerate(self._targets):
            if k % _EPISODE == 0:
                self._data.qpos[:], self._data.qvel[:] = self._starts[k // _EPISODE], 0
            self._data.ctrl[:] = target
            mujoco.mj_step(self._arm.model, self._data, self._substeps)
            if self._eye is not None:
                self._eye.render(self._data)


def _live(env: Any, actions: NDArray[np.float32]) -> None:
    """All steps once, an episode after the other."""
    for k, action in enumerate(actions):
        if k % _EPISODE == 0:
            env.reset()
        env.step(action)


def _actions(seed: int, steps: int, shape: int | tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1, 1, (steps, *np.atleast_1d(shape))).astype(np.float32)


def _starts(arm: ArmModel, steps: int, infants: int) -> NDArray[np.float64]:
    """Valid poses at which episodes begin, (E, N, J)."""
    data, random = mujoco.MjData(arm.model), np.random.default_rng(0)
    episodes = -(-steps // _EPISODE)
    return np.array([[arm.valid_pose(data, random) for _ in range(infants)] for _ in range(episodes)])
