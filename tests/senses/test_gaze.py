"""A head that turns: actions, observations, frames, and the bodies that have one."""

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, Sense, UserError
from infant_env.body.description import Body

SMALL = (60, 100)
FREE: dict[str, Any] = {"eye_size": SMALL, "gaze": "head"}
KINDS = ("eyes", "head")


def looking(env: Any, yaw: float, pitch: float, steps: int = 20) -> dict[str, Any]:
    """The observation after the gaze was sent there; the arm is held where it is."""
    action = env.action_for(env.data.qpos[env.arm.qpos_ids])
    action[5:] = yaw, pitch
    for _ in range(steps):
        observation, *_ = env.step(action)
    return observation


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("yaw", "pitch"), [(1, 0), (-1, 0), (0, 1), (0, -1), (0.5, 0.5)])
def test_the_gaze_goes_where_the_action_says(yaw: float, pitch: float, kind: str):
    env: Any = gym.make("InfantArm-v0", eye_size=SMALL, gaze=kind).unwrapped
    env.reset(seed=0)
    before = env.data.camera("right_eye").xmat.reshape(3, 3) @ [0, 0, -1]
    observation = looking(env, yaw, pitch)
    np.testing.assert_allclose(np.rad2deg(observation["gaze"]), [30 * yaw, 20 * pitch], atol=0.5)
    after = env.data.camera("right_eye").xmat.reshape(3, 3) @ [0, 0, -1]
    turned = np.rad2deg([np.arctan2(axis[1], axis[0]) for axis in (before, after)])
    assert (turned[1] - turned[0]) * yaw >= 0  # the world's y axis points to the left
    assert (before[2] - after[2]) * pitch >= -1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_turned_gaze_shows_something_else_and_the_arm_moves_as_before(kind: str):
    held, free = (gym.make("InfantArm-v0", eye_size=SMALL, gaze=gaze).unwrapped for gaze in ("held", kind))
    first, second = held.reset(seed=3)[0], free.reset(seed=3)[0]
    assert np.array_equal(first["eye"], second["eye"])
    for k, action in enumerate(np.random.default_rng(0).uniform(-1, 1, (10, 5)).astype(np.float32)):
        first, *_ = held.step(action)
        second, *_ = free.step(np.append(action, np.float32([0.8, -0.5])))
        assert not np.array_equal(first["eye"], second["eye"]), k
        np.testing.assert_allclose(first["joints"], second["joints"], atol=0.02)


def test_both_eyes_turn_together_and_stay_at_their_places_in_the_head():
    env: Any = gym.make("InfantArm-v0", eye_size=SMALL, gaze="eyes", eyes="both").unwrapped
    env.reset(seed=0)
    apart = env.data.camera("left_eye").xpos - env.data.camera("right_eye").xpos
    for yaw, pitch in ((1, -1), (-0.5, 0.2)):
        looking(env, yaw, pitch)
        right, left = (env.data.camera(f"{side}_eye") for side in ("right", "left"))
        np.testing.assert_allclose(left.xmat, right.xmat, atol=2e-3)
        np.testing.assert_allclose(left.xpos - right.xpos, apart, atol=1e-3)


@pytest.mark.parametrize("eyes", ["right", "both"])
def test_eyes_that_turn_see_the_held_view_when_they_look_straight_ahead(eyes: str):
    held, free = (gym.make("InfantArm-v0", eye_size=SMALL, gaze=gaze, eyes=eyes).unwrapped for gaze in ("held", "eyes"))
    first, second = held.reset(seed=3)[0], free.reset(seed=3)[0]
    assert all(np.array_equal(first[name], second[name]) for name in held.arm.eyes)


def test_the_eye_sees_where_the_gaze_was_a_delay_ago():
    now, late = (gym.make("InfantArm-v0", senses=senses, **FREE).unwrapped for senses in (None, {"eye": Sense(0, 80)}))
    frames, seen = [now.reset(seed=3)[0]["eye"]], [late.reset(seed=3)[0]["eye"]]
    for _ in range(6):
        action = np.append(now.action_for(now.data.qpos[:5])[:5], np.float32([1.0, 1.0]))
        frames.append(now.step(action)[0]["eye"])
        seen.append(late.step(action)[0]["eye"])
    for k in range(7):
        assert np.abs(seen[k].astype(int) - frames[max(0, k - 2)]).mean() < 0.1
    assert np.abs(seen[6].astype(int) - frames[6]).mean() > 1


def test_a_held_gaze_leaves_no_trace():
    env: Any = gym.make("InfantArmReach-v0", gaze="held").unwrapped
    assert env.action_space.shape == (5,)
    assert "gaze" not in env.observation_space.spaces
    assert ArmModel.infant(gaze="held").fingerprint == ArmModel.infant().fingerprint


def test_an_action_for_joints_looks_straight_ahead():
    env: Any = gym.make("InfantArmReach-v0", gaze="head").unwrapped
    env.reset(seed=0)
    assert env.action_for(env.goal_joints).shape == (7,)
    assert env.action_for(np.stack([env.goal_joints] * 3))[:, 5:].tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
def test_both_checkers_are_content(check: Any, name: str):
    env = gym.make(name, **FREE, eyes="both", senses="age", acuity="age")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


def test_observations_stay_in_their_space():
    env = gym.make("InfantArmReach-v0", gaze="head", max_episode_steps=10**6)
    env.reset(seed=0)
    env.action_space.seed(0)
    assert all(env.observation_space.contains(env.step(env.action_space.sample())[0]) for _ in range(1000))


def test_what_cannot_turn_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"^got gaze='up', expected one of \['held', 'eyes', 'head'\]$"):
        gym.make("InfantArm-v0", gaze="up")
    with pytest.raises(
        UserError, match='of the body robot.xml, expected "held": the eye of a body from an MJCF file is fixed'
    ):
        Body(mjcf="robot.xml", joints=("elbow",), gaze="head")
    env = gym.make("InfantArm-v0", **FREE).unwrapped
    env.reset(seed=0)
    with pytest.raises(UserError, match="expected 7 finite numbers"):
        env.step(np.zeros(5, np.float32))
