import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env as sb3_check

import infant_env  # noqa: F401
from agents.mind.som_autoencoder import AUTOENCODER, SomAutoencoder
from agents.rl.image_goals import ImageGoals, LatentObservation
from agents.rl.residual import Residual
from agents.rl.sb3 import LatentExtractor
from infant_env.body.model import ArmModel
from infant_env.senses.vision import to_gray

EYE = (60, 100)


@pytest.fixture(scope="module")
def mind(tiny_run: Path) -> SomAutoencoder:
    return SomAutoencoder.load(tiny_run)


def reach(**keywords) -> gym.Env:
    return gym.make("InfantArmReach-v0", eye_size=EYE, **keywords)


@pytest.fixture
def images(mind: SomAutoencoder) -> ImageGoals:
    return ImageGoals(reach(), mind)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["images", "latents", "winner"])
def test_both_checkers_find_nothing(mind: SomAutoencoder, kind: str):
    env = ImageGoals(reach(), mind) if kind == "images" else LatentObservation(reach(), mind, kind)
    sb3_check(env)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*different from the unwrapped version.*")  # it is a wrapper
        gymnasium_check(env, skip_render_check=True)
    env.close()


def test_the_reward_is_that_of_the_latents_at_every_step(images: ImageGoals):
    observation, info = images.reset(seed=0)
    assert images.observation_space.contains(observation)
    assert np.allclose(observation["desired_goal"], images.mind.latents(info["goal_picture"][None])[0])
    images.action_space.seed(0)
    for _ in range(5):
        action = images.action_space.sample()
        observation, reward, _, _, info = images.step(action)
        achieved, desired = observation["achieved_goal"], observation["desired_goal"]
        assert (
            reward
            == images.compute_reward(achieved, desired, info)
            == images.compute_reward([achieved], [desired], [{}])[0]
        )
        assert reward == (0 if np.linalg.norm(achieved - desired) <= images.threshold else -1)
    images.close()


def test_in_the_goal_s_pose_the_picture_is_the_goal(mind: SomAutoencoder):
    env = ImageGoals(reach(goal="joints"), mind)
    pose = env.unwrapped.arm.joint_ranges.mean(1)
    observation, info = env.reset(options={"joints": pose, "goal": pose})
    assert np.array_equal(observation["achieved_goal"], observation["desired_goal"])
    assert info["is_success"]
    env.close()


def test_a_winner_is_the_map_s_place_of_the_picture(mind: SomAutoencoder):
    env = LatentObservation(gym.make("InfantArm-v0", eye_size=EYE), mind, "winner")
    observation, _ = env.reset(seed=0)
    picture = to_gray(env.env.reset(seed=0)[0]["eye"])
    rows, columns = mind.som.shape
    row, column = np.rint(observation["winner"] * [rows - 1, columns - 1]).astype(int)
    assert row * columns + column == mind.som.winners({"vision": mind.latents(picture[None])})[0]
    assert set(observation) == {"joints", "joint_velocities", "winner"}
    env.close()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda mind: ImageGoals(gym.make("InfantArmReach-v0"), mind), "expected one with `eye`"),
        (lambda mind: LatentObservation(gym.make("InfantArmReach-v0"), mind), "expected one with `eye`"),
        (lambda mind: ImageGoals(reach(), mind, threshold=0.0), "expected a distance of latents above 0"),
        (lambda mind: LatentObservation(reach(), mind, "neuron"), "expected 'latents' or 'winner'"),
        (lambda mind: Residual(reach(), lambda *_: np.zeros(5), reach=0.0), "above 0 and at most 2"),
    ],
)
def test_bad_input_gets_one_line(mind: SomAutoencoder, make, expected: str):
    with pytest.raises(ValueError, match=expected):
        make(mind)


