"""`InfantArmTouch-v0`: goals, rewards, scores, and that checkers and HER take it."""

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import UserError


def touching(**kind: Any) -> Any:
    return gym.make("InfantArmTouch-v0", **kind).unwrapped


@pytest.fixture(scope="module")
def env() -> Any:
    env = touching(touch=True)
    env.reset(seed=0)
    return env


def held(env: Any, steps: int = 20) -> tuple[dict[str, Any], float, dict[str, Any]]:
    """The observation, the reward and the info after the servos held the pose that touches the patch."""
    action = env.action_for(env.goal_joints)
    for _ in range(steps):
        observation, reward, _, _, info = env.step(action)
    return observation, reward, info


def test_a_patch_that_is_told_is_touched_from_the_pose_that_touches_it(env: Any):
    successes = 0
    for name in env.task.reachable[::6]:
        env.reset(options={"patch": name})
        observation, info = env.reset(options={"patch": name, "joints": env.goal_joints})
        assert info["patch"] == name == env.touch.names[observation["desired_goal"].argmax()]
        assert observation["desired_goal"].sum() == 1
        observation, reward, info = held(env)
        assert (reward, observation["achieved_goal"] @ observation["desired_goal"]) == (
            info["is_success"] - 1,
            info["is_success"],
        )
        assert (observation["touch"][observation["achieved_goal"] > 0] > 0).all()
        successes += info["is_success"]
    assert successes >= 0.9 * len(env.task.reachable[::6])


def test_the_nose_is_within_reach_and_the_other_hand_is_not(env: Any):
    assert "nose" in env.task.reachable
    assert 80 < len(env.task.reachable) < 200
    with pytest.raises(
        UserError, match="^got the patch 'left_palm_thumb_1', which no hand can reach, expected one of the"
    ):
        env.reset(options={"patch": "left_palm_thumb_1"})
    with pytest.raises(UserError, match="^got the patch 'tail', which does not exist, expected one of the"):
        env.reset(options={"patch": "tail"})


def test_a_patch_that_is_felt_is_pressed_during_the_whole_episode(env: Any):
    felt = touching(goal="felt")
    assert set(felt.observation_space.spaces) == {"observation", "touch"}
    first, info = felt.reset(seed=1, options={"patch": "nose"})
    told, _ = env.reset(seed=1, options={"patch": "nose"})
    place = felt.touch.names.index("nose")
    for _ in range(10):
        assert first["touch"][place] == told["touch"][place] + 5
        assert np.array_equal(np.delete(first["touch"], place), np.delete(told["touch"], place))
        assert felt.observation_space.contains(first)
        action = env.action_space.sample()
        (first, *_, info), (told, *_) = felt.step(action), env.step(action)
    assert info["patch"] == "nose"
    assert not hasattr(felt, "compute_reward")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_rewards_of_many_goals_are_those_of_each(env: Any, data: st.DataObject):
    bits = arrays(np.float32, (4, 525), elements=st.sampled_from([0.0, 1.0]), fill=st.just(0.0))
    achieved, desired = data.draw(bits), data.draw(bits)
    rewards = env.compute_reward(achieved, desired, None)
    assert rewards.tolist() == [
        float(any(a * d for a, d in zip(x, y, strict=True))) - 1 for x, y in zip(achieved, desired, strict=True)
    ]
    assert rewards.tolist() == [env.compute_reward(a, d, {}) for a, d in zip(achieved, desired, strict=True)]


def test_goals_of_another_body_are_refused(env: Any):
    with pytest.raises(UserError, match=r"expected the same shape \(..., 525\) for both"):
        env.compute_reward(np.zeros(3), np.zeros(3), None)


def test_scores_are_shares_of_patches_and_of_time(env: Any):
    env.reset(seed=3, options={"patch": "right_knee"})
    seen, touched = [env.task.in_view(env.data)], env.touch.touched_by_hands(env.data)[0]
    for _ in range(20):
        *_, info = env.step(env.action_for(env.goal_joints))
        touched |= env.touch.touched_by_hands(env.data)[0]
        seen.append(env.task.in_view(env.data))
        assert info["right_hand_touched"] == touched.sum() / (525 - 29)  # a hand has 29 patches
        assert info["hand_in_view"] == pytest.approx(np.mean(seen))
    assert touched.any()
    assert "left_hand_touched" not in info


def test_a_hand_is_in_view_within_15_degrees_of_the_gaze(env: Any):
    views = 0
    for seed in range(40):
        env.reset(seed=seed, options={"patch": "nose"})
        eye = env.data.camera("right_eye")
        away = env.data.geom_xpos[env.arm.hand_geoms].mean(axis=0) - eye.xpos
        angle = np.rad2deg(np.arccos(away @ -eye.xmat.reshape(3, 3)[:, 2] / np.linalg.norm(away)))
        assert env.task.in_view(env.data) == (angle <= 15)
        views += angle <= 15
    assert 0 < views < 40


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize(
    "kind",
    [{}, {"goal": "felt"}, {"touch": True, "eye_size": (36, 60), "eyes": "both", "gaze": "head", "senses": "age"}],
    ids=str,
)
def test_both_checkers_are_content(check: Any, kind: dict[str, Any]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(touching(**kind))


def test_hindsight_experience_replay_runs():
    env = gym.make("InfantArmTouch-v0")
    model = SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=HerReplayBuffer,
        learning_starts=50,
        batch_size=16,
        policy_kwargs={"net_arch": [16]},
    )
    model.learn(80)
    assert env.action_space.contains(model.predict(env.reset(seed=0)[0])[0])


def test_bad_arguments_are_refused_in_one_line():
    with pytest.raises(UserError, match=r"^got goal='seen', expected one of \['told', 'felt'\]$"):
        touching(goal="seen")
    with pytest.raises(UserError, match=r"^got touch=1, expected one of \[False, True\]$"):
        touching(touch=1)
    with pytest.raises(UserError, match="unknown reset option"):
        touching().reset(options={"goal": "nose"})
