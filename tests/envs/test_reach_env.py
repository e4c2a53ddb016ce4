import inspect
import re
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as gymnasium_check
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as sb3_check

import infant_env  # noqa: F401
from infant_env.body.model import PENETRATION_LIMIT, ArmModel
from infant_env.envs.reach_env import InfantArmReachEnv
from infant_env.tasks.workspace import Workspace

KINDS = [(goal, reward) for goal in ("hand", "joints") for reward in ("sparse", "dense")]
SMALL = (36, 60)


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def env(request: pytest.FixtureRequest) -> Any:
    goal, reward = request.param
    return gym.make("InfantArmReach-v0", goal=goal, reward=reward)


@pytest.fixture(scope="module")
def hand_env() -> Any:
    return gym.make("InfantArmReach-v0")


@pytest.fixture(scope="module")
def joint_env() -> Any:
    return gym.make("InfantArmReach-v0", goal="joints")


@pytest.mark.parametrize("check", [gymnasium_check, sb3_check])
@pytest.mark.parametrize(("goal", "reward"), KINDS)
def test_both_checkers_are_content(check: Any, goal: str, reward: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("InfantArmReach-v0", goal=goal, reward=reward)
        check(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("check", [gymnasium_check, sb3_check])
def test_both_checkers_are_content_with_pictures_and_render_modes(check: Any):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("InfantArmReach-v0", eye_size=SMALL)
        check(env.unwrapped)
        env.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31), near=st.booleans())
def test_the_reward_is_that_of_the_goals_at_each_step(env: Any, seed: int, near: bool):
    body = env.unwrapped
    env.action_space.seed(seed)
    env.reset(seed=seed)
    for _ in range(25):
        action = body.action_for(body.goal_joints) if near else env.action_space.sample()
        observation, reward, terminated, _, info = env.step(action)
        goals = observation["achieved_goal"], observation["desired_goal"]
        assert reward == body.compute_reward(*goals, info) == body.compute_reward(*goals, {})
        assert info["is_success"] == (info["distance"] <= body.task.threshold)
        assert not terminated
        assert env.observation_space.contains(observation)


def test_rewards_of_a_batch_are_those_of_its_goals(env: Any):
    body, random = env.unwrapped, np.random.default_rng(0)
    size = body.observation_space["achieved_goal"].shape[0]
    achieved = random.uniform(-0.2, 0.2, (40, size)).astype(np.float32)
    desired = achieved + random.uniform(-0.2, 0.2, (40, size)).astype(np.float32)
    singly = [body.compute_reward(a, d, {}) for a, d in zip(achieved, desired, strict=True)]
    for infos in ([{}] * 40, np.array([{}] * 40), {}, None):
        assert body.compute_reward(achieved, desired, infos).tolist() == singly


def episode(env: Any, seed: int) -> list[bytes]:
    env.action_space.seed(seed)
    seen = [env.reset(seed=seed)[0]] + [env.step(env.action_space.sample())[0] for _ in range(25)]
    return [values.tobytes() for observation in seen for values in observation.values()]


def test_a_seed_gives_the_same_episode_bit_for_bit_also_after_others(env: Any):
    first = episode(env, 7)
    other = episode(env, 8)
    assert episode(env, 7) == first != other


def test_the_start_is_that_of_the_babbling_infant(hand_env: Any):
    babbling = gym.make("InfantArm-v0", eye_size=SMALL)
    observation, _ = hand_env.reset(seed=5)
    assert observation["observation"][:5].tolist() == babbling.reset(seed=5)[0]["joints"].tolist()
    babbling.close()


def test_goals_are_poses_that_do_not_penetrate_the_body(env: Any, arm: ArmModel):
    body = env.unwrapped
    for seed in range(30):
        observation, _ = env.reset(seed=seed)
        body.arm.place(body.data, body.goal_joints)
        assert body.arm.penetration(body.data) <= PENETRATION_LIMIT
        hand = body.arm.hand_position(body.data)
        assert observation["desired_goal"] == pytest.approx(
            hand if len(observation["desired_goal"]) == 3 else body.goal_joints
        )


def test_who_knows_the_pose_arrives(env: Any):
    body, arrived = env.unwrapped, []
    for seed in range(20):
        env.reset(seed=seed)
        for _ in range(25):
            *_, truncated, info = env.step(body.action_for(body.goal_joints))
        assert truncated
        arrived.append(info["is_success"])
    assert np.mean(arrived) >= 0.9  # 97 % of many: the body can be in the way


def test_start_and_goal_can_be_given(hand_env: Any, joint_env: Any):
    start, pose = np.array([0.3, 0.4, 0.1, 1.2, -0.6]), np.array([0.9, 0.8, -0.3, 1.0, 0.5])
    observation, _ = joint_env.reset(options={"joints": start, "goal": pose})
    assert observation["observation"][:5] == pytest.approx(start)
    assert observation["desired_goal"] == pytest.approx(pose)
    hand_env.reset(options={"joints": pose})
    place = hand_env.unwrapped.arm.hand_position(hand_env.unwrapped.data)
    observation, info = hand_env.reset(options={"joints": start, "goal": place})
    assert observation["desired_goal"] == pytest.approx(place)
    assert info["distance"] > 0.02
    for _ in range(25):
        *_, info = hand_env.step(hand_env.unwrapped.action_for(hand_env.unwrapped.goal_joints))
    assert info["distance"] < 0.01


