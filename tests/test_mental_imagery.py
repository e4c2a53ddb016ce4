from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import infant_env  # noqa: F401
from agents.mental_imagery import MentalImageryAgent
from agents.som_autoencoder import SomAutoencoder
from infant_env.vision import to_gray
from training.dataset import Dataset


@pytest.fixture(scope="module")
def agent(tiny_run: Path) -> MentalImageryAgent:
    return MentalImageryAgent(SomAutoencoder.load(tiny_run), "winner")


@pytest.fixture(scope="module")
def data(tiny_run: Path) -> Dataset:
    return Dataset.open(tiny_run / "dataset")


def test_it_sends_the_arm_to_what_it_recalled(agent: MentalImageryAgent, data: Dataset):
    env = gym.make("InfantArm-v0", eye_size=(60, 100))
    agent.see_goal(data.eye(3))
    assert np.array_equal(agent.goal, to_gray(data.eye(3)))
    observation, _ = env.reset(options={"joints": agent.targets})  # no way to go: nothing to bump into
    for _ in range(10):
        action = agent.act(observation)
        assert env.action_space.contains(action)
        observation, *_ = env.step(action)
    env.close()
    assert np.degrees(np.abs(observation["joints"] - agent.targets)).max() < 2


def test_it_can_imagine_its_own_goal(agent: MentalImageryAgent, data: Dataset):
    agent.imagine_goal(data.joints[4])
    assert np.array_equal(agent.goal, agent.imagine(data.joints[4:5])[0])


def test_comparing_the_goal_with_itself_finds_no_difference(agent: MentalImageryAgent, data: Dataset):
    agent.see_goal(data.eye(3))
    assert agent.compare({"eye": data.eye(3)}) == 0
    assert agent.compare({"eye": data.eye(5)}) > 0


def test_without_a_goal_it_says_so(agent: MentalImageryAgent, data: Dataset):
    fresh = MentalImageryAgent(agent.mind)
    with pytest.raises(ValueError, match="no goal; give it one with see_goal"):
        fresh.act({})
    with pytest.raises(ValueError, match="no goal; give it one with see_goal"):
        fresh.compare({"eye": data.eye(0)})
