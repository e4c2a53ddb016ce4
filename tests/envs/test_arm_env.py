import re
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3.common.env_checker import check_env as sb3_check

import infant_env  # noqa: F401
from infant_env.envs.arm_env import InfantArmEnv

SMALL = (36, 60)


@pytest.fixture(scope="module")
def env() -> Any:
    env = gym.make("InfantArm-v0", eye_size=SMALL)
    yield env
    env.close()


@pytest.mark.parametrize("check", [gymnasium_check, sb3_check])
def test_both_checkers_are_content(check: Any):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("InfantArm-v0", "InfantArmReachFlat-v0"):
            env = gym.make(name)
            check(env.unwrapped)
            env.close()


def test_the_id_resolves_through_the_module_too():
    env = gym.make("infant_env:InfantArm-v0", eye_size=SMALL)
    assert isinstance(env.unwrapped, InfantArmEnv)
    env.close()


def episode(env: Any, seed: int, steps: int = 20) -> list[dict[str, np.ndarray]]:
    env.action_space.seed(seed)
    observations = [env.reset(seed=seed)[0]]
    return observations + [env.step(env.action_space.sample())[0] for _ in range(steps)]


def test_a_seed_gives_the_same_episode_bit_for_bit_also_after_others(env: Any):
    first = episode(env, seed=7)
    episode(env, seed=8)
    again = episode(env, seed=7)
    other = gym.make("InfantArm-v0", eye_size=SMALL)
    elsewhere = episode(other, seed=7)
    other.close()
    for a, b, c in zip(first, again, elsewhere, strict=True):
        for key, value in a.items():
            assert value.tobytes() == b[key].tobytes() == c[key].tobytes(), key


def test_ten_thousand_random_steps_stay_within_the_spaces():
    env = gym.make("InfantArm-v0", eye_size=SMALL, max_episode_steps=250)
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(10_000):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert reward == 0
        assert not terminated
        assert env.observation_space.contains(observation), observation
        assert np.isfinite(info["hand_position"]).all()
        if truncated:
            env.reset()
    env.close()


def test_the_arm_goes_where_the_action_says(env: Any):
    body = env.unwrapped
    env.reset(seed=0, options={"joints": [0.3, 0.9, 0.0, 0.5, 0.0]})
    goal = np.array([0.9, 0.8, -0.3, 1.0, 0.5])
    for _ in range(25):
        observation, *_, info = env.step(body.action_for(goal))
    assert np.degrees(np.abs(observation["joints"] - goal)).max() < 1
    assert info["penetration"] < 0.005


def test_reset_puts_the_arm_where_it_is_told_at_rest(env: Any):
    joints = np.array([0.3, 0.4, 0.1, 1.2, -0.6])
    observation, _ = env.reset(options={"joints": joints})
    assert observation["joints"] == pytest.approx(joints, abs=1e-6)
    assert np.abs(observation["joint_velocities"]).max() == 0


def test_episodes_last_250_steps():
    env = gym.make("InfantArm-v0", eye_size=SMALL)
    env.reset(seed=0)
    ends = [env.step(np.zeros(5, np.float32))[3] for _ in range(250)]
    env.close()
    assert ends == [False] * 249 + [True]


@pytest.mark.parametrize("action", [[np.nan] * 5, [np.inf, 0, 0, 0, 0], [0.0] * 4, 0.0, [[0.0] * 5]])
def test_a_broken_action_is_refused(env: Any, action: Any):
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"expected 5 finite numbers in \[-1, 1\]"):
        env.unwrapped.step(action)


@pytest.mark.parametrize("joints", [[9.0, 0, 0, 0, 0], [np.nan] * 5, [0.0] * 4, "home"])
def test_broken_joints_are_refused(env: Any, joints: Any):
    with pytest.raises(ValueError, match="expected angles in rad within right_shoulder_flexion"):
        env.reset(options={"joints": joints})


def test_an_unknown_option_is_refused(env: Any):
    with pytest.raises(ValueError, match="'pose'.*expected 'joints'"):
        env.reset(options={"pose": [0.0] * 5})


@pytest.mark.parametrize("size", [(30, 50), (60, 20), (9000, 9000), (60.5, 100), (60,), "large", None])
def test_a_senseless_size_of_the_eye_is_refused(size: Any):
    with pytest.raises(ValueError, match=r"expected \(rows, columns\), whole numbers from 36 to 8192"):
        InfantArmEnv(eye_size=size)


@pytest.mark.parametrize("size", [(120, 160), (64, 64), (100, 60)])
def test_the_eye_may_have_any_aspect(size: tuple[int, int]):
    env = InfantArmEnv(eye_size=size)
    assert env.reset(seed=0)[0]["eye"].shape == (*size, 3)
    env.close()


@pytest.mark.parametrize(("kind", "wanted"), [({"render_mode": "ansi"}, "rgb_array"), ({"age_months": 99}, "24")])
def test_unknown_arguments_are_refused(kind: dict[str, Any], wanted: str):
    with pytest.raises(ValueError, match=wanted):
        InfantArmEnv(**kind)


def test_it_shows_itself_from_outside():
    env = gym.make("InfantArm-v0", eye_size=SMALL, render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    env.close()
    assert frame.shape == (480, 640, 3)
    assert frame.dtype == np.uint8
    assert frame.std() > 10


def rows_of(table_head: str) -> list[list[str]]:
    """The rows of the docstring's table under this head."""
    lines = InfantArmEnv.__doc__.splitlines()
    start = next(k for k, line in enumerate(lines) if table_head in line) + 2
    rows = []
    for line in lines[start:]:
        if not line.strip().startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip().strip("|").split("|")])
    return rows


def test_the_documented_actions_are_the_environment_s(env: Any):
    body = env.unwrapped.arm
    low, high = np.degrees(body.joint_ranges.T)
    documented = rows_of("| Num | Joint")
    assert [row[1] for row in documented] == list(body.joint_names)
    assert [float(row[2]) for row in documented] == pytest.approx(low.tolist(), abs=0.051)
    assert [float(row[3]) for row in documented] == pytest.approx(high.tolist(), abs=0.051)


def test_the_documented_observations_are_the_environment_s():
    env = InfantArmEnv()
    documented = {row[0]: (row[1], row[2]) for row in rows_of("| Key | Shape | Type")}
    assert documented == {k: (str(s.shape), str(s.dtype)) for k, s in env.observation_space.spaces.items()}
    _, info = env.reset(seed=0)
    assert {row[0]: row[1] for row in rows_of("| Key | Shape | Unit")} == {k: str(np.shape(v)) for k, v in info.items()}
    env.close()


def test_the_documented_arguments_are_the_constructor_s():
    import inspect

    parameters = dict(list(inspect.signature(InfantArmEnv.__init__).parameters.items())[1:])
    assert {row[0]: row[1] for row in rows_of("| Argument | Default")} == {
        k: str(p.default) for k, p in parameters.items()
    }


def test_the_documented_limits_are_registered():
    spec = gym.spec("InfantArm-v0")
    assert re.search(rf"truncated after {spec.max_episode_steps} steps", InfantArmEnv.__doc__)
    assert InfantArmEnv.metadata["render_fps"] == 25
