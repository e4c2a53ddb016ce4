"""skrl: what its wrapper gives is what Gymnasium gives, flattened, and its SAC and PPO learn in it.

Of many infants skrl takes what `step` returns for what came of it, whichever way they reset themselves.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from plain import EPISODE, REACH, STEPS, flat, live, some_actions

pytest.importorskip("skrl")

import torch
from skrl.agents.torch.ppo import PPO
from skrl.agents.torch.sac import SAC
from skrl.envs.wrappers.torch import Wrapper, wrap_env
from skrl.envs.wrappers.torch.gymnasium_envs import GymnasiumWrapper
from skrl.memories.torch import RandomMemory
from skrl.models.torch import Model
from skrl.resources.preprocessors.torch import RunningStandardScaler
from skrl.trainers.torch import SequentialTrainer
from skrl.utils import set_seed
from skrl.utils.model_instantiators.torch import deterministic_model, gaussian_model

pytestmark = pytest.mark.ecosystem

SEED = 7
FELT = ", ".join(f'OBSERVATIONS["{key}"]' for key in ("observation", "achieved_goal", "desired_goal"))


def native(**kind: Any) -> gym.vector.VectorEnv:
    return gym.make_vec(REACH, 3, **kind)


def native_same_step(**kind: Any) -> gym.vector.VectorEnv:
    return gym.make_vec(REACH, 3, autoreset_mode=AutoresetMode.SAME_STEP, **kind)


def sync(**kind: Any) -> gym.vector.VectorEnv:
    return gym.make_vec(REACH, 3, vectorization_mode="sync", **kind)


MANY = {"sync": sync, "native": native, "native, same step": native_same_step}


def wrapped(env: gym.Env | gym.vector.VectorEnv) -> Wrapper:
    set_seed(SEED)  # with which skrl's wrapper resets first
    return wrap_env(env, verbose=False)


def network(inputs: str = FELT) -> list[dict[str, Any]]:
    return [{"name": "net", "input": f"concatenate([{inputs}])", "layers": [64, 64], "activations": "relu"}]


@pytest.mark.parametrize("name", [REACH, "InfantArm-v0"])
def test_skrl_takes_each_for_gymnasium_s(name: str):
    kind = {"eye_size": (36, 60)}
    for env in (gym.make(name, **kind), gym.make(name, **kind).unwrapped, gym.make_vec(name, 2, **kind)):
        assert isinstance(wrapped(env), GymnasiumWrapper)
        env.close()


@pytest.mark.parametrize("kind", [{}, {"goal": "joints", "reward": "dense"}], ids=str)
def test_one_infant_lives_through_the_same_as_in_gymnasium(kind: dict[str, Any]):
    env, (actions,) = wrapped(gym.make(REACH, **kind)), some_actions()
    lived = live(actions, SEED, **kind)
    observation, _ = env.reset()
    for step, action in enumerate(actions):
        assert observation.tolist() == [flat(lived.seen)[step].tolist()]
        observation, reward, terminated, truncated, _ = env.step(torch.from_numpy(action)[None])
        assert observation.tolist() == [flat(lived.came)[step].tolist()]
        assert reward.tolist() == [[np.float32(lived.rewards[step])]]
        assert (terminated.item(), truncated.item()) == (False, lived.ends[step])
        if truncated:
            observation, _ = env.reset()
    env.close()


@pytest.mark.parametrize("make", MANY.values(), ids=MANY)
def test_each_of_many_lives_through_the_same_as_in_gymnasium(make: Callable[..., gym.vector.VectorEnv]):
    env, actions = wrapped(make(reward="dense")), some_actions(3)
    lived = [live(actions[infant], SEED + infant, reward="dense") for infant in range(3)]
    same_step = env.unwrapped.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    observations, _ = env.reset()
    assert observations.tolist() == [flat(one.seen)[0].tolist() for one in lived]
    for step in range(STEPS):
        if step == EPISODE and not same_step:  # this step only resets
            observations, rewards, *_ = env.step(torch.zeros(3, 5))
            assert observations.tolist() == [flat(one.seen)[step].tolist() for one in lived]
            assert not rewards.any()
        observations, rewards, terminated, truncated, _ = env.step(torch.from_numpy(actions[:, step]))
        new = step == EPISODE - 1 and same_step  # what comes is then the next episode's
        came = [flat(one.seen)[step + 1] if new else flat(one.came)[step] for one in lived]
        assert observations.tolist() == [one.tolist() for one in came]
        assert rewards.flatten().tolist() == [np.float32(one.rewards[step]) for one in lived]
        assert truncated.flatten().tolist() == [one.ends[step] for one in lived]
        assert not terminated.any()
    env.close()


def test_many_are_shown():
    env = wrapped(gym.make_vec(REACH, 2, render_mode="rgb_array"))
    env.reset()
    frames = env.render()
    for infant in range(2):
        single = gym.make(REACH, render_mode="rgb_array")
        single.reset(seed=SEED + infant)
        np.testing.assert_array_equal(frames[infant], single.render(), strict=True)
        single.close()
    env.close()


def ready(models: dict[str, Model]) -> dict[str, Model]:
    for role, model in models.items():
        model.init_state_dict(role=role)
    return models


def learn(agent: SAC | PPO, env: Wrapper, steps: int) -> None:
    """Trains with skrl's own trainer; raises an AssertionError when a parameter of the policy stays as it was."""
    before = [parameter.detach().clone() for parameter in agent.models["policy"].parameters()]
    cfg = {"timesteps": steps, "headless": True, "disable_progressbar": True, "close_environment_at_exit": False}
    SequentialTrainer(env=env, agents=agent, cfg=cfg).train()
    after = list(agent.models["policy"].parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(parameter.isfinite().all() for parameter in after)
    env.close()


@pytest.mark.parametrize("make", [lambda **kind: gym.make(REACH, **kind), *MANY.values()], ids=["single", *MANY])
def test_sac_learns_in_it(make: Callable[..., Any], tmp_path: Path):
    env = wrapped(make(reward="dense"))
    spaces = {"observation_space": env.observation_space, "action_space": env.action_space}
    critics = ("critic_1", "critic_2", "target_critic_1", "target_critic_2")
    models = {
        name: deterministic_model(**spaces, network=network(f"{FELT}, ACTIONS"), output="ONE") for name in critics
    }
    policy = gaussian_model(**spaces, clip_actions=True, network=network(), output="tanh(ACTIONS)")
    cfg = {"discount_factor": 0.7, "learning_starts": 20, "random_timesteps": 20} | nothing_written(tmp_path)
    memory = RandomMemory(memory_size=1_000, num_envs=env.num_envs)
    learn(SAC(models=ready({"policy": policy, **models}), memory=memory, **spaces, cfg=cfg), env, 60)
    assert len(memory) == 60 * env.num_envs


@pytest.mark.parametrize("make", MANY.values(), ids=MANY)
def test_ppo_learns_in_it(make: Callable[..., gym.vector.VectorEnv], tmp_path: Path):
    env = wrapped(make(reward="dense"))
    spaces = {"observation_space": env.observation_space, "action_space": env.action_space}
    models = {
        "policy": gaussian_model(**spaces, clip_actions=True, network=network(), output="ACTIONS"),
        "value": deterministic_model(**spaces, network=network(), output="ONE"),
    }
    cfg = {"discount_factor": 0.7, "rollouts": EPISODE} | nothing_written(tmp_path)
    cfg |= {"observation_preprocessor": RunningStandardScaler, "value_preprocessor": RunningStandardScaler}
    cfg |= {
        "observation_preprocessor_kwargs": {"size": env.observation_space},
        "value_preprocessor_kwargs": {"size": 1},
    }
    memory = RandomMemory(memory_size=EPISODE, num_envs=env.num_envs)
    learn(PPO(models=ready(models), memory=memory, **spaces, cfg=cfg), env, 4 * EPISODE)


def nothing_written(folder: Path) -> dict[str, Any]:
    return {"experiment": {"directory": str(folder), "write_interval": 0, "checkpoint_interval": 0}}
