"""Writes babbled poses to shards, in one process or in many at once."""

import errno
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.babbling import NOT_TOUCHING, NOT_VISIBLE, PENETRATES, BabblingAgent
from infant_env.errors import UserError
from infant_env.senses.modalities import GAZE
from infant_env.senses.noise import noise_of
from infant_env.senses.sense import FOVEA, JOINTS
from infant_env.senses.skin.touch import TOUCH

from ..runs.device import cluster_of
from ..runs.pool import Task, run_all
from . import shards
from .info import DatasetInfo, info_of
from .recipe.recipe import Recipe


def reasons(recipe: Recipe) -> tuple[str, ...]:
    """Reasons to reject a pose, in the order of the column `rejected`."""
    return (PENETRATES, NOT_VISIBLE, NOT_TOUCHING) if recipe.touching else (PENETRATES, NOT_VISIBLE)


def agent_of(info: DatasetInfo, seed: int | None = None) -> BabblingAgent:
    """The agent that collects a data set, or with another seed other poses like it."""
    recipe = info.recipe
    seen = (
        recipe.eye_size,
        recipe.seed if seed is None else seed,
        recipe.min_arm_in_view,
        recipe.imperfect,
        recipe.acuity,
    )
    return BabblingAgent(
        info.arm, *seen, touch=recipe.touch, touching=recipe.touching, look=recipe.look, shown=recipe.displaced
    )


@dataclass(frozen=True)
class Shard:
    """A shard to collect."""

    folder: Path
    """The data set's folder."""
    about: str
    """The description of the data set, JSON."""
    number: int


def babbled(folder: Path, info: DatasetInfo, numbers: list[int], workers: int, cluster: str | None, bar: Any) -> float:
    """Collects some shards, in this process, in several or on a cluster.

    Args:
        folder: the data set's folder.
        info: its description.
        numbers: numbers of the shards.
        workers: number of processes.
        cluster: address of a Dask scheduler, see `run_all`.
        bar: the progress bar; counts poses.

    Returns:
        Processor seconds of other processes.

    Raises:
        UserError: a process was killed, or a shard could not be written; sealed shards are kept.
    """
    if min(workers, len(numbers)) <= 1 and not (numbers and cluster_of(cluster)):
        with bar, closing(agent_of(info)) as agent:
            for number in numbers:
                _collect(folder, number, info, agent, bar.update)
        return 0.0
    about, lengths = json.dumps(info.begun.as_json()), info.recipe.lengths
    tasks = [
        Task(f"shard {number}", collect_shard, Shard(folder, about, number), size=lengths[number], fresh=False)
        for number in numbers
    ]
    return run_all(tasks, folder, workers, cluster, bar)


def collect_shard(shard: Shard) -> None:
    """Collects one shard; a process that collects several of a data set makes the agent once.

    Raises:
        UserError: the shard could not be written, or nothing could be drawn.
    """
    try:
        _collect(shard.folder, shard.number, *_equipped(shard.folder.absolute(), shard.about))
    except RuntimeError as error:
        raise UserError(str(error)) from None


@lru_cache(maxsize=1)
def _equipped(folder: Path, about: str) -> tuple[DatasetInfo, BabblingAgent]:
    info = info_of(about, folder)
    return info, agent_of(info)


def _collect(
    folder: Path, number: int, info: DatasetInfo, agent: BabblingAgent, done: Callable[[], Any] = lambda: None
) -> None:
    """Babbles the poses of a shard, calls `done` after each, and seals the shard."""
    start, samples = number * info.recipe.shard_size, []
    for i in range(start, start + info.recipe.lengths[number]):
        samples.append(agent.sample(i))
        done()
    _seal(folder, number, samples, info)


def _seal(folder: Path, shard: int, samples: list[Any], info: DatasetInfo) -> None:
    columns = {
        name: np.array([getattr(sample, name) for sample in samples], dtype)
        for name, dtype in (
            ("eye", np.uint8), ("joints", np.float32), ("hand_position", np.float32),
            ("arm_in_view", np.float32), ("hand_in_view", np.float32),
        )
    }  # fmt: skip
    if info.recipe.eyes == "both":
        columns["eye_left"] = np.array([sample.eye_left for sample in samples])
    if info.recipe.fovea:
        columns[FOVEA] = np.array([sample.fovea for sample in samples])
    if info.recipe.gaze != "held":
        columns["gaze"] = np.array([sample.gaze for sample in samples])
    if info.recipe.arms == "both":
        columns["left_hand_position"] = np.array([sample.left_hand_position for sample in samples])
        columns["left_hand_in_view"] = np.array([sample.left_hand_in_view for sample in samples], np.float32)
    if noise_of(info.recipe.imperfect, JOINTS):
        columns["felt_joints"] = np.array([sample.felt_joints for sample in samples])
    if info.recipe.touch:
        columns[TOUCH] = np.array([sample.touch for sample in samples])
    for name, sense in (("felt_gaze", GAZE), ("felt_touch", TOUCH)):
        if noise_of(info.recipe.imperfect, sense):
            columns[name] = np.array([getattr(sample, name) for sample in samples])
    if info.recipe.touching:
        columns["approach"] = np.array([sample.approach for sample in samples])
    why = reasons(info.recipe)
    columns["rejected"] = np.array([[s.rejected[reason] for reason in why] for s in samples], np.int32)
    try:
        shards.write_shard(folder, shard, columns, info)
    except OSError as error:
        full = error.errno == errno.ENOSPC or "No space left" in str(error)
        hint = "free some space" if full else "mend the disk"
        raise UserError(
            f"shard {shard} could not be written to {folder} ({error}); all sealed shards are kept, {hint} and run the "
            "same command again to go on"
        ) from None
