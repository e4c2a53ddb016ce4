"""Checkpoints of a training. They hold numbers only, so that a file of somebody else cannot run code (a pickle can)."""

import shutil
import zipfile
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from torch import Tensor

from agents.tools import checkpoints, json_files
from agents.tools.files import replacing
from infant_env.errors import UserError

from ..runs.learning import Judgment

MODEL, BUFFER, EXPORT = "model.safetensors", "replay_buffer.npz", "sb3"
"""Files of a checkpoint; and the folder of a seed with copies that stable-baselines3 can read."""
_KIND = "policy in training"
_OF_0_1 = ("model.zip", "scales.pkl", "replay_buffer.pkl")
_HEADER_BYTES = 4096  # most that npz adds to an array


class Progress(Struct, frozen=True):
    """How far a training is: the header of its checkpoint."""

    timesteps: int
    """Steps that stable-baselines3 counts."""
    updates: int
    episodes: int
    recent_episodes: list[dict[str, float]]
    """Reward, length and time of the last episodes, for the log."""
    recent_successes: list[float]
    judgments: list[Judgment]
    seconds: float


def save(folder: Path, model: BaseAlgorithm, judgments: list[Judgment], seconds: float) -> None:
    """Writes a checkpoint, completely or not at all, and then removes the older ones."""
    final = folder / f"checkpoint-{model.num_timesteps}"
    if final.exists():
        return
    partial = folder / "checkpoint.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    progress = Progress(
        model.num_timesteps,
        model._n_updates,
        model._episode_num,
        list(model.ep_info_buffer),
        [float(success) for success in model.ep_success_buffer],
        judgments,
        seconds,
    )
    checkpoints.write(partial / MODEL, _KIND, _tensors(model), json_files.plain(progress))
    if isinstance(model, OffPolicyAlgorithm):
        _write_buffer(partial / BUFFER, model.replay_buffer)
    partial.rename(final)
    for older in found(folder)[:-1]:
        shutil.rmtree(older)


def found(folder: Path) -> list[Path]:
    """The checkpoints of a seed, the newest last."""
    numbered = [(path.name.removeprefix("checkpoint-"), path) for path in folder.glob("checkpoint-*")]
    return [path for _, path in sorted((int(number), path) for number, path in numbered if number.isdecimal())]


def resume(folder: Path, model: BaseAlgorithm) -> Progress | None:
    """Gives a new model the state of the newest checkpoint, its scales and replay buffer included.

    Args:
        folder: the folder of the seed.
        model: a model that was just made with the settings and the seed of the checkpoint.

    Returns:
        The progress so far; None if there is no checkpoint.

    Raises:
        UserError: the checkpoint is damaged, belongs to another observation, or was written by version 0.1.
    """
    newest = next(reversed(found(folder)), None)
    if newest is None:
        return None
    if not (newest / MODEL).exists() and any((newest / name).exists() for name in _OF_0_1):
        raise UserError(
            f"{newest} was written by version 0.1 as pickles, and to read a pickle can run code of the one who made it; "
            "give another --name to train anew, or finish this training with version 0.1"
        )
    try:
        tensors, header = checkpoints.read(newest / MODEL, _KIND)
        progress = msgspec.convert(header, Progress)
        _restore(model, tensors, progress)
        if isinstance(model, OffPolicyAlgorithm):
            _read_buffer(newest / BUFFER, model.replay_buffer)
    except Exception as error:  # numpy, zipfile and torch raise errors of many types
        reason = " ".join(str(error).split())
        raise UserError(
            f"the training cannot go on from {newest} ({reason}); delete this folder, or give another --name"
        ) from None
    return progress


def export(folder: Path, model: BaseAlgorithm) -> None:
    """Writes `sb3/model.zip` and `sb3/scales.pkl` for users of stable-baselines3. This project never reads them."""
    target = folder / EXPORT
    target.mkdir(parents=True, exist_ok=True)
    with replacing(target / "model.zip") as temporary, temporary.open("wb") as file:
        model.save(file)
    with replacing(target / "scales.pkl") as temporary:
        model.get_vec_normalize_env().save(str(temporary))


