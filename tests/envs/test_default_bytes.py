"""With default options, equal seeds give the bytes that they gave before senses had options.

The hashes were made on one machine. Another renderer or C library may round differently; there the test is skipped.
"""

import hashlib
import platform
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

import infant_env  # noqa: F401 (registers the environments)
from training.data import collect

MADE_ON = "mujoco 4.0.0, glibc 2.36, llvmpipe (LLVM 15.0.6, 256 bits)"
LIVES: list[tuple[str, int, dict[str, Any], dict[str, str]]] = [
    (
        "InfantArm-v0",
        1,
        {"eye_size": (60, 100)},
        {"eye": "4a0d55a5a8a675bc", "joints": "a94e37ba93f27fe1", "joint_velocities": "72f4516ef36f4bff"},
    ),
    (
        "InfantArmReach-v0",
        1,
        {"goal": "joints", "eye_size": (60, 100)},
        {
            "observation": "7427ecb12c93f0e0",
            "achieved_goal": "bd69e1ac90cc2c68",
            "desired_goal": "c71efdaa03cd5ff8",
            "eye": "e944f05b1991f4be",
        },
    ),
    (
        "InfantArm-v0",
        2,
        {"eye_size": (60, 100)},
        {"eye": "3ad20a4de6af9d31", "joints": "5a4957f19f9514b2", "joint_velocities": "2cc59197b8308652"},
    ),
    (
        "InfantArmReach-v0",
        3,
        {"eye_size": (60, 100)},
        {
            "observation": "a1d4ea8362be3a56",
            "achieved_goal": "c65d835ff4a3b686",
            "desired_goal": "41d93dc14959d4b4",
            "eye": "ec49cdad832a7b42",
        },
    ),
]
DATA = {
    "eye": "7db4898ed9d28fa6",
    "joints": "5f92abadd9ba490f",
    "hand_position": "dd311b35c28a3fc1",
    "fingerprint": "0f10c0e1579a063d",
}


@pytest.fixture(scope="module", autouse=True)
def _same_machine() -> None:
    from OpenGL import GL

    context = mujoco.GLContext(8, 8)
    with context.as_current():
        renderer = GL.glGetString(GL.GL_RENDERER).decode()
    context.free()
    here = f"mujoco {mujoco.__version__}, {' '.join(platform.libc_ver())}, {renderer}"
    if here != MADE_ON:
        pytest.skip(f"the hashes were made on {MADE_ON}, here is {here}")


def digest(arrays: list[NDArray[Any]]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:16]


@pytest.mark.parametrize(("name", "infants", "kind", "wanted"), LIVES, ids=lambda value: str(value)[:30])
def test_observations_are_what_they_were(name: str, infants: int, kind: dict[str, Any], wanted: dict[str, str]):
    env: Any = gym.make(name, **kind) if infants == 1 else gym.make_vec(name, infants, **kind)
    steps = 24 if name == "InfantArmReach-v0" and infants == 1 else 30
    observations = [env.reset(seed=1)[0]]
    for action in np.random.default_rng(0).uniform(-1, 1, (steps, *env.action_space.shape)).astype(np.float32):
        observations.append(env.step(action)[0])
    assert {key: digest([each[key] for each in observations]) for key in wanted} == wanted
    env.close()


def test_a_data_set_is_what_it_was(tmp_path: Path):
    data = collect.run(
        collect.Config(tmp_path / "data", samples=8, eye_size=(60, 100), shard_size=4, seed=3, workers=1)
    )
    found = {name: digest([data.column(name)]) for name in ("eye", "joints", "hand_position")}
    assert found | {"fingerprint": data.fingerprint[:16]} == DATA
