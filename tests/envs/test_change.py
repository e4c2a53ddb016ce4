"""A body that changes while an episode goes on."""

import copy
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env
from infant_env import ArmModel, Body, BodyChange, Sense, UserError

SMALL = (60, 100)
ELBOW = "right_elbow_flexion"
CHANGE = BodyChange(forearm=1.3, rod=(0.15, 0.02))


def made(name: str = "InfantArm-v0", **options: Any) -> Any:
    return gym.make(name, **{"eye_size": SMALL} | options).unwrapped


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one | other)


def lived(env: Any, steps: int = 5, seed: int = 0) -> list[Any]:
    actions = np.random.default_rng(seed).uniform(-1, 1, (steps, *env.action_space.shape)).astype(np.float32)
    return [env.step(action)[0] for action in actions]


@pytest.mark.parametrize("body", [3.0, CHANGE, Body(20.0, change=CHANGE), {"hand": 1.2}, {"age_months": 4.0}])
def test_a_change_keeps_joints_velocities_targets_and_time(body: Any):
    env = made()
    env.reset(seed=1)
    lived(env)
    before = env.data
    env.change(body)
    for field in ("qpos", "qvel", "ctrl", "time"):
        np.testing.assert_array_equal(getattr(env.data, field), getattr(before, field))
    assert env.data is not before
    assert env.model is env.arm.model
    assert all(env.observation_space.contains(each) for each in lived(env))


def test_the_next_frame_and_hand_are_those_of_the_new_body():
    env, other = made(), made(change=CHANGE)
    _, info = env.reset(seed=1)
    pose = np.array([1.0, 0.3, 0.0, 1.0, 0.0])
    env.reset(options={"joints": pose})
    env.change(CHANGE)
    other.reset(options={"joints": pose})
    action = env.action_for(pose)
    for (one, _, _, _, mine), (two, _, _, _, theirs) in ((env.step(action), other.step(action)) for _ in range(3)):
        np.testing.assert_array_equal(one["eye"], two["eye"])
        np.testing.assert_array_equal(mine["hand_position"], theirs["hand_position"])
    assert not np.array_equal(mine["hand_position"], info["hand_position"])


def test_render_shows_the_new_body():
    env = made(render_mode="rgb_array", width=64, height=48)
    env.reset(seed=1)
    before = env.render()
    env.change(CHANGE)
    assert not np.array_equal(env.render(), before)
    env.change(None)
    np.testing.assert_array_equal(env.render(), before)


@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
def test_a_change_and_its_end_leave_the_same_bytes(name: str):
    options: dict[str, Any] = {"senses": {"joints": Sense(2.0, 50.0), "eye": Sense(0.02, 90.0)}, "goal_eye": True}
    plain, changed = (made(name, **options if "Reach" in name else {"senses": options["senses"]}) for _ in range(2))
    for env in (plain, changed):
        env.reset(seed=4)
        lived(env, 3)
    changed.change(5.0)
    changed.change(None)
    assert changed.arm is changed._first
    assert all(map(same, lived(plain, 5, 1), lived(changed, 5, 1)))


def test_a_change_lasts_for_the_next_episodes():
    env, other = made(), made(change=CHANGE)
    env.reset(seed=1)
    env.change(CHANGE)
    assert same(env.reset(seed=2)[0], other.reset(seed=2)[0])
    assert all(map(same, lived(env), lived(other)))


def test_ages_and_changes_are_changed_one_by_one():
    env = made(eyes="both")
    env.change(CHANGE)
    env.change(5.0)
    assert env.arm.body == Body(5.0, eyes="both", change=CHANGE)
    env.change(BodyChange())
    assert env.arm.body == Body(5.0, eyes="both")
    env.change(Body(7.0))
    assert env.arm.body == Body(7.0, eyes="both")
    env.change(None)
    assert env.arm.body == Body(eyes="both")


