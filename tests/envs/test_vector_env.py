from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

import infant_env  # noqa: F401
from infant_env.body.model import ArmModel

SMALL = (36, 60)


def many(infants: int = 3, **kind: Any) -> Any:
    kind = {"autoreset_mode": AutoresetMode.SAME_STEP, **kind}
    return gym.make_vec("InfantArmReach-v0", infants, vectorization_mode="vector_entry_point", **kind)


def one_by_one(infants: int = 3, **kind: Any) -> Any:
    """Single environments, by Gymnasium."""
    mode = {"autoreset_mode": AutoresetMode.SAME_STEP}
    return gym.make_vec("InfantArmReach-v0", infants, vectorization_mode="sync", vector_kwargs=mode, **kind)


def assert_same_bits(a: Any, b: Any) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same_bits(a[key], b[key])
    elif isinstance(a, tuple) or (isinstance(a, np.ndarray) and a.dtype == object):
        for mine, other in zip(a, b, strict=True):
            assert_same_bits(mine, other)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    else:
        assert a is b is None


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"goal": "joints", "reward": "dense", "threshold": 0.5},
        {"age_months": 3.0, "max_episode_steps": 7},
        {"eye_size": SMALL},
    ],
    ids=str,
)
def test_many_infants_live_through_the_same_as_single_ones(kind: dict[str, Any]):
    together, singly = many(**kind), one_by_one(**kind)
    assert (together.observation_space, together.action_space) == (singly.observation_space, singly.action_space)
    assert_same_bits(together.reset(seed=3), singly.reset(seed=3))
    random = np.random.default_rng(0)
    for _ in range(60):
        actions = random.uniform(-1.2, 1.2, (3, 5)).astype(np.float32)
        assert_same_bits(together.step(actions), singly.step(actions))
    states = [env.unwrapped.data for env in singly.envs]
    assert_same_bits(together._qpos.copy(), np.array([data.qpos for data in states]))
    assert_same_bits(together._qvel.copy(), np.array([data.qvel for data in states]))
    together.close()
    singly.close()


def test_infants_that_end_at_different_steps_do_not_disturb_each_other():
    together, singly = many(), one_by_one()
    for env in (together, singly):
        env.reset(seed=0)
    random = np.random.default_rng(1)
    for step in range(60):
        if step == 10:
            together._steps[1] += 9
            singly.envs[1]._elapsed_steps += 9
        actions = random.uniform(-1, 1, (3, 5)).astype(np.float32)
        assert_same_bits(together.step(actions), singly.step(actions))


def test_options_go_to_all_or_to_each():
    together, singly = many(goal="joints"), one_by_one(goal="joints")
    goal = np.array([0.9, 0.8, -0.3, 1.0, 0.5])
    assert_same_bits(together.reset(seed=1, options={"goal": goal}), singly.reset(seed=1, options={"goal": goal}))
    starts = np.array([goal, goal - 0.05, goal + 0.05])
    observations, _ = together.reset(options={"joints": starts, "goal": goal})
    assert observations["observation"][:, :5] == pytest.approx(starts)
    assert observations["desired_goal"] == pytest.approx(np.tile(goal, (3, 1)))


def test_seeds_go_to_each_or_count_up():
    env = many()
    a, b = env.reset(seed=4)[0], env.reset(seed=[4, 5, 6])[0]
    assert_same_bits(a, b)
    c = env.reset(seed=[None, 5, None])[0]
    assert c["observation"][1].tolist() == a["observation"][1].tolist()
    assert c["observation"][0].tolist() != a["observation"][0].tolist()


def test_what_it_gives_is_the_caller_s():
    env = many()
    observations, _ = env.reset(seed=0)
    kept = {key: values.copy() for key, values in observations.items()}
    env.step(np.ones((3, 5), np.float32))
    assert_same_bits(observations, kept)


def test_any_number_of_threads_gives_the_same_bits():
    one, two = many(8, threads=1), many(8, threads=2)
    one.reset(seed=0), two.reset(seed=0)
    for _ in range(30):
        actions = one.action_space.sample()
        assert_same_bits(one.step(actions), two.step(actions))


def test_they_are_shown_from_outside():
    env, single = many(2, render_mode="rgb_array"), gym.make("InfantArmReach-v0", render_mode="rgb_array")
    env.reset(seed=0), single.reset(seed=0)
    action = np.full(5, 0.5, np.float32)
    env.step(np.tile(action, (2, 1))), single.step(action)
    frames = env.render()
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 2
    assert frames[0].tobytes() == single.render().tobytes()
    env.close(), single.close()


def test_another_arm_s_reach_together_as_singly(tmp_path: Any):
    (tmp_path / "planar.xml").write_text("""<mujoco><worldbody><camera name="eye" pos="0 0 .7"/>
      <body name="post"><joint name="sway" axis="0 0 1" range="-10 10" stiffness="1" damping=".1"/><geom size=".02"/>
      <body name="upper"><joint name="shoulder" axis="0 0 1" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03"/>
      <body name="lower" pos=".2 0 0"><joint name="elbow" axis="0 0 1" range="0 150"/>
      <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" contype="0"/></body></body></body></worldbody></mujoco>""")
    arm = ArmModel.from_mjcf(tmp_path / "planar.xml", ["shoulder", "elbow"], "eye", ["upper", "lower"])
    together, singly = many(arm=arm), one_by_one(arm=arm)
    assert_same_bits(together.reset(seed=3), singly.reset(seed=3))
    for _ in range(30):
        actions = together.action_space.sample()
        assert_same_bits(together.step(actions), singly.step(actions))


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ({"goal": "image"}, "expected one of"),
        ({"render_mode": "ansi"}, "rgb_array"),
        ({"autoreset_mode": "sometimes"}, "expected one of"),
        ({"infants": 0}, "num_envs=0, expected 1 or more"),
        ({"threads": -1}, "threads=-1, expected 0 or more"),
    ],
)
def test_unknown_arguments_are_refused(kind: dict[str, Any], wanted: str):
    with pytest.raises(ValueError, match=wanted):
        many(**kind)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ({"options": {"target": 1}}, "unknown reset option"),
        ({"options": {"goal": [2.0, 0, 0]}}, "out of reach"),
        (
            {"options": {"joints": np.zeros((2, 5))}},
            "got 2 rows of 'joints', expected one for all or for each of the 3 infants",
        ),
        ({"seed": [1, 2]}, "got 2 seeds"),
    ],
)
def test_a_broken_reset_is_refused(words: dict[str, Any], wanted: str):
    with pytest.raises(ValueError, match=wanted):
        many().reset(**words)


@pytest.mark.parametrize("actions", [np.zeros(5), np.zeros((2, 5)), np.full((3, 5), np.nan), "up"])
def test_broken_actions_are_refused(actions: Any):
    env = many()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="expected 3x5 finite numbers"):
        env.step(actions)


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(ResetNeeded, match="expected reset"):
        many().step(np.zeros((3, 5)))