def test_hindsight_learns_from_pictures_with_a_small_buffer(images: ImageGoals):
    model = SAC(
        "MultiInputPolicy",
        images,
        replay_buffer_class=HerReplayBuffer,
        buffer_size=100,
        learning_starts=30,
        policy_kwargs={"net_arch": [8]},
    )
    model.learn(40)
    assert {name: values.shape[-1] for name, values in model.replay_buffer.observations.items()} == {
        "achieved_goal": images.mind.autoencoder.latent_size,
        "desired_goal": images.mind.autoencoder.latent_size,
        "observation": 10,
    }
    images.close()


def test_the_extractor_sees_the_same_latents_and_is_frozen(mind: SomAutoencoder, tiny_run: Path, tmp_path: Path):
    env = reach(goal="joints")
    kwargs = {
        "features_extractor_class": LatentExtractor,
        "features_extractor_kwargs": {"autoencoder": tiny_run / AUTOENCODER},
    }
    model = SAC(
        "MultiInputPolicy",
        env,
        buffer_size=50,
        learning_starts=2,
        policy_kwargs={**kwargs, "net_arch": [8]},
        batch_size=4,
        device="cpu",
    )
    model.learn(4)
    observation, _ = env.reset(seed=0)
    prepared, _ = model.policy.obs_to_tensor(observation)
    extractor = model.actor.features_extractor
    features = model.actor.extract_features(prepared, extractor)[0]
    size = mind.autoencoder.latent_size
    assert np.allclose(features[:size], mind.latents(to_gray(observation["eye"])[None])[0], atol=1e-3)
    assert len(features) == size + 10 + 5 + 5
    assert not any(parameter.requires_grad for parameter in extractor.parameters())
    model.save(tmp_path / "model")
    assert np.array_equal(
        SAC.load(tmp_path / "model").predict(observation, deterministic=True)[0],
        model.predict(observation, deterministic=True)[0],
    )
    env.close()


def test_the_extractor_reads_both_eyes(mind: SomAutoencoder, tiny_run: Path):
    env = gym.make("InfantArm-v0", eye_size=EYE, eyes="both")
    observation, _ = env.reset(seed=0)
    channels_first = {
        name: spaces.Box(0, 1, (3, *EYE)) if space.dtype == np.uint8 else space
        for name, space in env.observation_space.spaces.items()
    }
    extractor = LatentExtractor(spaces.Dict(channels_first), tiny_run / AUTOENCODER)
    batch = {
        name: torch.from_numpy(values[None]).movedim(-1, 1) / 255
        if values.dtype == np.uint8
        else torch.from_numpy(values[None])
        for name, values in observation.items()
    }
    features, size = extractor(batch)[0], mind.autoencoder.latent_size
    for k, name in enumerate(("eye", "eye_left")):
        seen = mind.latents(to_gray(observation[name])[None])[0]
        assert np.allclose(features[k * size : (k + 1) * size], seen, atol=1e-3)
    assert len(features) == 2 * size + 10
    env.close()


def test_a_residual_action_shifts_the_prior_s():
    pose = ArmModel.infant().joint_ranges.mean(1).astype(np.float32)
    env = Residual(gym.make("InfantArmReach-v0", goal="joints"), lambda observation, info: pose, reach=0.2)
    observation, _ = env.reset(seed=0, options={"joints": pose, "goal": pose})
    own = env.unwrapped.action_for(pose)
    assert np.array_equal(observation["observation"][10:], own)
    for _ in range(10):
        still, reward, *_ = env.step(np.zeros(5, np.float32))
    assert reward == 0
    assert np.abs(still["observation"][:5] - pose).max() < 0.02
    for _ in range(25):
        moved, *_ = env.step(np.eye(5, dtype=np.float32)[3])
    shifted = (own + 0.2 * np.eye(5)[3] + 1) / 2
    assert np.allclose(env.unwrapped.arm.normalize(moved["observation"][:5]), shifted, atol=0.02)


@pytest.mark.filterwarnings("error")
def test_a_residual_environment_passes_stable_baselines_check():
    sb3_check(Residual(gym.make("InfantArmReach-v0"), lambda observation, info: np.zeros(5, np.float32)))
