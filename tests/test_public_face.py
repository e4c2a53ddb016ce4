"""What users import: the doors of the three floors."""

import importlib
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import agents
import infant_env
import training

ROOT = Path(__file__).parent.parent
FACES = [
    "infant_env",
    "agents",
    "training",
    *(
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for floor in ("infant_env", "agents", "training")
        for path in sorted((ROOT / floor).glob("*/__init__.py"))
        if "__all__" in path.read_text()
    ),
]


@pytest.mark.parametrize("face", FACES)
def test_a_door_hands_out_what_it_names(face: str):
    module = importlib.import_module(face)
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="wings"):
        _ = module.wings


def test_what_is_handed_out_is_documented():
    for module in (infant_env, agents, training):
        for name in module.__all__:
            assert name == "__version__" or getattr(module, name).__doc__, name


@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0", "InfantArmReachFlat-v0", "ImaginedArmReach-v0"])
def test_importing_registers_the_environments(name: str):
    gym.register_envs(infant_env)
    gym.register_envs(agents)
    assert gym.spec(name).id == name


@pytest.mark.parametrize("door", ["infant_env", "agents", "training"])
def test_a_door_opens_without_torch(door: str):
    code = f"import sys, {door}; print('torch' in sys.modules, 'stable_baselines3' in sys.modules, 'mujoco' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False"] * 3


def test_types_are_published():
    for floor in ("infant_env", "agents", "training"):
        assert (ROOT / floor / "py.typed").exists()


def test_a_users_mistake_is_a_value_error():
    assert issubclass(infant_env.UserError, ValueError)
    with pytest.raises(infant_env.UserError, match="age_months=77"):
        gym.make("InfantArm-v0", age_months=77)