def test_each_place_of_the_hand_is_found(arm: ArmModel):
    import mujoco

    workspace, data, random = Workspace(arm), mujoco.MjData(arm.model), np.random.default_rng(11)
    for _ in range(200):
        arm.valid_pose(data, random)
        pose, distance = workspace.nearest_pose(arm.hand_position(data), 0.005)
        assert distance <= 0.005
        assert arm.is_valid(data, pose)


@pytest.mark.parametrize(
    ("goal", "wanted"),
    [
        ([1.0, 0.0, 0.3], r"out of reach.*\d cm away, expected at most 0.5 cm"),
        ([0.05, 0.0, 0.2], "out of reach"),  # within the trunk
        ([0.1, -0.2], "3 finite numbers, m"),
        ([np.nan] * 3, "3 finite numbers, m"),
        ("there", "3 finite numbers, m"),
    ],
)
def test_a_place_out_of_reach_is_refused(hand_env: Any, goal: Any, wanted: str):
    with pytest.raises(ValueError, match=wanted) as error:
        hand_env.reset(options={"goal": goal})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("goal", "wanted"),
    [
        ([9.0, 0, 0, 0, 0], "angles in rad within right_shoulder_flexion"),
        ([0.0] * 3, "angles in rad within"),
        ([0.0, 0.0, 1.2, 2.5, 0.0], "mm deep in the body, expected at most 5 mm"),
    ],
)
def test_a_pose_out_of_reach_is_refused(joint_env: Any, goal: Any, wanted: str):
    with pytest.raises(ValueError, match=wanted):
        joint_env.reset(options={"goal": goal})


def test_an_unknown_option_is_refused(hand_env: Any):
    with pytest.raises(ValueError, match="'target'.*expected 'joints' or 'gaze' or 'goal'"):
        hand_env.reset(options={"target": [0.0] * 3})


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ({"goal": "image"}, r"goal='image', expected one of \['hand', 'joints'\]"),
        ({"reward": "shaped"}, r"reward='shaped', expected one of \['sparse', 'dense'\]"),
        ({"threshold": 0.0}, "threshold=0.0, expected"),
        ({"threshold": float("nan")}, "threshold=nan, expected"),
        ({"render_mode": "ansi"}, "rgb_array"),
        ({"eye_size": (30, 50)}, "whole numbers from 36"),
        ({"age_months": 99}, "24"),
    ],
)
def test_unknown_arguments_are_refused(kind: dict[str, Any], wanted: str):
    with pytest.raises(ValueError, match=wanted):
        InfantArmReachEnv(**kind)


def test_goals_of_a_wrong_shape_are_refused(hand_env: Any):
    with pytest.raises(ValueError, match=r"shapes \(4, 2\) and \(4, 2\), expected the same shape \(..., 3\) for both"):
        hand_env.unwrapped.compute_reward(np.zeros((4, 2)), np.zeros((4, 2)), {})
    with pytest.raises(ValueError, match="expected the same shape"):
        hand_env.unwrapped.compute_reward(np.zeros((4, 3)), np.zeros((5, 3)), {})


@pytest.mark.parametrize("action", [[np.nan] * 5, [np.inf, -np.inf, 0, 0, 0], [0.0] * 4, 0.0, "up"])
def test_a_broken_action_is_refused(hand_env: Any, action: Any):
    hand_env.reset(seed=0)
    with pytest.raises(ValueError, match=r"expected 5 finite numbers in \[-1, 1\]"):
        hand_env.unwrapped.step(action)


def test_without_pictures_nothing_is_rendered(monkeypatch: pytest.MonkeyPatch):
    from infant_env.senses.drawing import opengl

    monkeypatch.setattr(opengl, "open_context", lambda model: pytest.fail("opened OpenGL"))
    env = gym.make("InfantArmReach-v0")
    env.reset(seed=0)
    env.step(np.zeros(5, np.float32))
    env.close()


def rows_of(table_head: str) -> list[list[str]]:
    """The rows of the docstring's table under this head."""
    lines = inspect.getdoc(InfantArmReachEnv).splitlines()
    start = next(k for k, line in enumerate(lines) if table_head in line) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def test_the_documented_observations_are_the_environment_s(hand_env: Any):
    documented = {row[0]: (row[1], row[2]) for row in rows_of("| Key | Shape | Type")}
    assert documented == {k: (str(s.shape), str(s.dtype)) for k, s in hand_env.observation_space.spaces.items()}
    _, info = hand_env.reset(seed=0)
    assert {row[0]: row[1] for row in rows_of("| Key | Shape | Unit")} == {k: str(np.shape(v)) for k, v in info.items()}


def test_the_documented_arguments_are_the_constructor_s():
    parameters = dict(list(inspect.signature(InfantArmReachEnv.__init__).parameters.items())[1:])
    documented = {row[0]: row[1].strip('"') for row in rows_of("| Argument | Default")}
    assert documented == {k: str(p.default) for k, p in parameters.items()}


def test_the_documented_limits_are_registered():
    limit = gym.spec("InfantArmReach-v0").max_episode_steps
    assert re.search(rf"Truncated after {limit} steps", InfantArmReachEnv.__doc__)
