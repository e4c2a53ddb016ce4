"""Tianshou: its vector environments and collectors give what Gymnasium gives, and SAC with hindsight learns in them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from plain import EPISODE, REACH, STEPS, live, some_actions

pytest.importorskip("tianshou")

import torch
from tianshou.algorithm import PPO, SAC
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.modelfree.sac import SACPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, HERVectorReplayBuffer, VectorReplayBuffer
from tianshou.env import BaseVectorEnv, DummyVectorEnv, SubprocVectorEnv
from tianshou.trainer import OffPolicyTrainerParams, OnPolicyTrainerParams
from tianshou.utils.net.common import Net, get_dict_state_decorator
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic

pytestmark = pytest.mark.ecosystem

SEED = 7
ID = f"infant_env:{REACH}"  # names the package that registers it, for processes of their own
NUMBERS = ["observation", "achieved_goal", "desired_goal"]
VECTORS = {
    "one process": DummyVectorEnv,
    "processes": partial(SubprocVectorEnv, context="spawn"),  # a fork cannot render once its parent has
    "shared memory": partial(SubprocVectorEnv, context="spawn", share_memory=True),
}
ADAM = AdamOptimizerFactory(lr=1e-3)
DICT, SIZE = get_dict_state_decorator({"observation": 10, "achieved_goal": 3, "desired_goal": 3}, NUMBERS)


def many(vector: Callable[..., BaseVectorEnv] = DummyVectorEnv, name: str = ID, **kind: Any) -> BaseVectorEnv:
    return vector([partial(gym.make, name, **kind) for _ in range(3)])


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
@pytest.mark.parametrize("kind", [{"reward": "dense"}, {"eye_size": (36, 60)}], ids=str)
def test_each_of_many_lives_through_the_same_as_in_gymnasium(
    vector: Callable[..., BaseVectorEnv], kind: dict[str, Any]
):
    envs, actions = many(vector, **kind), some_actions(3)
    lived = [live(actions[infant], SEED + infant, **kind) for infant in range(3)]
    seen = [envs.reset(infant, seed=SEED + infant)[0][0] for infant in range(3)]
    for step in range(STEPS):
        for infant in range(3):
            assert all(np.array_equal(seen[infant][key], values[step]) for key, values in lived[infant].seen.items())
        came, rewards, terminated, truncated, infos = envs.step(actions[:, step])
        for infant in range(3):
            assert all(np.array_equal(came[infant][key], values[step]) for key, values in lived[infant].came.items())
        assert rewards.tolist() == [one.rewards[step] for one in lived]
        assert truncated.tolist() == [one.ends[step] for one in lived]
        assert not terminated.any()
        assert infos[0].keys() == {"is_success", "distance", "env_id"}
        seen = envs.reset()[0] if truncated.all() else came
    envs.close()


def test_a_collector_s_buffer_holds_what_was_lived_through():
    envs = many(reward="dense")
    collector = Collector(sac(envs), envs, VectorReplayBuffer(300, 3))
    collector.reset_env({"seed": SEED})
    stats = collector.collect(n_step=3 * STEPS, random=True)
    assert stats.n_collected_steps == 3 * STEPS
    assert stats.lens.tolist() == [EPISODE] * 3
    for buffer in collector.buffer.buffers:
        lived = live(buffer.act[:STEPS], SEED, reward="dense")
        for key in NUMBERS:
            np.testing.assert_array_equal(buffer.obs[key][:STEPS], lived.seen[key], strict=True)
            np.testing.assert_array_equal(buffer.obs_next[key][:STEPS], lived.came[key], strict=True)
        np.testing.assert_array_equal(buffer.rew[:STEPS], lived.rewards)
        np.testing.assert_array_equal(buffer.truncated[:STEPS], lived.ends)
        assert not buffer.terminated.any()
    collector.close()


def test_sac_learns_with_hindsight():
    torch.manual_seed(0)
    envs = many(reward="dense")
    reward = gym.make(ID, reward="dense").unwrapped.compute_reward
    buffer = HERVectorReplayBuffer(
        1_000, 3, compute_reward_fn=lambda achieved, desired: reward(achieved, desired, {}), horizon=EPISODE, future_k=4
    )
    algorithm = sac(envs)
    collector = Collector(algorithm, envs, buffer)
    collector.reset()
    collector.collect(n_step=6 * EPISODE, random=True)
    assert_it_learns(
        algorithm,
        OffPolicyTrainerParams(
            training_collector=collector,
            max_epochs=1,
            epoch_num_steps=6 * EPISODE,
            collection_step_num_env_steps=3 * EPISODE,
            batch_size=64,
            **QUIET,
        ),
    )
    rewritten, _ = buffer.sample(64)
    apart = reward(rewritten.obs_next.achieved_goal, rewritten.obs_next.desired_goal, {})
    np.testing.assert_allclose(rewritten.rew, apart, rtol=1e-6)
    assert (rewritten.rew > -1e-6).any()  # some desire what they achieved
    assert (rewritten.rew < -0.05).any()
    collector.close()


def test_ppo_learns_in_flat_infants():
    torch.manual_seed(0)
    envs = many(name="infant_env:InfantArmReachFlat-v0", reward="dense")
    hidden = {"state_shape": (16,), "hidden_sizes": [64, 64]}
    actor = ContinuousActorProbabilistic(preprocess_net=Net(**hidden), action_shape=(5,), unbounded=True)
    policy = ProbabilisticActorPolicy(
        actor=actor,
        dist_fn=lambda loc_scale: torch.distributions.Independent(torch.distributions.Normal(*loc_scale), 1),
        action_space=envs.action_space[0],
        action_scaling=False,
        action_bound_method=None,
    )
    algorithm = PPO(policy=policy, critic=ContinuousCritic(preprocess_net=Net(**hidden)), optim=ADAM, gamma=0.7)
    collector = Collector(algorithm, envs, VectorReplayBuffer(300, 3))
    assert_it_learns(
        algorithm,
        OnPolicyTrainerParams(
            training_collector=collector,
            max_epochs=1,
            epoch_num_steps=6 * EPISODE,
            collection_step_num_env_steps=3 * EPISODE,
            update_step_num_repetitions=4,
            batch_size=64,
            **QUIET,
        ),
    )
    collector.close()


QUIET: dict[str, Any] = {"test_collector": None, "verbose": False, "show_progress": False}


def sac(envs: BaseVectorEnv) -> SAC:
    net = DICT(Net)
    policy = SACPolicy(
        actor=ContinuousActorProbabilistic(
            preprocess_net=net(state_shape=SIZE, hidden_sizes=[64, 64]),
            action_shape=(5,),
            unbounded=True,
            conditioned_sigma=True,
        ),
        action_space=envs.action_space[0],
        action_scaling=False,
    )
    critic = DICT(ContinuousCritic)(
        preprocess_net=Net(state_shape=SIZE, action_shape=(5,), hidden_sizes=[64, 64], concat=True)
    )
    return SAC(policy=policy, policy_optim=ADAM, critic=critic, critic_optim=ADAM, gamma=0.7, tau=0.02, alpha=0.002)


def assert_it_learns(algorithm: SAC | PPO, params: OffPolicyTrainerParams | OnPolicyTrainerParams) -> None:
    """Tianshou's own trainer changes every parameter of the actor, and leaves numbers."""
    before = [parameter.detach().clone() for parameter in algorithm.policy.actor.parameters()]
    stats = algorithm.run_training(params)
    assert stats.train_step == params.max_epochs * params.epoch_num_steps
    after = list(algorithm.policy.actor.parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(parameter.isfinite().all() for parameter in after)