def _tensors(model: BaseAlgorithm) -> dict[str, Tensor]:
    """All networks, moments of the optimizers, and scales, by names such as `actor.optimizer/3/exp_avg`."""
    tensors: dict[str, Tensor] = {}
    for part, state in model.get_parameters().items():
        if "param_groups" in state:
            for number, moments in state["state"].items():
                tensors |= {f"{part}/{number}/{name}": moment.clone() for name, moment in moments.items()}
        else:
            tensors |= {f"{part}/{name}": weight.clone() for name, weight in state.items()}  # PPO's parts share weights
    for part, scale in _scales(model).items():
        numbers = {"mean": scale.mean, "var": scale.var, "count": scale.count}
        tensors |= {f"{part}/{name}": torch.tensor(number, dtype=torch.float64) for name, number in numbers.items()}
    return tensors


def _restore(model: BaseAlgorithm, tensors: dict[str, Tensor], progress: Progress) -> None:
    parameters = model.get_parameters()
    for part, state in parameters.items():
        own = {name.removeprefix(f"{part}/"): t for name, t in tensors.items() if name.startswith(f"{part}/")}
        if "param_groups" in state:
            state["state"] = {}
            for name, moment in own.items():
                number, moment_name = name.split("/")
                state["state"].setdefault(int(number), {})[moment_name] = moment
        else:
            parameters[part] = own
    model.set_parameters(parameters, device=model.device)
    for part, scale in _scales(model).items():
        mean, var = tensors[f"{part}/mean"].numpy(), tensors[f"{part}/var"].numpy()
        if not mean.shape == var.shape == scale.mean.shape:
            raise ValueError(f"{part} has the shape {mean.shape}, expected {scale.mean.shape}")
        scale.mean, scale.var, scale.count = mean.copy(), var.copy(), float(tensors[f"{part}/count"])
    model.num_timesteps, model._n_updates = progress.timesteps, progress.updates
    model._episode_num = progress.episodes
    model.ep_info_buffer = deque(progress.recent_episodes, model._stats_window_size)
    model.ep_success_buffer = deque(progress.recent_successes, model._stats_window_size)


def _scales(model: BaseAlgorithm) -> dict[str, RunningMeanStd]:
    """Means and variances of the observations and of the return."""
    env = model.get_vec_normalize_env()
    return {"scales.return": env.ret_rms} | {f"scales/{name}": scale for name, scale in env.obs_rms.items()}


def _arrays(buffer: HerReplayBuffer) -> dict[str, NDArray[Any]]:
    """The arrays of a replay buffer; each has one row per step, also where the buffer is not filled yet."""
    names = ("actions", "rewards", "dones", "timeouts", "ep_start", "ep_length")
    arrays = {name: getattr(buffer, name) for name in names}
    for name in ("observations", "next_observations"):
        arrays |= {f"{name}.{key}": array for key, array in getattr(buffer, name).items()}
    return arrays


def _write_buffer(path: Path, buffer: HerReplayBuffer) -> None:
    filled = {name: array[: buffer.size()] for name, array in _arrays(buffer).items()}
    with replacing(path) as temporary, temporary.open("wb") as file:  # an array at a time: no copy of the whole buffer
        np.savez(file, allow_pickle=False, position=buffer.pos, starts=buffer._current_ep_start, **filled)


def _read_buffer(path: Path, buffer: HerReplayBuffer) -> None:
    arrays = _arrays(buffer)
    _check_size(path, sum(array.nbytes + _HEADER_BYTES for array in (*arrays.values(), buffer._current_ep_start)))
    with np.load(path, allow_pickle=False) as file:
        rows, position, starts = len(file["rewards"]), int(file["position"]), file["starts"]
        for name, array in arrays.items():
            read = file[name]
            if (len(read), read.dtype, read.shape[1:]) != (rows, array.dtype, array.shape[1:]) or rows > len(array):
                raise ValueError(f"{name} has the shape {read.shape}, expected up to {array.shape}")
            array[:rows] = read
    buffer.pos, buffer.full = position, rows == buffer.buffer_size
    if position not in (range(buffer.buffer_size) if buffer.full else (rows,)):
        raise ValueError(f"got the position {position} in a buffer of {rows} steps")
    buffer._current_ep_start[:] = starts % buffer.buffer_size
    buffer.truncate_last_trajectory()  # the environment starts a new episode


def _check_size(path: Path, most: int) -> None:
    """Raises an error if a file unpacks to more bytes than a buffer can hold."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > most:
        raise ValueError(f"{path.name} holds {size:,} bytes, expected {most:,} at most")
