"""Minari: episodes are recorded, saved and loaded again with every bit, and the environment is recovered from them."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from plain import EPISODE, REACH, live, some_actions

minari = pytest.importorskip("minari")

pytestmark = [pytest.mark.ecosystem, pytest.mark.filterwarnings("ignore:`.*` is set to None")]

NAME = "infant/reach/random-v0"
EPISODES = 3


@pytest.fixture(autouse=True)
def _datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


def record(env: gym.Env, name: str = NAME) -> "minari.MinariDataset":
    """Three episodes; number i begins with seed i."""
    collector = minari.DataCollector(env, record_infos=True)
    for seed, actions in enumerate(some_actions(EPISODES, EPISODE)):
        collector.reset(seed=seed)
        for action in actions:
            collector.step(action)
    collector.create_dataset(dataset_id=name, eval_env=REACH, algorithm_name="random", ref_min_score=0, ref_max_score=1)
    collector.close()
    return minari.load_dataset(name)


def test_what_is_loaded_is_what_was_lived_through():
    loaded = record(gym.make(REACH, reward="dense"))
    assert (loaded.total_episodes, loaded.total_steps) == (EPISODES, EPISODES * EPISODE)
    for seed, actions in enumerate(some_actions(EPISODES, EPISODE)):
        episode, lived = loaded[seed], live(actions, seed, reward="dense")
        np.testing.assert_array_equal(episode.actions, actions, strict=True)
        for key, observations in episode.observations.items():
            np.testing.assert_array_equal(observations[:-1], lived.seen[key], strict=True)
            np.testing.assert_array_equal(observations[1:], lived.came[key], strict=True)
        assert episode.rewards.tolist() == lived.rewards.tolist()
        assert episode.truncations.tolist() == lived.ends.tolist()
        assert not episode.terminations.any()


def test_infos_are_kept():
    for episode in record(gym.make(REACH, reward="dense")):
        assert episode.infos["distance"][1:].tolist() == (-episode.rewards).tolist()
        assert episode.infos["is_success"].tolist() == (episode.infos["distance"] <= 0.02).tolist()


def test_the_environment_is_recovered_with_its_arguments():
    loaded = record(gym.make(REACH, goal="joints", reward="dense", age_months=6.0))
    env = loaded.recover_environment()
    assert env.spec.kwargs == {"goal": "joints", "reward": "dense", "age_months": 6.0}
    assert (env.observation_space, env.action_space) == (loaded.observation_space, loaded.action_space)
    assert loaded.recover_environment(eval_env=True).spec.kwargs == {}
    for seed in range(EPISODES):
        episode = loaded[seed]
        observation, _ = env.reset(seed=seed)
        for step, action in enumerate(episode.actions):
            for key, value in observation.items():
                assert value.tolist() == episode.observations[key][step].tolist()
            observation, reward, *_ = env.step(action)
            assert reward == episode.rewards[step]
    env.close()


@pytest.mark.parametrize("name", [REACH, "InfantArm-v0"])
def test_pictures_are_kept(name: str):
    env = gym.make(name, eye_size=(36, 60))
    collector = minari.DataCollector(env, jpeg_encoding=False)
    seen = [collector.reset(seed=0)[0]["eye"]]
    seen += [collector.step(action)[0]["eye"] for action in some_actions(1, 4)[0]]
    collector.create_dataset(NAME, algorithm_name="random", ref_min_score=0, ref_max_score=1)
    collector.close()
    np.testing.assert_array_equal(minari.load_dataset(NAME)[0].observations["eye"], np.array(seen), strict=True)


def test_a_flat_infant_s_episodes_are_kept_too():
    loaded = record(gym.make("InfantArmReachFlat-v0"))
    assert loaded[0].observations.shape == (EPISODE + 1, 16)
    assert loaded.recover_environment().observation_space == loaded.observation_space


def test_seeds_that_minari_draws_are_taken_and_tell_the_episode():
    collector = minari.DataCollector(gym.make(REACH))
    observation, _ = collector.reset()
    collector.step(some_actions()[0, 0])
    loaded = collector.create_dataset(NAME, algorithm_name="random", ref_min_score=0, ref_max_score=1)
    (seed,) = (metadata["seed"] for metadata in loaded.storage.get_episode_metadata([0]))
    again, _ = gym.make(REACH).reset(seed=int(seed))
    assert {key: value.tolist() for key, value in again.items()} == {
        key: value.tolist() for key, value in observation.items()
    }
    collector.close()
