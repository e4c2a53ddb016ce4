"""Environments of the left arm, of both arms, and of wrists: spaces, checkers, and the vector environments."""

import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import UserError

SMALL = (36, 60)
KINDS: list[dict[str, Any]] = [
    {"arms": "left"},
    {"arms": "both"},
    {"wrist": True},
    {"arms": "both", "wrist": True, "eyes": "both", "gaze": "head", "senses": "age"},
]


def name_of(kind: dict[str, Any]) -> str:
    return "-".join(map(str, kind.values()))


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_both_checkers_are_content(check: Any, name: str, kind: dict[str, Any]):
    env = gym.make(name, eye_size=SMALL, **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
@pytest.mark.parametrize(
    ("name", "more"),
    [("InfantArm-v0", {"eye_size": SMALL}), ("InfantArmReach-v0", {}), ("InfantArmReach-v0", {"goal": "joints"})],
    ids=["babbling", "hand", "joints"],
)
def test_many_infants_do_what_each_does_alone(name: str, more: dict[str, Any], kind: dict[str, Any]):
    many = gym.make_vec(name, 3, **kind, **more)
    single = [gym.make(name, **kind, **more) for _ in range(3)]
    together, info = many.reset(seed=5)
    alone = [env.reset(seed=5 + i) for i, env in enumerate(single)]
    for action in np.random.default_rng(0).uniform(-1, 1, (20, *many.action_space.shape)).astype(np.float32):
        for i, (observation, own) in enumerate(alone):
            assert all(np.array_equal(together[key][i], value) for key, value in observation.items())
            assert all(np.array_equal(info[key][i], value) for key, value in own.items())
        together, *_, info = many.step(action)
        alone = [(step[0], step[-1]) for step in (env.step(one) for env, one in zip(single, action, strict=True))]


@pytest.mark.parametrize("months", [1.0, 12.0, 24.0])
@pytest.mark.parametrize("kind", [{"arms": "both"}, {"arms": "both", "wrist": True}, {"arms": "left"}], ids=name_of)
def test_observations_stay_in_their_space(kind: dict[str, Any], months: float):
    env = gym.make_vec("InfantArmReach-v0", 4, age_months=months, **kind)
    space = env.unwrapped.single_observation_space
    env.reset(seed=0)
    random = np.random.default_rng(0)
    for _ in range(250):
        observation, *_ = env.step(np.sign(random.uniform(-1, 1, env.action_space.shape)).astype(np.float32))
        assert all(space.contains({key: value[i] for key, value in observation.items()}) for i in range(4))


def test_infos_name_both_hands_only_if_both_move():
    for arms, names in (("right", []), ("left", []), ("both", ["left_hand_position"])):
        for make in (gym.make, lambda *given, **kind: gym.make_vec(*given, 2, **kind)):
            env = make("InfantArm-v0", arms=arms, eye_size=SMALL)
            info = env.reset(seed=0)[1]
            found = {key for key in info if not key.startswith("_")}
            assert found == {"hand_position", "penetration", *names}
            assert env.step(env.action_space.sample())[-1].keys() == info.keys()


@pytest.mark.parametrize("make", [gym.make, lambda name, **kind: gym.make_vec(name, 1, **kind)], ids=["one", "many"])
def test_each_hand_can_be_the_one_that_reaches(make: Any):
    first, right, left = (make("InfantArmReach-v0", arms="both", hand=hand) for hand in (None, "right", "left"))
    starts = [np.concatenate([each.ravel() for each in env.reset(seed=2)[0].values()]) for env in (first, right, left)]
    assert np.array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[1], starts[2])
    for env, side in ((right, -1), (left, 1)):
        shoulder = env.unwrapped.task.goal_space.low[1] + env.unwrapped.task.goal_space.high[1]
        assert shoulder * side > 0  # the goals lie around the hand's own shoulder
        observation = env.reset(seed=2)[0]
        for _ in range(24):
            observation, reward, *_ = env.step(env.unwrapped.action_for(env.unwrapped.goal_joints))
        distance = np.linalg.norm(observation["achieved_goal"] - observation["desired_goal"])
        assert distance < 0.02
        assert reward == 0


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_given_place_is_reached_by_the_hand_that_must(side: str):
    env: Any = gym.make("InfantArmReach-v0", arms="both", hand=side).unwrapped
    env.reset(seed=0)
    arm, data = env.arm, env.arm.new_data()
    for seed in range(5):
        arm.place(data, arm.valid_pose(data, np.random.default_rng(seed)))
        place = arm.hand_position(data, side)
        env.reset(seed=0, options={"goal": place})
        arm.place(data, env.goal_joints)
        assert np.linalg.norm(arm.hand_position(data, side) - place) < 0.005
    with pytest.raises(UserError, match="out of reach"):
        env.reset(options={"goal": place * [1, -4, 1]})


def test_a_goal_s_picture_shows_the_hand_that_must_reach():
    env: Any = gym.make("InfantArmReach-v0", arms="both", hand="left", eye_size=(60, 100), goal_eye=True).unwrapped
    for seed in range(3):
        env.reset(seed=seed)
        data = env.arm.new_data()
        env.arm.place(data, env.goal_joints)
        assert env._eyes.cameras[0].in_view(data)[2] >= 0.003


def test_a_pickled_environment_goes_on_as_the_original():
    env = gym.make_vec("InfantArm-v0", 2, arms="both", eye_size=SMALL)
    env.reset(seed=0)
    action = env.action_space.sample()
    again = pickle.loads(pickle.dumps(env))
    first, second = env.step(action), again.step(action)
    assert all(np.array_equal(first[0][key], second[0][key]) for key in first[0])
    assert np.array_equal(first[-1]["left_hand_position"], second[-1]["left_hand_position"])
    assert gym.make(gym.make("InfantArm-v0", arms="both", eye_size=SMALL).spec).unwrapped.arm.body.arms == "both"
