import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO, SAC, HerReplayBuffer
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

import infant_env  # noqa: F401
from agents.rl.sb3 import InfantVecEnv

pytestmark = pytest.mark.usefixtures("one_thread")


def many(infants: int = 4, **kind: Any) -> InfantVecEnv:
    return InfantVecEnv(gym.make_vec("InfantArmReach-v0", infants, vectorization_mode="vector_entry_point", **kind))


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return np.array_equal(a, b)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_it_gives_what_stable_baselines_own_adapter_gives(mode: AutoresetMode):
    ours, theirs = many(3, autoreset_mode=mode), DummyVecEnv([lambda: gym.make("InfantArmReach-v0")] * 3)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.seed(5) == theirs.seed(5) == [5, 6, 7]
    assert same(ours.reset(), theirs.reset())
    random = np.random.default_rng(0)
    for _ in range(55):
        actions = random.uniform(-1, 1, (3, 5)).astype(np.float32)
        (o, r, d, i), (p, s, e, j) = ours.step(actions), theirs.step(actions)
        assert same(o, p)
        assert (r.dtype, r.tolist(), d.tolist()) == (s.dtype, s.tolist(), e.tolist())
        assert all(map(same, i, j))
        assert all(map(same, ours.reset_infos, theirs.reset_infos))


def test_options_of_a_reset_reach_each_infant():
    env = many(2, goal="joints")
    goals = [np.array([0.9, 0.8, -0.3, 1.0, 0.5]), np.array([0.5, 0.8, 0.0, 0.5, 0.0])]
    env.set_options([{"goal": goal} for goal in goals])
    assert env.reset()["desired_goal"] == pytest.approx(np.array(goals))
    env.set_options([{"goal": goals[0]}, {}])
    with pytest.raises(ValueError, match="expected the same names for each infant"):
        env.reset()


def test_it_answers_for_each_infant():
    env = many(3, threshold=0.05, render_mode="rgb_array")
    env.reset()
    goals = np.zeros((7, 3), np.float32)
    (rewards,) = env.env_method("compute_reward", goals, goals, [{}] * 7, indices=[0])
    assert rewards.tolist() == [0.0] * 7
    assert env.get_attr("render_mode") == ["rgb_array"] * 3
    assert env.get_attr("action_space", indices=[1, 2]) == [env.action_space] * 2
    assert env.has_attr("goal_joints")
    assert not env.has_attr("wings")
    with pytest.raises(AttributeError):
        env.get_attr("wings")
    assert env.env_is_wrapped(Monitor) == [False] * 3
    env.set_attr("mood", "calm")
    assert env.get_attr("mood") == ["calm"] * 3
    with pytest.raises(ValueError, match="all infants are one object"):
        env.set_attr("mood", "calm", indices=[0])
    assert env.render().shape[2] == 3
    env.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_gymnasium_s_own_vector_environments_do_too(mode: AutoresetMode):
    kind: dict[str, Any] = {
        "vectorization_mode": "sync",
        "vector_kwargs": {"autoreset_mode": mode},
        "max_episode_steps": 3,
    }
    ours, theirs = InfantVecEnv(gym.make_vec("InfantArmReach-v0", 2, **kind)), many(2, max_episode_steps=3)
    assert ours.seed(1) == theirs.seed(1)
    assert same(ours.reset(), theirs.reset())
    for _ in range(7):
        (o, r, d, i), (p, s, e, j) = (env.step(np.zeros((2, 5), np.float32)) for env in (ours, theirs))
        assert same(o, p)
        assert (r.tolist(), d.tolist()) == (s.tolist(), e.tolist())
        assert all(map(same, i, j))


def test_an_environment_that_does_not_say_how_episodes_begin_again_is_refused():
    env = gym.make_vec("InfantArmReach-v0", 2)
    env.metadata = {}
    with pytest.raises(ValueError, match=r"autoreset_mode None.*gym.make_vec"):
        InfantVecEnv(env)


def test_monitor_counts_episodes():
    env = VecMonitor(many(2), info_keywords=("is_success",))
    env.reset()
    for _ in range(25):
        *_, infos = env.step(np.zeros((2, 5), np.float32))
    assert [info["episode"]["l"] for info in infos] == [25, 25]
    assert [info["episode"]["r"] <= 0 for info in infos] == [True, True]


def hindsight(env: Any) -> SAC:
    return SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": 4, "goal_selection_strategy": "future"},
        learning_starts=120,
        batch_size=32,
        buffer_size=2000,
        train_freq=4,
        policy_kwargs={"net_arch": [32]},
        seed=0,
    )


@pytest.mark.parametrize("make", [lambda: gym.make("InfantArmReach-v0"), many], ids=["one", "many"])
def test_sac_learns_from_hindsight(make: Any, tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = make()
        model = hindsight(env).learn(300)
        model.save(tmp_path / "model")
        again = SAC.load(tmp_path / "model", env=env)
    observation = model.get_env().reset()
    assert (
        again.predict(observation, deterministic=True)[0].tolist()
        == model.predict(observation, deterministic=True)[0].tolist()
    )
    returns, lengths = evaluate_policy(again, Monitor(gym.make("InfantArmReach-v0")), 3, return_episode_rewards=True)
    assert lengths == [25] * 3
    assert all(-25 <= value <= 0 for value in returns)


def test_ppo_learns_on_many_infants_with_normalized_senses(tmp_path: Path):
    env = VecNormalize(VecMonitor(many(8, reward="dense")), norm_obs_keys=["observation"])
    model = PPO(
        "MultiInputPolicy", env, n_steps=50, batch_size=100, n_epochs=2, policy_kwargs={"net_arch": [16]}, seed=0
    )
    model.learn(800)
    assert len(model.ep_info_buffer) == 32
    assert len(model.ep_success_buffer) == 32
    mean, _ = evaluate_policy(model, env, n_eval_episodes=8)
    assert np.isfinite(mean)
    env.save(tmp_path / "normalized")
    model.save(tmp_path / "model")
    VecNormalize.load(tmp_path / "normalized", VecMonitor(many(8)))
    PPO.load(tmp_path / "model").predict(env.reset())
