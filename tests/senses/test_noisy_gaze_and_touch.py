"""Noise and delay of the gaze and of touch: what is observed, against the true states of the simulation."""

from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import infant_env  # noqa: F401 (registers the environments)
from infant_env import Sense, UserError
from infant_env.senses.noise import Noise
from infant_env.senses.skin.touch import Touch

STEP, PHYSICS, SMALL = 0.04, 0.005, (36, 60)  # s, s, pixels


def reaching(**kind: Any) -> Any:
    return gym.make("InfantArmReach-v0", max_episode_steps=10**6, gaze="eyes", **kind).unwrapped


def actions_of(steps: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1, 1, (steps, 7)).astype(np.float32)


def truth(actions: NDArray[np.float32]) -> NDArray[Any]:
    """Positions after the start and after each physics step of an infant without noise and delay."""
    env = reaching()
    env.reset(seed=0)
    states = [env.data.qpos.copy()]
    for action in actions:
        env.data.ctrl[env._servos.ctrl] = env._servos.targets(action)
        for _ in range(8):
            mujoco.mj_step(env.model, env.data)
            states.append(env.data.qpos.copy())
    return np.array(states)


def at(states: NDArray[Any], times: NDArray[Any]) -> NDArray[Any]:
    """Positions at these moments, s, between the physics steps; before the first it was at rest."""
    moments = PHYSICS * np.arange(len(states))
    return np.stack([np.interp(times, moments, column) for column in states.T], axis=1)


def observed(env: Any, actions: NDArray[np.float32], name: str) -> NDArray[Any]:
    return np.array([env.reset(seed=0)[0][name], *(env.step(action)[0][name] for action in actions)])


@settings(max_examples=10)
@given(st.floats(0.01, 400) | st.sampled_from([5.0, 40.0, 117.0, 320.0]))
def test_the_gaze_is_felt_as_it_was_a_delay_ago(delay: float):
    actions = actions_of(12)
    env = reaching(senses={"gaze": Sense(delay_ms=delay)})
    wanted = at(truth(actions)[:, env.arm.gaze.qpos_ids], STEP * np.arange(13) - delay / 1000)
    np.testing.assert_allclose(observed(env, actions, "gaze"), wanted, atol=2e-6)


def test_the_measured_noise_and_lag_of_the_gaze_are_those_that_were_set():
    delay, actions = 93.0, actions_of(10_000)
    env = reaching(senses={"gaze": Sense(noise=1.0, delay_ms=delay)})
    felt, positions = observed(env, actions, "gaze"), truth(actions)[:, env.arm.gaze.qpos_ids]
    wanted = at(positions, STEP * np.arange(len(felt)) - delay / 1000)
    np.testing.assert_allclose(np.rad2deg((felt - wanted).std(axis=0)), 1.0, rtol=0.02)
    lags = np.arange(80.0, 110.0, 0.5)
    misses = [np.square(felt - at(positions, STEP * np.arange(len(felt)) - lag / 1000)).sum() for lag in lags]
    assert lags[np.argmin(misses)] == pytest.approx(delay, rel=0.02)


@pytest.mark.parametrize("delay", [3.0, 40.0, 93.0])
def test_touch_is_felt_as_it_was_a_delay_ago(delay: float):
    actions = np.repeat(actions_of(8, seed=5), 5, axis=0)  # it presses its body at a third of the steps
    env = reaching(touch=True, senses={"touch": Sense(delay_ms=delay)})
    felt, positions = observed(env, actions, "touch"), truth(actions)
    touch, data = Touch(env.arm), env.arm.new_data()
    for forces, pose in zip(felt, at(positions, STEP * np.arange(len(felt)) - delay / 1000), strict=True):
        data.qpos[:] = pose
        mujoco.mj_fwdPosition(env.model, data)
        np.testing.assert_allclose(forces, touch.felt(data), atol=0.01)  # N; the last digits of a pose
    assert (felt > 0).any()
    assert not np.array_equal(felt, observed(reaching(touch=True), actions, "touch"))


def test_the_measured_noise_of_touch_is_the_one_that_was_set():
    steps = 10_000
    random = Noise(np.random.default_rng(0), {"touch": Sense(noise=0.5), "gaze": Sense(noise=2.0)}, 5, 2, 40)
    drawn = []
    for _ in range(steps):
        random.renew()
        drawn.append(np.concatenate([random.of("touch"), np.rad2deg(random.of("gaze"))]))  # type: ignore[list-item]
    spread = np.std(drawn, axis=0)
    np.testing.assert_allclose(spread, [0.5] * 40 + [2.0] * 2, rtol=0.03)
    assert spread[:40].mean() == pytest.approx(0.5, rel=0.005)
    independent = np.corrcoef(np.array(drawn).T) - np.eye(42)
    assert np.abs(independent).max() < 0.06
    clean = observed(reaching(touch=True), actions_of(5), "touch")
    noisy = observed(reaching(touch=True, senses={"touch": Sense(noise=0.5)}), actions_of(5), "touch")
    assert (noisy - clean).std() == pytest.approx(0.5, rel=0.05)


def test_noise_of_gaze_and_touch_leaves_the_noise_of_the_other_senses_as_it_is():
    plain, more = {"joints": Sense(3.0)}, {"joints": Sense(3.0), "gaze": Sense(2.0), "touch": Sense(1.0)}
    first, second = (observed(reaching(touch=True, senses=s), actions_of(3), "observation") for s in (plain, more))
    assert np.array_equal(first, second)


SENSES = {"gaze": Sense(3.0, 52.0), "touch": Sense(0.5, 33.0), "joints": Sense(2.0, 33.0)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("InfantArm-v0", {"eye_size": SMALL, "touch": True}),
        ("InfantArmReach-v0", {"touch": True}),
        ("InfantArmTouch-v0", {"touch": True}),
        ("InfantArmTouch-v0", {"goal": "felt"}),
    ],
)
def test_single_and_vector_environments_are_equal_to_the_bit(name: str, kind: dict[str, Any]):
    kind = {**kind, "gaze": "head", "senses": SENSES}
    many, ones = gym.make_vec(name, 2, **kind), [gym.make(name, **kind) for _ in range(2)]
    actions = actions_of(30).reshape(15, 2, 7)
    seen, _ = many.reset(seed=4)
    each = [env.reset(seed=4 + i)[0] for i, env in enumerate(ones)]
    for step in range(16):
        for i, one in enumerate(each):
            assert many.single_observation_space.contains(one)
            for key, value in one.items():
                assert np.array_equal(value, seen[key][i]), (key, step)
        if step < 15:
            seen, *_ = many.step(actions[step])
            each = [env.step(actions[step, i])[0] for i, env in enumerate(ones)]
    many.close()
    for env in ones:
        env.close()


def test_touch_that_is_not_observed_has_no_noise():
    for make in (gym.make, gym.make_vec):
        with pytest.raises(UserError, match="got senses with 'touch' without touch=True, expected both"):
            make("InfantArmTouch-v0", senses={"touch": Sense(1.0)})
