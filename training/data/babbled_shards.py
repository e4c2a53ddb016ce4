"""Writes babbled poses to shards, in one process or in several at once."""

import errno
import multiprocessing
import multiprocessing.connection
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agents.babbling import NOT_TOUCHING, NOT_VISIBLE, PENETRATES, BabblingAgent
from infant_env.errors import UserError
from infant_env.senses.modalities import GAZE
from infant_env.senses.noise import noise_of
from infant_env.senses.sense import FOVEA, JOINTS
from infant_env.senses.skin.touch import TOUCH

from . import shards
from .info import DatasetInfo, Recipe


def reasons(recipe: Recipe) -> tuple[str, ...]:
    """Reasons to reject a pose, in the order of the column `rejected`."""
    return (PENETRATES, NOT_VISIBLE, NOT_TOUCHING) if recipe.touching else (PENETRATES, NOT_VISIBLE)


def agent_of(info: DatasetInfo) -> BabblingAgent:
    """The agent that collects a data set."""
    recipe = info.recipe
    seen = recipe.eye_size, recipe.seed, recipe.min_arm_in_view, recipe.imperfect, recipe.acuity
    return BabblingAgent(
        info.arm, *seen, touch=recipe.touch, touching=recipe.touching, look=recipe.look, shown=recipe.displaced
    )


def babbled(folder: Path, info: DatasetInfo, numbers: list[int], workers: int) -> Iterator[int]:
    """Collects some shards, in this process or in several; yields the number of new poses.

    Args:
        folder: the data set's folder.
        info: its description.
        numbers: numbers of the shards.
        workers: number of processes.

    Raises:
        UserError: a process was killed, or a shard could not be written; sealed shards are kept.
    """
    workers = min(workers, len(numbers))
    if workers <= 1:
        yield from _babble(folder, info, numbers)
        return
    context = multiprocessing.get_context("spawn")  # a fork would inherit a GL context that does not survive it
    processes: dict[multiprocessing.connection.Connection[Any, Any], Any] = {}
    for k in range(workers):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(folder, info, numbers[k::workers], sender), daemon=True)
        process.start()
        sender.close()
        processes[receiver] = process
    try:
        yield from _gather(processes)
    finally:
        for process in processes.values():
            process.terminate()
            process.join()


def _gather(processes: dict[Any, Any]) -> Iterator[int]:
    waiting: set[Any] = set(processes)
    while waiting:
        receiver: Any
        for receiver in multiprocessing.connection.wait(waiting):
            try:
                message = receiver.recv()
            except EOFError:
                waiting.discard(receiver)
                processes[receiver].join()
                if processes[receiver].exitcode:
                    raise UserError(
                        f"a collecting process ended with status {processes[receiver].exitcode}; all sealed shards are "
                        "kept, run the same command again to go on"
                    ) from None
                continue
            if isinstance(message, Exception):
                raise message
            yield message


def _work(folder: Path, info: DatasetInfo, numbers: list[int], sender: Any) -> None:
    """Runs in a worker process; ends by itself if its parent is gone."""
    try:
        for poses in _babble(folder, info, numbers):
            sender.send(poses)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    except (UserError, OSError, RuntimeError) as error:
        sender.send(UserError(str(error)))


def _babble(folder: Path, info: DatasetInfo, numbers: list[int]) -> Iterator[int]:
    recipe, lengths = info.recipe, info.recipe.lengths
    agent = agent_of(info)
    try:
        for shard in numbers:
            samples = []
            for i in range(shard * recipe.shard_size, shard * recipe.shard_size + lengths[shard]):
                samples.append(agent.sample(i))
                yield 1
            _seal(folder, shard, samples, info)
    finally:
        agent.close()


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
