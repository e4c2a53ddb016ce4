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
LARGEST = np.deg2rad(np.float32([30, 20]))


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


def test_an_action_for_a_gaze_brings_it_there():
    env: Any = gym.make("InfantArm-v0", **FREE).unwrapped
    env.reset(seed=0)
    gaze = np.array([0.3, -0.2])
    observation, _ = env.hold(env.action_for(env.data.qpos[env.arm.qpos_ids], gaze), 20)
    np.testing.assert_allclose(observation["gaze"], gaze, atol=0.01)
    with pytest.raises(UserError, match=r"^got the gaze .*, expected 2 angles in rad$"):
        env.action_for(np.zeros(5), np.zeros(3))


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0", "InfantArmTouch-v0"])
def test_a_reset_turns_the_gaze_and_its_servos_hold_it(name: str, kind: str):
    env: Any = gym.make(name, eye_size=SMALL, gaze=kind, eyes="both").unwrapped
    straight, _ = env.reset(seed=3)
    turned, _ = env.reset(seed=3, options={"gaze": [0.4, -0.2]})
    np.testing.assert_allclose(turned["gaze"], [0.4, -0.2], atol=1e-6)
    assert not np.array_equal(turned["eye"], straight["eye"])
    assert not np.array_equal(turned["eye_left"], straight["eye_left"])
    right, left = (env.data.camera(f"{side}_eye").xmat for side in ("right", "left"))
    np.testing.assert_allclose(left, right, atol=1e-9)
    for _ in range(10):  # the targets stay where they are
        env._move(np.append(env.action_for(env.data.qpos[env.arm.qpos_ids])[:5], np.float32([0.4, -0.2]) / LARGEST))
    np.testing.assert_allclose(env.data.qpos[env.arm.gaze.qpos_ids], [0.4, -0.2], atol=0.01)
    assert env.data.ctrl[env.arm.gaze.actuator_ids] == pytest.approx([0.4, -0.2], abs=1e-6)


def test_the_next_episode_begins_with_a_straight_gaze():
    for env in (gym.make("InfantArm-v0", **FREE), gym.make_vec("InfantArm-v0", 2, **FREE)):
        env.reset(seed=0, options={"gaze": [0.1, 0.2]})
        assert not env.reset()[0]["gaze"].any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_targets_of_a_turned_gaze_are_there_from_the_start(kind: str):
    env: Any = gym.make("InfantArm-v0", eye_size=SMALL, gaze=kind).unwrapped
    env.reset(seed=0, options={"gaze": [0.5, 0.3]})
    assert env.data.ctrl[env.arm.gaze.actuator_ids].tolist() == [0.5, 0.3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0", "InfantArmTouch-v0"])
def test_many_infants_turn_their_gazes_like_single_ones(name: str, kind: str):
    made: dict[str, Any] = {"eye_size": (36, 36), "gaze": kind, "eyes": "both"}
    many: Any = gym.make_vec(name, 2, **made)
    single = [gym.make(name, **made).unwrapped for _ in range(2)]
    rows = np.array([[0.3, -0.1], [-0.5, 0.2]])
    for given, own in (({"gaze": rows}, rows), ({"gaze": [0.1, 0.3]}, [[0.1, 0.3]] * 2)):
        seen, _ = many.reset(seed=5, options=given)
        each = [env.reset(seed=5 + k, options={"gaze": own[k]})[0] for k, env in enumerate(single)]
        actions = np.random.default_rng(0).uniform(-1, 1, (3, *many.action_space.shape)).astype(np.float32)
        for action in (None, *actions):
            if action is not None:
                seen = many.step(action)[0]
                each = [env.step(row)[0] for env, row in zip(single, action, strict=True)]
            for key, values in seen.items():
                assert np.array_equal(values, np.stack([one[key] for one in each])), key


def test_the_goal_does_not_depend_on_the_first_gaze():
    env: Any = gym.make("InfantArmReach-v0", eye_size=SMALL, goal_eye=True, gaze="eyes")
    first, second = (env.reset(seed=1, options=given)[0] for given in (None, {"gaze": [0.5, 0.3]}))
    assert np.array_equal(first["goal"], second["goal"])
    assert np.array_equal(first["desired_goal"], second["desired_goal"])


@pytest.mark.parametrize("gaze", [[0.6, 0.0], [0.0, -0.4], [np.nan, 0.0], [0.1], [[0.1, 0.1]] * 3, "left", None])
def test_a_gaze_that_cannot_be_is_refused_and_the_episode_goes_on(gaze: Any):
    env: Any = gym.make("InfantArm-v0", **FREE).unwrapped
    env.reset(seed=0)
    before = env.data.qpos.copy()
    with pytest.raises(
        UserError, match=r"^got the gaze .*, expected angles in rad within gaze_yaw -0.52..0.52"
    ) as error:
        env.reset(options={"gaze": gaze})
    assert "\n" not in str(error.value)
    assert np.array_equal(env.data.qpos, before)


@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0", "InfantArmTouch-v0"])
def test_a_held_gaze_cannot_be_turned(name: str):
    for env in (gym.make(name), gym.make_vec(name, 2)):
        with pytest.raises(UserError, match=r"^got the gaze .* whose gaze is held, expected a gaze that turns"):
            env.reset(options={"gaze": [0.1, 0.1]})