def test_a_joint_that_gets_locked_is_put_to_its_angle_and_stays_there():
    env = made()
    env.reset(seed=1)
    lived(env)
    env.change(BodyChange(locked={ELBOW: 1.0}))
    assert all(abs(each["joints"][3] - 1) < 1e-4 for each in lived(env, 30))
    observation, _ = env.reset(seed=3)
    assert observation["joints"][3] == 1
    with pytest.raises(
        UserError, match=r"expected the locked joints at their angles: \{'right_elbow_flexion': 1.0\} rad"
    ):
        env.reset(options={"joints": [0.5, 0.5, 0.0, 1.5, 0.0]})
    env.reset(options={"joints": env.arm.locked(np.array([0.9, 0.5, 0.0, 1.5, 0.0]))})


def test_goals_are_those_of_the_new_body():
    env = made("InfantArmReach-v0", goal_eye=True, eye_size=SMALL)
    before, _ = env.reset(seed=2)
    env.change(BodyChange(upper_arm=1.5))
    after, *_ = env.step(env.action_for(env.goal_joints))
    data = env.arm.new_data()
    env.arm.place(data, env.goal_joints)
    np.testing.assert_allclose(after["desired_goal"], env.arm.hand_position(data), atol=1e-6)
    assert not np.array_equal(before["desired_goal"], after["desired_goal"])
    assert not np.array_equal(before["goal"], after["goal"])
    for _ in range(15):
        _, reward, _, _, info = env.step(env.action_for(env.goal_joints))
    assert info["is_success"]
    assert reward == 0
    assert env.observation_space.contains(after)


def test_a_small_body_becomes_large_and_stays_in_its_space():
    env = made("InfantArmReach-v0", eye_size=None, age_months=1.0)
    env.reset(seed=2)
    env.change(Body(24.0, change=BodyChange(2.0, 2.0, 2.0)))
    assert all(env.observation_space.contains(each) for each in lived(env, 50))


@pytest.mark.parametrize("how", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_of_a_changed_infant_goes_on_exactly(how: Any):
    env = made(senses={"eye": Sense(0.02, 90.0)}, seen={"turn": 10.0, "delay_ms": 60.0})
    env.reset(seed=1)
    env.change(CHANGE)
    lived(env)
    twin = how(env)
    assert all(map(same, lived(env), lived(twin)))
    for each in (env, twin):
        each.change(None)
    assert all(map(same, lived(env), lived(twin)))


def test_bodies_that_penetrate_are_pushed_out_and_stay_in_their_space():
    env, random = made(), np.random.default_rng(0)
    worst = 0.0
    for k in range(40):
        env.change(None)
        env.reset(seed=k)
        env.change(Body(float(random.uniform(1, 24)), change=BodyChange(*random.uniform(0.5, 2, 3), (0.3, 0.05))))
        worst = max(worst, env.arm.penetration(env.data))
        assert all(env.observation_space.contains(each) for each in lived(env, 5, k))
    assert worst > 0.05


def test_what_cannot_be_had_is_refused_in_one_line():
    env = made()
    for body, message in (
        ("big", "got 'big' in place of a body, expected an age in months, a BodyChange, or a Body"),
        (30.0, "got age_months=30.0, expected a number from 1 to 24"),
        (True, "got True in place of a body"),
        ({"locked": {"knee": 1.0}}, "got locked joints"),
        ({"size": 2}, "got a body with"),
        (
            Body(mjcf="robot.xml", joints=("elbow",)),
            "got a change to or from the body robot.xml, expected built-in bodies",
        ),
    ):
        with pytest.raises(UserError, match=message) as error:
            env.change(body)
        assert "\n" not in str(error.value)
    assert env.arm is env._first


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
@pytest.mark.parametrize(
    "change", [{"forearm": 0.7}, {"rod": (0.2, 0.05)}, {"locked": {ELBOW: 1.0}}, {"weak": {ELBOW: 0.2}}], ids=str
)
def test_both_checkers_are_content(check: Any, name: str, change: Any):
    env = gym.make(name, eye_size=SMALL, change=change)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


def test_the_spec_makes_the_changed_infant_again():
    env = gym.make("InfantArm-v0", eye_size=SMALL, change=CHANGE, seen=infant_env.Seen(turn=10.0))
    assert env.spec is not None
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.arm.body == env.unwrapped.arm.body
    assert same(env.reset(seed=1)[0], again.reset(seed=1)[0])
    assert ArmModel.of(env.unwrapped.arm.body.as_dict()).fingerprint == env.unwrapped.arm.fingerprint
