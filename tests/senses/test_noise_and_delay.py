"""Noise and delay of the senses: what is observed, against the true states of the simulation."""

import warnings
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, Sense, UserError
from infant_env.body.description import Body
from infant_env.senses.camera import EyeCamera
from infant_env.senses.noise import Noise, add_to_frame
from infant_env.senses.sense import checked_senses, of_age

SMALL = (36, 60)
STEP, PHYSICS = 0.04, 0.005  # s


def babbling(**kind: Any) -> Any:
    return gym.make("InfantArm-v0", **{"eye_size": SMALL, "max_episode_steps": 10**6} | kind).unwrapped


def reaching(**kind: Any) -> Any:
    return gym.make("InfantArmReach-v0", max_episode_steps=10**6, **kind).unwrapped


def actions_of(steps: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-1, 1, (steps, 5)).astype(np.float32)


def truth(actions: NDArray[np.float32], seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Positions and velocities after the start and after each physics step of an infant without noise and delay."""
    env = reaching()
    env.reset(seed=seed)
    states = [(env.data.qpos.copy(), env.data.qvel.copy())]
    for action in actions:
        env.data.ctrl[:] = env._servos.targets(action)
        for _ in range(8):
            mujoco.mj_step(env.model, env.data)
            states.append((env.data.qpos.copy(), env.data.qvel.copy()))
    return tuple(map(np.array, zip(*states, strict=True)))


def at(states: NDArray[Any], times: NDArray[Any]) -> NDArray[Any]:
    """Positions at these moments, s, between the physics steps; before the first it was at rest."""
    moments = PHYSICS * np.arange(len(states))
    return np.stack([np.interp(times, moments, states[:, joint]) for joint in range(states.shape[1])], axis=1)


@settings(max_examples=25)
@given(st.floats(0.01, 400) | st.sampled_from([5.0, 40.0, 115.0, 117.0, 120.0, 320.0, 4.999999999, 5.000000001]))
def test_joints_are_felt_as_they_were_a_delay_ago(delay: float):
    actions = actions_of(12)
    positions, _ = truth(actions)
    env = reaching(senses={"joints": Sense(delay_ms=delay)})
    felt = [env.reset(seed=0)[0]["observation"][:5]] + [env.step(action)[0]["observation"][:5] for action in actions]
    wanted = at(positions, STEP * np.arange(13) - delay / 1000)
    np.testing.assert_allclose(felt, wanted, atol=2e-6)


def test_velocities_have_a_delay_of_their_own():
    actions = actions_of(12)
    _, velocities = truth(actions)
    env = reaching(senses={"joint_velocities": {"delay_ms": 83.0}})
    first, _ = env.reset(seed=0)
    felt = [first["observation"], *(env.step(action)[0]["observation"] for action in actions)]
    assert not first["observation"][5:].any()
    for k in range(3, 13):  # 83 ms are 16 physics steps and a part of the one before
        np.testing.assert_allclose(felt[k][5:], velocities[8 * k - 16].astype(np.float32))
        np.testing.assert_allclose(felt[k][:5], reaching_joints(actions, k), atol=1e-6)


def reaching_joints(actions: NDArray[np.float32], step: int) -> NDArray[Any]:
    return truth(actions[:step])[0][-1]


@pytest.mark.parametrize("delay", [3.0, 40.0, 63.0, 140.0])
def test_the_eye_sees_the_pose_of_a_delay_ago(delay: float, arm: ArmModel):
    actions = actions_of(6)
    positions, _ = truth(actions)
    env, eye, data = babbling(senses={"eye": Sense(delay_ms=delay)}), EyeCamera(arm, SMALL), arm.new_data()
    frames = [env.reset(seed=0)[0]["eye"]] + [env.step(action)[0]["eye"] for action in actions]
    for frame, pose in zip(frames, at(positions, STEP * np.arange(7) - delay / 1000), strict=True):
        arm.place(data, pose)
        wanted = eye.render(data)
        # the last digit of a pose may move an edge by a gray level
        assert np.abs(frame.astype(int) - wanted).max() <= 3
    env.close(), eye.close()


def test_the_measured_lag_is_the_one_that_was_set():
    """The lag at which the true motion fits best to the felt one, over 10,000 steps of five joints."""
    delay, actions = 93.0, actions_of(10_000)
    positions, _ = truth(actions)
    env = reaching(senses={"joints": Sense(noise=3.0, delay_ms=delay)})
    felt = np.array([env.reset(seed=0)[0]["observation"][:5]] + [env.step(a)[0]["observation"][:5] for a in actions])
    lags = np.arange(80.0, 110.0, 0.5)
    misses = [np.abs(felt - at(positions, STEP * np.arange(len(felt)) - lag / 1000)).sum() for lag in lags]
    assert lags[np.argmin(misses)] == pytest.approx(delay, rel=0.02)


def test_the_measured_noise_is_the_one_that_was_set():
    env = reaching(senses={"joints": Sense(noise=5.0), "joint_velocities": Sense(noise=40.0)})
    env.reset(seed=0)
    noise = []
    for action in actions_of(10_000):
        observation, *_ = env.step(action)
        noise.append(observation["observation"] - np.concatenate((env.data.qpos, env.data.qvel)))
    spread = np.rad2deg(np.std(noise, axis=0))
    np.testing.assert_allclose(spread, [5.0] * 5 + [40.0] * 5, rtol=0.02)
    assert (np.abs(np.mean(noise, axis=0)) < 0.04 * np.std(noise, axis=0)).all()
    independent = np.corrcoef(np.hstack((noise[1:], noise[:-1])).T) - np.eye(20)
    assert np.abs(independent).max() < 0.05


@pytest.mark.parametrize("noise", [0.003, 0.02, 0.1])
def test_the_eye_s_measured_noise_is_the_one_that_was_set(noise: float, arm: ArmModel):
    random = Noise(np.random.default_rng(0), {}, 5)
    frames = np.full((10_000, 6, 10, 3), 128, np.uint8)
    for frame in frames:
        random.renew()
        random.add_to_frame(frame, noise)
    levels = frames.astype(float) - 128
    np.testing.assert_allclose(levels.std(), 255 * noise, rtol=0.01)
    np.testing.assert_allclose(levels.std(axis=0), 255 * noise, rtol=0.05)  # each byte, over the frames
    assert np.abs(levels.mean(axis=0)).max() < 255 * noise * 0.05
    assert np.abs(np.corrcoef(levels[:300].reshape(300, -1))[np.triu_indices(300, 1)]).mean() < 0.1


def test_the_noisy_frame_is_the_frame_with_noise():
    env = babbling(senses={"eye": Sense(noise=0.02)})
    env.reset(seed=0)
    for action in actions_of(4):
        observation, *_ = env.step(action)
        clean = env._eyes.cameras[0].render(env.data)
        middle = (clean > 40) & (clean < 215)
        assert (observation["eye"].astype(int) - clean)[middle].std() == pytest.approx(5.1, rel=0.03)


def test_bright_and_dark_bytes_stay_bytes():
    frame = np.zeros((50, 50, 3), np.uint8)
    frame[25:] = 255
    add_to_frame(frame, 0.25, 0)
    assert (frame[:25] == 0).mean() == pytest.approx(0.5, abs=0.05)
    assert (frame[25:] == 255).mean() == pytest.approx(0.5, abs=0.05)


def test_noise_changes_neither_starts_nor_goals_nor_motion():
    perfect, noisy = reaching(), reaching(senses={"joints": Sense(9.0, 50.0), "joint_velocities": Sense(9.0)})
    for seed in (4, None):
        first, second = (env.reset(seed=seed)[0] for env in (perfect, noisy))
        for action in actions_of(5):
            assert not np.array_equal(first["observation"], second["observation"])
            for key in ("achieved_goal", "desired_goal"):
                assert np.array_equal(first[key], second[key])
            (first, *gains), (second, *others) = perfect.step(action), noisy.step(action)
            assert gains == others


def test_a_seed_gives_the_same_noise_and_another_seed_another():
    env = reaching(senses="age")
    first, again, other = (env.reset(seed=seed)[0]["observation"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first - other, 0)
    assert not np.array_equal(env.reset()[0]["observation"], env.reset()[0]["observation"])


def test_holding_is_as_many_steps():
    senses = {"joints": Sense(delay_ms=133.0), "eye": Sense(delay_ms=57.0)}
    held, stepped = babbling(senses=senses), babbling(senses=senses)
    action = actions_of(1)[0]
    held.reset(seed=0), stepped.reset(seed=0)
    observation, _ = held.hold(action, 5)
    for _ in range(5):
        wanted, *_ = stepped.step(action)
    for key in wanted:
        assert np.array_equal(observation[key], wanted[key])


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("InfantArm-v0", {"senses": "age"}),
        (
            "InfantArm-v0",
            {"senses": {"eye": Sense(0.1, 333.0), "joints": Sense(45.0), "joint_velocities": Sense(1000.0)}},
        ),
        ("InfantArmReach-v0", {"senses": {"joints": Sense(45.0, 70.0)}}),
        ("InfantArmReach-v0", {"goal": "joints", "eye_size": SMALL, "goal_eye": True, "senses": "age"}),
    ],
    ids=str,
)
def test_both_checkers_are_content(check: Any, name: str, kind: dict[str, Any]):
    env = gym.make(name, **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


def test_the_noisiest_joints_stay_within_their_space():
    env = reaching(senses={"joints": Sense(noise=45.0), "joint_velocities": Sense(noise=1000.0)})
    space = env.observation_space
    assert space.contains(env.reset(seed=0)[0])
    assert all(space.contains(env.step(action)[0]) for action in actions_of(1000))


@pytest.mark.parametrize("senses", [None, {}, {"joints": Sense()}, {"eye": {"noise": 0}}])
def test_perfect_senses_are_the_default(senses: Any):
    env = babbling(senses=senses)
    assert env.senses == {}
    assert env.observation_space == babbling().observation_space


@pytest.mark.parametrize(
    ("senses", "wanted"),
    [
        ("adult", 'got senses=.adult., expected "age", or senses by name'),
        (3, 'got senses=3, expected "age", or senses by name'),
        ({"nose": Sense()}, "got senses with the name 'nose', expected names among"),
        ({2: Sense()}, "got senses with the name 2, expected names among"),
        ({"joints": 5}, "got senses with joints=5, expected a Sense"),
        ({"joints": {"sharpness": 5}}, "got senses with joints=.*, expected a Sense"),
        ({"joints": {"noise": -1}}, "got a sense with noise=-1, expected a number from 0 or more"),
        ({"joints": {"noise": "5"}}, "got a sense with noise='5', expected a number"),
        ({"joints": {"noise": float("nan")}}, "got a sense with noise=nan, expected a number"),
        (
            {"joints": {"delay_ms": 20_000}},
            "got a sense with delay_ms=20000, expected a number of milliseconds from 0 to 10,000",
        ),
        ({"joints": {"noise": 90}}, "got 'joints' with noise=90, expected 0 to 45 degrees$"),
        ({"eye": {"noise": 5}}, "got 'eye' with noise=5, expected 0, or 0.003 to 0.25 of the 255 gray levels"),
        ({"eye": {"noise": 0.001}}, "got 'eye' with noise=0.001, expected 0, or 0.003 to 0.25"),
        ({"eye": Sense(0.02)}, "got senses with 'eye' without eye_size, expected both"),
        ({"gaze": Sense(2.0)}, "got senses with 'gaze' of a gaze that is held, expected one that turns"),
        ({"touch": Sense(2.0)}, "got senses with 'touch' without touch=True, expected both"),
        ({"touch": Sense(60.0)}, "got 'touch' with noise=60, expected 0 to 50 N$"),
    ],
)
def test_broken_senses_are_refused_in_one_line(senses: Any, wanted: str):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(UserError, match=wanted) as error:
            make("InfantArmReach-v0", senses=senses)
        assert "\n" not in str(error.value)


def test_an_age_has_senses_from_the_literature():
    assert of_age(Body(1.0))["eye"] == Sense(0.0, 204.3)
    assert of_age(Body(12.0)) == {
        "eye": Sense(0.0, 104.0),
        "joints": Sense(9.7, 19.5),
        "joint_velocities": Sense(0.0, 19.5),
    }
    assert reaching(senses="age").senses.keys() == {"joints", "joint_velocities"}
    assert babbling(senses="age", age_months=1.0).senses["eye"].delay_ms == 204.3


def test_a_body_without_age_has_no_senses_of_an_age():
    with pytest.raises(UserError, match="of the body robot.xml, which has no age, expected noise and delay of each"):
        checked_senses("age", Body(mjcf="robot.xml", joints=("elbow",)))
