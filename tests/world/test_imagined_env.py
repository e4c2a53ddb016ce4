import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

import agents  # noqa: F401 (registers the imagined one)
import infant_env  # noqa: F401 (registers the real environment)
from agents.rl.sb3 import InfantVecEnv
from agents.world.imagined_vector_env import ImaginedArmReachVectorEnv
from agents.world.world_model import WorldModel
from infant_env.body.model import ArmModel

MANY: dict[str, Any] = {"vectorization_mode": "vector_entry_point"}


@pytest.mark.parametrize("arguments", [{}, {"goal": "joints", "reward": "dense"}, {"eye_size": (60, 100)}])
def test_spaces_are_the_real_ones(world: WorldModel, arguments: dict[str, Any]):
    real, head = gym.make("InfantArmReach-v0", **arguments), gym.make("ImaginedArmReach-v0", world=world, **arguments)
    assert head.observation_space == real.observation_space
    assert head.action_space == real.action_space
    assert head.spec.max_episode_steps == real.spec.max_episode_steps
    reals = gym.make_vec("InfantArmReach-v0", 3, **MANY, **arguments)
    heads = gym.make_vec("ImaginedArmReach-v0", 3, **MANY, world=world, **arguments)
    assert heads.observation_space == reals.observation_space
    assert heads.metadata["autoreset_mode"] is reals.metadata["autoreset_mode"]
    first, (second, infos) = reals.reset(seed=0)[0], heads.reset(seed=0)
    assert {k: (v.shape, v.dtype) for k, v in first.items()} == {k: (v.shape, v.dtype) for k, v in second.items()}
    assert infos.keys() == {"is_success", "_is_success", "distance", "_distance"}
    assert heads.observation_space.contains(second)


@pytest.mark.parametrize("arguments", [{}, {"goal": "joints", "eye_size": (60, 100)}])
def test_both_checkers_are_content(world: WorldModel, arguments: dict[str, Any]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch")
        env = gym.make("ImaginedArmReach-v0", world=world, render_mode="rgb_array", **arguments)
        check_env(env.unwrapped)
        check_env_for_sb3(env.unwrapped)


def test_rewards_are_those_of_the_goals_alone(world: WorldModel):
    for reward in ("sparse", "dense"):
        env = gym.make_vec("ImaginedArmReach-v0", 8, **MANY, world=world, reward=reward, threshold=0.1)
        env.reset(seed=1)
        for _ in range(24):
            observations, rewards, _, _, infos = env.step(env.action_space.sample())
            computed = env.unwrapped.compute_reward(observations["achieved_goal"], observations["desired_goal"], {})
            assert np.array_equal(rewards, computed)
            assert np.array_equal(infos["is_success"], infos["distance"] <= 0.1)


def test_an_oracle_reaches_its_goals(world: WorldModel):
    env = gym.make("ImaginedArmReach-v0", world=world)
    env.reset(seed=3)
    for _ in range(25):
        *_, truncated, info = env.step(env.unwrapped.action_for(env.unwrapped.goal_joints))
    assert truncated
    assert info["is_success"]


def test_episodes_end_and_begin_again_in_the_same_step(world: WorldModel):
    env = InfantVecEnv(gym.make_vec("ImaginedArmReach-v0", 3, **MANY, world=world))
    first = env.reset()
    for _ in range(25):
        observations, _, dones, infos = env.step(np.zeros((3, 5), np.float32))
    assert dones.all()
    assert not observations["observation"][:, 5:].any()
    assert infos[1]["TimeLimit.truncated"]
    assert np.array_equal(infos[1]["terminal_observation"]["desired_goal"], first["desired_goal"][1])


def test_equal_seeds_give_equal_lives(world: WorldModel):
    def life(seed: int) -> list[np.ndarray]:
        env = ImaginedArmReachVectorEnv(4, world=world, goal="joints")
        actions = np.random.default_rng(0).uniform(-1, 1, (30, 4, 5)).astype(np.float32)
        return [env.reset(seed=seed)[0]["observation"], *(env.step(a)[0]["observation"] for a in actions)]

    assert all(np.array_equal(a, b) for a, b in zip(life(5), life(5), strict=True))
    assert not np.array_equal(life(5)[0], life(6)[0])


def test_starts_and_goals_can_be_given(world: WorldModel, arm: ArmModel):
    env = gym.make("ImaginedArmReach-v0", world=world, goal="joints")
    pose = world.poses[3].numpy()
    observation, info = env.reset(options={"joints": pose, "goal": pose})
    assert np.allclose(observation["achieved_goal"], pose, atol=1e-6)
    assert info["is_success"]
    with pytest.raises(ValueError, match="unknown reset option"):
        env.reset(options={"pose": pose})
    many = ImaginedArmReachVectorEnv(2, world=world)
    observations, _ = many.reset(options={"joints": world.poses[:2].numpy()})
    assert np.allclose(observations["observation"][:, :5], world.poses[:2].numpy(), atol=1e-6)


def test_mistakes_are_told_in_one_line(world: WorldModel, tmp_path: Path):
    env = ImaginedArmReachVectorEnv(2, world=world)
    with pytest.raises(ResetNeeded):
        env.step(np.zeros((2, 5), np.float32))
    env.reset(seed=[1, 2])
    with pytest.raises(ValueError, match="expected 2x5 finite numbers"):
        env.step(np.zeros((3, 5), np.float32))
    with pytest.raises(ValueError, match="trained with another body"):
        ImaginedArmReachVectorEnv(2, world=world, age_months=3.0)
    with pytest.raises(ValueError, match="num_envs=0, expected 1 or more"):
        ImaginedArmReachVectorEnv(0, world=world)
    with pytest.raises(ValueError, match="expected a trained world model"):
        ImaginedArmReachVectorEnv(2, world=tmp_path)


def test_what_is_imagined_can_be_looked_at(world: WorldModel):
    env = ImaginedArmReachVectorEnv(2, world=world, render_mode="rgb_array", eye_size=(60, 100))
    observations, _ = env.reset(seed=0)
    assert observations["eye"].shape == (2, 60, 100, 3)
    frames = env.render()
    assert frames is not None
    assert frames[0].shape == (300, 500, 3)
    assert frames[0].dtype == np.uint8
