import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

import agents  # noqa: F401 (registers the imagined one)
import infant_env  # noqa: F401 (registers the real environment)
from agents.mind.imagination import GENERATOR
from agents.networks.generator import PictureGenerator
from agents.networks.moving_eye import MovingEye
from agents.rl.sb3 import InfantVecEnv
from agents.world.gaze_response import GazeResponse
from agents.world.imagined_vector_env import ImaginedArmReachVectorEnv
from agents.world.world_model import WorldModel
from infant_env.body.description import Body
from infant_env.body.model import ArmModel
from infant_env.errors import UserError

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


@pytest.fixture(scope="module")
def moving(world: WorldModel, tmp_path_factory: pytest.TempPathFactory) -> WorldModel:
    """The same arm with eyes that move; its generator draws what they see without the arm, ever brighter to the left."""
    views = torch.linspace(0, 1, 15).view(5, 3, 1, 1).expand(5, 3, 64, 64)
    eye = MovingEye(views, torch.zeros(2, 64, 64), torch.tensor([60.0, 40.0]))
    generator = PictureGenerator(views[2, 1], width=4, points=3, eye=eye).eval()
    with torch.no_grad():
        generator.painter[-2].weight.zero_(), generator.painter[-2].bias.zero_()
    body = Body(gaze="eyes")
    response = GazeResponse(torch.from_numpy(ArmModel.of(body).gaze.ranges).float(), torch.tensor([[7.6, 4.5]] * 2))
    made, folder = WorldModel(world.response, generator, world.poses, response), tmp_path_factory.mktemp("moving")
    made.body = body.as_dict()
    generator.save(folder / GENERATOR)
    made.save(folder)
    return WorldModel.load(folder)


def test_an_eye_that_moves_is_imagined_too(moving: WorldModel):
    arguments: dict[str, Any] = {"eye_size": (60, 100)}
    real = gym.make_vec("InfantArmReach-v0", 2, **MANY, **arguments, gaze="eyes")
    env = gym.make_vec("ImaginedArmReach-v0", 2, **MANY, **arguments, world=moving)
    assert env.observation_space == real.observation_space
    assert env.action_space == real.action_space
    observations, _ = env.reset(seed=0)
    assert observations["gaze"].tolist() == [[0, 0], [0, 0]]
    gazes = np.deg2rad([[30.0, 0.0], [-15.0, 10.0]])
    action = env.unwrapped.action_for(env.unwrapped.goal_joints, gazes)
    for _ in range(24):
        observations, _, _, _, infos = env.step(action)
    assert infos["is_success"].all()
    np.testing.assert_allclose(observations["gaze"], gazes, atol=1e-4)
    assert observations["eye"].mean(axis=(1, 2, 3)) == pytest.approx(255 * np.array([13 / 14, 4.5 / 14]), abs=1)
    turned, _ = env.reset(seed=0, options={"gaze": gazes})
    np.testing.assert_allclose(turned["gaze"], gazes, atol=1e-6)
    check_env_for_sb3(gym.make("ImaginedArmReach-v0", world=moving, **arguments).unwrapped)


def test_a_world_model_of_another_eye_is_refused(world: WorldModel, moving: WorldModel):
    with pytest.raises(UserError, match="trained with another body, expected the same joints, gaze and hand positions"):
        ImaginedArmReachVectorEnv(2, world=moving, age_months=12.0)
    with pytest.raises(UserError, match="of an eye that moves and a response of one that is held"):
        WorldModel(moving.response, moving.generator, moving.poses)
