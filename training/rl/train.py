"""`infant-arm train-rl`: reinforcement learning with the infant's arm, with or without the networks that babbling trained."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3 import PPO, SAC, TD3, HerReplayBuffer
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import configure
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from agents.tools import json_files
from agents.tools.files import DamagedFileError, write_json
from infant_env.errors import UserError

from ..runs import folder as runs
from ..runs.device import cluster_of, threads
from ..runs.in_turn import turn
from ..runs.learning import CONFIG, RESULT, Judgment, Learned, Result, collected, result_of
from ..runs.pool import Task, run_all
from . import checkpoint
from . import film as rl_film
from . import table as rl_table
from .callback import LearningCallback
from .config import Config
from .setup import EPISODE, GAMMA, Policy, Setup, final_distances

_ENTROPY = 0.002  # fixed: a learned entropy keeps so much noise that the hand never rests within 2 cm
_UPDATES = 4  # of 128 transitions, for each step: .97 of 400 other goals < 2 cm; 1 of 512: .94; 2 of 256: .96


def run(config: Config) -> dict[str, Learned]:
    """Trains every seed, prints the table of all policies of this run, and returns its rows."""
    setup, seeds = Setup(config), range(config.seed, config.seed + config.seeds)
    runs.record_config(config.run, f"train-rl {config.folder.name}", config)
    if cluster_of(config.cluster):
        named = ((f"seed {seed}", (config, seed)) for seed in seeds)
        tasks = [Task(name, run_seed, one, config.folder / "train-rl.log") for name, one in named]
        run_all(tasks, config.run, 1, config.cluster)
    else:
        for seed in seeds:
            _run_seed(config, setup, seed)
    rows = collected(config.run)
    print(rl_table.summary(rows))
    return rows


def run_seed(one: tuple[Config, int]) -> None:
    """Trains one seed, with the settings of all, and judges it."""
    config, seed = one
    _run_seed(config, Setup(config), seed)


def _run_seed(config: Config, setup: Setup, seed: int) -> None:
    folder = config.folder / f"seed{seed}"
    with threads(config.threads), turn(folder, "train-rl", "learns"):
        _learn(config, setup, seed, folder)


def _learn(config: Config, setup: Setup, seed: int, folder: Path) -> None:
    _check_settings(config, folder)
    if _is_done(folder):
        print(f"{folder} is done already")
        return
    judging_env = setup.judging_env()
    if config.learns:
        callback, policy = _train(config, setup, seed, folder, judging_env)
        judgments, seconds = callback.judgments, callback.seconds
    else:
        policy = setup.fixed_policy(judging_env, seed)
        judgments, seconds = [Judgment(0, 0.0, **_judge(config, judging_env, policy))], 0.0
    if config.video and seed == config.seed:
        rl_film.film(config.run / "videos" / f"rl_{config.folder.name}.mp4", setup, policy)
    judging_env.close()
    result = Result(judgments, seconds, setup.model_steps, imagined=config.world_model == "imagined")
    write_json(folder / RESULT, json_files.plain(result))


def _is_done(folder: Path) -> bool:
    try:
        return result_of(folder) is not None
    except DamagedFileError:
        return False


def _train(
    config: Config, setup: Setup, seed: int, folder: Path, judging_env: VecEnv
) -> tuple[LearningCallback, Policy]:
    """Trains to the end, beginning with the newest checkpoint."""
    env = setup.scaled(setup.training_env())
    env.seed(seed)
    model = _new_model(config, env, seed)
    before = checkpoint.resume(folder, model)
    logs = folder / "logs"
    model.set_logger(configure(str(logs / f"{len(list(logs.glob('*'))):03d}"), ["csv", "tensorboard"]))

    def policy(observations: Any) -> Any:
        scales = model.get_vec_normalize_env()
        return model.predict(scales.normalize_obs(observations), deterministic=True)[0]

    judge = partial(_judge, config, judging_env, policy)
    callback = LearningCallback(config, folder, judge, setup.real_share, before)
    left = round(config.steps / setup.real_share) - model.num_timesteps
    if left > 0:
        model.learn(left, callback=callback, reset_num_timesteps=before is None)
    checkpoint.export(folder, model)
    model.get_env().close()
    return callback, policy


def _new_model(config: Config, env: VecNormalize, seed: int) -> BaseAlgorithm:
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


def _judge(config: Config, env: VecEnv, policy: Policy) -> dict[str, float]:
    """Shares of the goals that a policy comes near, and its median distance in cm, or in degrees if the goals are poses."""
    unit = np.pi / 180 if config.goal == "joints" else 0.01
    ends = final_distances(env, policy, config.goals) / unit
    near, far = rl_table.NEAR[config.goal]
    return {"near": float((ends <= near).mean()), "far": float((ends <= far).mean()), "median": float(np.median(ends))}


def _check_settings(config: Config, folder: Path) -> None:
    """Raises a UserError if a seed's folder belongs to other settings; otherwise writes the settings into it."""
    ignored = {"seed", "seeds", "video", "kept_every", "name"}
    wanted = {name: value for name, value in runs.settings(config).items() if name not in ignored}
    used = _settings(folder)
    different = sorted(name for name in wanted if used and used.get(name) != wanted[name])
    if different:
        before, now = (", ".join(f"{name}={of.get(name)}" for name in different) for of in (used, wanted))
        raise UserError(f"{folder} was trained with {before}, now with {now}; give a --name")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, wanted)


def _settings(folder: Path) -> dict[str, Any]:
    """The settings of a seed's folder; empty if it has none."""
    try:
        return json_files.read(folder / CONFIG, dict[str, Any], "delete it and run the same command again")
    except FileNotFoundError:
        return {}
