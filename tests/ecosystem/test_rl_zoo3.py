"""RL Baselines3 Zoo: its commands train with `examples/rl_zoo3.yml`, and show what was trained."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain import EPISODE, REACH

if find_spec("rl_zoo3") is None:  # to import it changes Gymnasium's own time limit for all other tests
    pytest.skip("could not import 'rl_zoo3'", allow_module_level=True)

import yaml
from stable_baselines3.common.monitor import load_results

from training.rl import setup as rl_setup
from training.rl import train as train_rl

pytestmark = pytest.mark.ecosystem

FLAT = "InfantArmReachFlat-v0"
SETTINGS = Path(__file__).parents[2] / "examples" / "rl_zoo3.yml"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what SAC learned in 350 steps."""
    folder = tmp_path_factory.mktemp("zoo")
    train(folder, "sac", REACH, 350)
    return folder


def zoo(folder: Path, command: str, *words: str) -> str:
    """Runs a command of the zoo in a folder; what it says."""
    all_words = [sys.executable, "-m", f"rl_zoo3.{command}", "--gym-packages", "infant_env", "--device", "cpu", *words]
    done = subprocess.run(all_words, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def train(folder: Path, algorithm: str, name: str, steps: int) -> str:
    words = {"--algo": algorithm, "--env": name, "--n-timesteps": str(steps), "--conf-file": str(SETTINGS)}
    words |= {"--seed": "0", "--num-threads": "1", "--eval-freq": "200", "--eval-episodes": "2"}
    return zoo(folder, "train", *(word for pair in words.items() for word in pair))


def test_sac_with_hindsight_is_trained_judged_and_saved(trained: Path):
    run = trained / "logs" / "sac" / f"{REACH}_1"
    lived = load_results(str(run))
    assert lived["l"].tolist() == [EPISODE] * 14
    assert lived["r"].between(-EPISODE, 0, inclusive="neither").all()  # metres, summed
    assert lived["is_success"].isin([0, 1]).all()
    judged = np.load(run / "evaluations.npz")
    assert judged["timesteps"].tolist() == [200]
    assert judged["ep_lengths"].tolist() == [[EPISODE] * 2]
    assert {file.name for file in run.iterdir()} >= {f"{REACH}.zip", "best_model.zip"}
    assert (run / REACH / "vecnormalize.pkl").exists()


def test_what_was_trained_plays_on(trained: Path):
    words = ("--algo", "sac", "--env", REACH, "--folder", "logs", "--no-render", "--n-timesteps", "80")
    said = zoo(trained, "enjoy", *words)
    assert "Loading running average" in said
    assert f"Episode Length {EPISODE}" in said


def test_ppo_is_trained_on_64_flat_infants(tmp_path: Path):
    said = train(tmp_path, "ppo", FLAT, 1_600)
    assert "Using 64 environments" in said
    lived = load_results(str(tmp_path / "logs" / "ppo" / f"{FLAT}_1"))
    assert lived["l"].tolist() == [EPISODE] * 64


def test_settings_are_those_of_train_rl():
    settings: dict[str, dict[str, Any]] = yaml.safe_load(SETTINGS.read_text())
    sac, ppo = settings[REACH], settings[FLAT]
    config = train_rl.Config(Path())
    for one in (sac, ppo):
        assert one["env_kwargs"] == {"reward": config.reward}
        assert one["gamma"] == rl_setup.GAMMA
    assert sac["n_timesteps"] == config.steps
    assert ppo["n_envs"] == train_rl.Config(Path(), algorithm="PPO").at_once
    assert sac["ent_coef"] == train_rl._ENTROPY
    assert sac["gradient_steps"] == train_rl._UPDATES
