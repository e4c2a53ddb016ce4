"""TorchRL: its environments give what Gymnasium gives, pass its own check, and can be learned in.

TorchRL 0.14 takes vector environments that reset themselves in the same step (`SAME_STEP`) only where observations are not a
dict: of a dict it loses the last observation of an episode. `autoreset_mode=DISABLED`, which it prefers, is exact.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from plain import EPISODE, REACH, STEPS, flat, live, some_actions

pytest.importorskip("torchrl")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from tensordict import TensorDict
    from tensordict.nn import InteractionType, TensorDictModule, TensorDictSequential
    from torch import nn
    from torchrl.collectors import Collector
    from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer
    from torchrl.envs import CatTensors, EnvBase, GymEnv, GymWrapper, TransformedEnv, check_env_specs
    from torchrl.modules import MLP, NormalParamExtractor, ProbabilisticActor, TanhNormal, ValueOperator
    from torchrl.objectives import SACLoss, SoftUpdate

pytestmark = [pytest.mark.ecosystem, pytest.mark.filterwarnings("ignore")]

SEED = 7
NUMBERS = ["observation", "achieved_goal", "desired_goal"]


def native(**kind: Any) -> EnvBase:
    return GymWrapper(gym.make_vec(REACH, 3, autoreset_mode=AutoresetMode.DISABLED, **kind))


def one_by_one(vectorization: str, **kind: Any) -> EnvBase:
    mode = {"autoreset_mode": AutoresetMode.DISABLED}
    return GymWrapper(gym.make_vec(REACH, 3, vectorization_mode=vectorization, vector_kwargs=mode, **kind))


SINGLE = {
    "GymEnv": lambda **kind: GymEnv(REACH, **kind),
    "GymWrapper": lambda **kind: GymWrapper(gym.make(REACH, **kind)),
}
MANY = {"sync": partial(one_by_one, "sync"), "async": partial(one_by_one, "async"), "native": native}
ALL = SINGLE | MANY


def rollout(env: EnvBase, actions: np.ndarray) -> TensorDict:
    """What happens to infants with these actions, shape (T, 5) or (N, T, 5)."""
    left = iter(torch.from_numpy(np.moveaxis(actions, -2, 0).copy()))
    return env.rollout(
        actions.shape[-2],
        lambda tensordict: tensordict.set("action", next(left)),
        auto_reset=False,
        tensordict=env.reset(seed=SEED),
        break_when_any_done=False,
    )


def assert_lived_alike(rolled: TensorDict, actions: np.ndarray, seed: int, **kind: Any) -> None:
    """One infant's rollout is that of plain Gymnasium, to the last bit."""
    lived = live(actions, seed, **kind)
    for key in lived.seen:
        np.testing.assert_array_equal(rolled[key].numpy(), lived.seen[key], strict=True)
        np.testing.assert_array_equal(rolled["next", key].numpy(), lived.came[key], strict=True)
    np.testing.assert_array_equal(rolled["next", "reward"][:, 0].numpy(), lived.rewards.astype(np.float32))
    assert rolled["next", "truncated"][:, 0].tolist() == lived.ends.tolist()
    assert not rolled["next", "terminated"].any()


@pytest.mark.parametrize("make", SINGLE.values(), ids=SINGLE)
@pytest.mark.parametrize("kind", [{}, {"goal": "joints", "reward": "dense"}, {"eye_size": (36, 60)}], ids=str)
def test_one_infant_lives_through_the_same_as_in_gymnasium(make: Callable[..., EnvBase], kind: dict[str, Any]):
    env = make(**kind)
    (actions,) = some_actions()
    assert_lived_alike(rollout(env, actions), actions, SEED, **kind)
    env.close()


@pytest.mark.parametrize("make", MANY.values(), ids=MANY)
@pytest.mark.parametrize("kind", [{}, {"reward": "dense"}, {"eye_size": (36, 60)}], ids=str)
def test_each_of_many_lives_through_the_same_as_in_gymnasium(make: Callable[..., EnvBase], kind: dict[str, Any]):
    env, actions = make(**kind), some_actions(3)
    rolled = rollout(env, actions)
    assert rolled.shape == (3, STEPS)
    for infant in range(3):
        assert_lived_alike(rolled[infant], actions[infant], SEED + infant, **kind)
    env.close()


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_torchrl_s_own_check_is_content(make: Callable[..., EnvBase]):
    env = make()
    check_env_specs(env)
    env.close()


def test_the_arm_without_a_task_passes_the_check_too():
    env = GymEnv("InfantArm-v0", eye_size=(36, 60))
    check_env_specs(env)
    assert env.rollout(3)["eye"].shape == (3, 36, 60, 3)
    env.close()


def test_flat_infants_that_reset_themselves_keep_their_last_observations():
    mode = {"autoreset_mode": AutoresetMode.SAME_STEP}
    env = GymWrapper(gym.make_vec("InfantArmReachFlat-v0", 2, vectorization_mode="sync", vector_kwargs=mode))
    actions = some_actions(2, EPISODE)
    rolled = rollout(env, actions)
    assert rolled["next", "truncated"][:, -1].all()
    for infant in range(2):
        came = flat(live(actions[infant], SEED + infant).came)
        assert rolled["next", "observation"][infant].tolist() == came.tolist()
    env.close()


@pytest.mark.parametrize("make", [SINGLE["GymEnv"], native], ids=["GymEnv", "native"])
def test_sac_learns_in_it(make: Callable[..., EnvBase]):
    torch.manual_seed(0)
    env = TransformedEnv(make(reward="dense"), CatTensors(NUMBERS, "numbers", del_keys=False))
    size = {"activation_class": nn.ReLU, "num_cells": [64, 64]}
    actor = ProbabilisticActor(
        TensorDictSequential(
            TensorDictModule(MLP(16, 10, **size), in_keys=["numbers"], out_keys=["raw"]),
            TensorDictModule(NormalParamExtractor(), in_keys=["raw"], out_keys=["loc", "scale"]),
        ),
        in_keys=["loc", "scale"],
        distribution_class=TanhNormal,
        default_interaction_type=InteractionType.RANDOM,
        spec=env.full_action_spec_unbatched["action"]
        if hasattr(env, "full_action_spec_unbatched")
        else env.action_spec,
    )
    critic = ValueOperator(MLP(21, 1, **size), in_keys=["numbers", "action"])
    loss = SACLoss(actor, critic, fixed_alpha=True, alpha_init=0.002)
    loss.make_value_estimator(gamma=0.7)
    target, optimizer = SoftUpdate(loss, tau=0.02), torch.optim.Adam(loss.parameters(), lr=1e-3)
    memory = TensorDictReplayBuffer(storage=LazyTensorStorage(2_000), batch_size=64)
    before = [parameter.detach().clone() for parameter in loss.actor_network_params.parameters()]
    critics = []
    for frames in Collector(env, actor, frames_per_batch=75, total_frames=600):
        memory.extend(frames.reshape(-1).cpu())
        for _ in range(20):
            losses = loss(memory.sample())
            total = losses["loss_actor"] + losses["loss_qvalue"]
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            target.step()
            critics.append(losses["loss_qvalue"].item())
    assert len(memory) == 600
    assert np.isfinite(critics).all()
    assert np.mean(critics[-20:]) < np.mean(critics[:20]) / 2
    after = loss.actor_network_params.parameters()
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
