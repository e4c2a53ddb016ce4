"""`infant-arm train-rl`: reinforcement learning on the infant's arm, with and without what it has learned by babbling."""

from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3 import PPO, SAC, TD3, HerReplayBuffer
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import configure
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from agents.tools.files import write_json
from infant_env.errors import UserError

from ..runs import folder as runs
from ..runs.device import threads
from . import film as rl_film
from . import table as rl_table
from .config import ALGORITHMS, Config
from .setup import EPISODE, GAMMA, Act, Setup, distances
from .watch import Watch, resume

RESULT = "result.json"
_ENTROPY = 0.002  # fixed: left to itself it keeps so much noise that the hand never rests within 2 cm
_UPDATES = 4  # for each transition, of 128 others: .97 of 400 other goals < 2 cm; one of 512 .94, two of 256 .96


def run(config: Config) -> dict[str, Any]:
    """Learns with every seed, prints the table of all that was learned in this run, and gives its rows."""
    runs.record_config(config.run, f"train-rl {config.folder.name}", config)
    setup = Setup(config)
    with threads(config.threads):
        for seed in range(config.seed, config.seed + config.seeds):
            _one_seed(config, setup, seed)
    rows = rl_table.collected(config.run)
    print(rl_table.summary(rows))
    return rows


def _one_seed(config: Config, setup: Setup, seed: int) -> None:
    folder = config.folder / f"seed{seed}"
    _same_settings(config, folder)
    if (folder / RESULT).exists():
        print(f"{folder} is done already")
        return
    judging = setup.judging()
    if config.learns:
        watch, act = _learned(config, setup, seed, folder, judging)
        judgments, seconds = watch.judgments, watch.seconds
    else:
        act = setup.unlearned(judging, seed)
        judgments, seconds = [{"steps": 0, "seconds": 0, **_judged(config, judging, act)}], 0.0
    if config.video and seed == config.seed:
        rl_film.film(config.run / "videos" / f"rl_{config.folder.name}.mp4", setup, act)
    judging.close()
    write_json(
        folder / RESULT,
        {
            "judgments": judgments,
            "seconds": seconds,
            "model_steps": setup.model_steps,
            "imagined": config.world_model == "imagined",
        },
    )


def _learned(config: Config, setup: Setup, seed: int, folder: Path, judging: VecEnv) -> tuple[Watch, Act]:
    """Learns to the end, from the newest checkpoint on."""
    env = setup.scaled(setup.learning())
    env.seed(seed)
    found = resume(folder, ALGORITHMS[config.algorithm], env)
    model, state = found or (_new(config, env, seed), {})
    logs = folder / "logs"
    model.set_logger(configure(str(logs / f"{len(list(logs.glob('*'))):03d}"), ["csv", "tensorboard"]))

    def act(observations: Any) -> Any:
        scales = model.get_vec_normalize_env()
        return model.predict(scales.normalize_obs(observations), deterministic=True)[0]

    watch = Watch(
        folder,
        lambda: _judged(config, judging, act),
        setup.real_share,
        config.judged_every,
        config.kept_every,
        config.steps,
        state,
    )
    left = round(config.steps / setup.real_share) - model.num_timesteps
    if left > 0:
        model.learn(left, callback=watch, reset_num_timesteps=found is None)
    model.get_env().close()
    return watch, act


def _new(config: Config, env: VecNormalize, seed: int) -> BaseAlgorithm:
    common: dict[str, Any] = {"policy": "MultiInputPolicy", "env": env, "seed": seed, "device": config.device}
    falling = LinearSchedule(1e-3, 1e-4, 1.0)
    common |= {"learning_rate": falling, "gamma": GAMMA, "policy_kwargs": {"net_arch": [256, 256]}}
    if config.algorithm == "PPO":
        return PPO(**common, n_steps=EPISODE, batch_size=min(400, EPISODE * env.num_envs), n_epochs=10, gae_lambda=0.9)
    off_policy: dict[str, Any] = {
        "replay_buffer_class": HerReplayBuffer,
        "replay_buffer_kwargs": {"n_sampled_goal": 4},
        "buffer_size": max(round(config.steps * env.num_envs), 1000),
        "batch_size": 128,
        "tau": 0.02,
        "learning_starts": 12 * EPISODE * env.num_envs,  # HER needs whole episodes
        "train_freq": 1,
        "gradient_steps": _UPDATES * env.num_envs,
    }
    if config.algorithm == "TD3":
        noise = NormalActionNoise(np.zeros(env.action_space.shape), np.full(env.action_space.shape, 0.2))
        return TD3(**common, **off_policy, action_noise=noise)
    return SAC(**common, **off_policy, ent_coef=_ENTROPY)


def _judged(config: Config, env: VecEnv, act: Act) -> dict[str, float]:
    """Shares of the goals that a policy comes near, and its median distance: cm, or degrees where the goals are poses."""
    unit = np.pi / 180 if config.goal == "joints" else 0.01
    ends = distances(env, act, config.goals) / unit
    near, far = rl_table.NEAR[config.goal]
    return {"near": float((ends <= near).mean()), "far": float((ends <= far).mean()), "median": float(np.median(ends))}


def _same_settings(config: Config, folder: Path) -> None:
    """Raises a UserError when a seed's folder holds what was learned with other settings; else notes these there."""
    ignored = {"seed", "seeds", "video", "kept_every", "name"}
    wanted = {name: value for name, value in runs.settings(config).items() if name not in ignored}
    there = runs.read(folder, "config.json")
    other = sorted(name for name in wanted if there and there.get(name) != wanted[name])
    if other:
        told = ", ".join(f"{name}={there.get(name)}" for name in other)
        raise UserError(
            f"{folder} was learned with {told}, now {', '.join(f'{n}={wanted[n]}' for n in other)}; give a --name"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", wanted)
