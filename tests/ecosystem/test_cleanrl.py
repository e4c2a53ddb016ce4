"""CleanRL: its SAC and PPO for continuous actions, word for word, learn from the infant.

The package `cleanrl` (0.4.8) is older than Gymnasium, so they are run from a checkout of CleanRL (2.0.0b1), whose folder the
variable CLEANRL names. They are written for Gymnasium 0.29; what is put between them and Gymnasium 1, at run time:

- `gym.wrappers.TransformObservation` asks for a space; it gets the wrapped environment's.
- `gym.vector.SyncVectorEnv` would reset in the next step, but the scripts expect it in the same one (`SAME_STEP`).
- Its infos are given their old form: `final_obs` is called `final_observation`, and `final_info` holds one dict for each infant.
"""

import os
import runpy
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TransformObservation
from numpy.typing import NDArray
from plain import EPISODE, REACH, flat, live

pytest.importorskip("tyro")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

pytestmark = [
    pytest.mark.ecosystem,
    pytest.mark.filterwarnings("ignore:The field `.*` is annotated"),
    pytest.mark.skipif("CLEANRL" not in os.environ, reason="CLEANRL does not name the folder of a checkout of CleanRL"),
]

FLAT = "InfantArmReachFlat-v0"
SEED = 1  # CleanRL's own
STEPS = 10 * EPISODE


class OldTransformObservation(TransformObservation):
    def __init__(self, env: gym.Env, function: Any) -> None:
        super().__init__(env, function, env.observation_space)


class OldSyncVectorEnv(SyncVectorEnv):
    def __init__(self, makers: list[Any]) -> None:
        super().__init__(makers, autoreset_mode=AutoresetMode.SAME_STEP)

    def step(self, actions: NDArray[np.float32]) -> Any:
        *all_else, infos = super().step(actions)
        if "final_obs" in infos:
            ended, last = infos["_final_obs"], infos["final_info"]
            infos["final_observation"] = infos["final_obs"]
            infos["final_info"] = [of_one(last, infant) if ended[infant] else None for infant in range(self.num_envs)]
        return *all_else, infos


def of_one(infos: dict[str, Any], infant: int) -> dict[str, Any]:
    """One infant's own infos."""
    return {
        key: of_one(values, infant) if isinstance(values, dict) else values[infant]
        for key, values in infos.items()
        if not key.startswith("_")
    }


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the scripts write, with the old Gymnasium's ways."""
    monkeypatch.setattr(gym.wrappers, "TransformObservation", OldTransformObservation)
    monkeypatch.setattr(gym.vector, "SyncVectorEnv", OldSyncVectorEnv)
    monkeypatch.syspath_prepend(os.environ["CLEANRL"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, script: str, *words: str) -> dict[str, Any]:
    """Runs a script unmodified; what its variables hold in the end."""
    path = Path(os.environ["CLEANRL"]) / "cleanrl" / f"{script}.py"
    common = ["--total-timesteps", str(STEPS), "--no-cuda"]
    monkeypatch.setattr(sys, "argv", [str(path), *common, *words])
    return runpy.run_path(str(path), run_name="__main__")


def logged(folder: Path) -> dict[str, list[float]]:
    """What a script wrote for TensorBoard, by name."""
    (written,) = (folder / "runs").iterdir()
    events = EventAccumulator(str(written)).Reload()
    return {name: [event.value for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_sac_learns_from_what_gymnasium_gives(folder: Path, monkeypatch: pytest.MonkeyPatch):
    words = ("--env-id", FLAT, "--learning-starts", "100", "--batch-size", "64", "--buffer-size", str(STEPS))
    ended = run(monkeypatch, "sac_continuous_action", *words)
    memory = ended["rb"]
    assert memory.full
    lived = live(memory.actions[:, 0], SEED)
    np.testing.assert_array_equal(memory.observations[:, 0], flat(lived.seen))
    np.testing.assert_array_equal(memory.next_observations[:, 0], flat(lived.came))
    np.testing.assert_array_equal(memory.rewards[:, 0], lived.rewards)
    assert not memory.dones.any()
    scalars = logged(folder)
    assert scalars["charts/episodic_length"] == [EPISODE] * 10
    assert scalars["charts/episodic_return"] == lived.rewards.reshape(10, EPISODE).sum(1).tolist()
    assert np.isfinite(scalars["losses/qf_loss"] + scalars["losses/actor_loss"]).all()


@pytest.mark.parametrize("name", [FLAT, REACH])
def test_ppo_learns_from_two_infants(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    words = ("--env-id", name, "--num-envs", "2", "--num-steps", str(EPISODE), "--num-minibatches", "2")
    run(monkeypatch, "ppo_continuous_action", *words)
    scalars = logged(folder)
    assert scalars["charts/episodic_length"] == [EPISODE] * 10
    assert all(-EPISODE <= one <= 0 for one in scalars["charts/episodic_return"])
    assert len(scalars["losses/policy_loss"]) == 5
    assert np.isfinite(scalars["losses/policy_loss"] + scalars["losses/value_loss"]).all()


def test_ppo_films_the_infant(folder: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("moviepy")
    run(
        monkeypatch,
        "ppo_continuous_action",
        "--env-id",
        FLAT,
        "--num-steps",
        "50",
        "--num-minibatches",
        "2",
        "--capture-video",
    )
    films = sorted((folder / "videos").glob("*/*.mp4"))
    assert [film.name for film in films] == [f"rl-video-episode-{number}.mp4" for number in (0, 1, 8)]
    assert all(film.stat().st_size > 10_000 for film in films)
