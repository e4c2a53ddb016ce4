"""Random motion in a Gymnasium environment, recorded episode by episode."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import infant_env  # noqa: F401 (registers the environments)
from agents.camera_arm import RENDER, frame_in, numbers_in
from agents.tools.files import replacing
from infant_env.errors import UserError

from .source import Floats, Frame, Source, digest_of, joined


@dataclass(frozen=True)
class Motion:
    """How an environment is moved at random, and what of it is recorded."""

    env: str
    """The environment's ID; `module:ID` imports a module first."""
    options: Mapping[str, Any]
    """Further arguments of `gymnasium.make`."""
    eye: str
    joints: Sequence[str]
    hand: Sequence[str]
    samples: int
    """Moments to record."""
    per_episode: int
    """Moments in one episode, if it does not end before."""
    hold: int
    """Steps for which a random action is held; then one moment is recorded."""
    seed: int


def recorded(motion: Motion, folder: Path) -> Source:
    """Records the episodes that are missing in a folder, one file each, and presents all of them as a source.

    Args:
        motion: the motion. Episode k depends on its seed and on k, as far as the environment keeps to its seeds.
        folder: the folder of the episodes.

    Raises:
        UserError: there is no such environment, or no such entry in its observations.
    """
    env = _made(motion)
    counts: list[int] = []
    with tqdm(total=motion.samples, desc="record", unit="frame") as bar:
        while sum(counts) < motion.samples:
            path = folder / f"episode-{len(counts):06d}.npz"
            if not path.exists():
                _record(env, motion, len(counts), motion.samples - sum(counts), path)
            counts.append(len(_load(path, "joints")))
            bar.update(counts[-1])
    env.close()
    paths = [folder / f"episode-{k:06d}.npz" for k in range(len(counts))]
    angles = np.concatenate([_load(path, "joints") for path in paths])
    hands = np.concatenate([_load(path, "hand") for path in paths]) if motion.hand else None
    told = json.dumps([motion.env, dict(motion.options), motion.eye, *motion.joints, *motion.hand]).encode()
    content = digest_of(
        [told, *(np.ascontiguousarray(_load(p, n)).tobytes() for p in paths for n in ("joints", "eye"))]
    )

    def frames(rows: NDArray[np.int64]) -> Iterator[Frame]:
        starts = np.cumsum([0, *counts])
        for k, path in enumerate(paths):
            own = rows[(rows >= starts[k]) & (rows < starts[k + 1])] - starts[k]
            if len(own):
                yield from _load(path, "eye")[own]

    names = tuple(str(name) for name in _load(paths[0], "names"))
    return Source(motion.eye, names, angles, hands, np.arange(len(counts)).repeat(counts), content, frames)


def _made(motion: Motion) -> gym.Env[Any, Any]:
    options = {"render_mode": "rgb_array"} if motion.eye == RENDER else {}
    try:
        return gym.make(motion.env, **options | dict(motion.options))
    except (gym.error.Error, ImportError, TypeError, AssertionError) as error:
        raise UserError(
            f"the environment {motion.env} cannot be made ({error}); module:ID imports a module first"
        ) from None


def _record(env: gym.Env[Any, Any], motion: Motion, number: int, most: int, path: Path) -> None:
    """Records one episode of at most `most` moments to a file."""
    observation, _ = env.reset(seed=motion.seed + number)
    env.action_space.seed(motion.seed + number)
    moments: dict[str, list[Any]] = {"eye": [], "joints": [], "hand": []}
    ended, names = False, tuple[str, ...]()
    while not ended and len(moments["eye"]) < min(motion.per_episode, most):
        action = env.action_space.sample()
        for _ in range(motion.hold):
            observation, _, terminated, truncated, _ = env.step(action)
            ended = ended or terminated or truncated
            if ended:
                break
        angles, names = _numbers(observation, motion.joints)
        moments["eye"].append(frame_in(env, observation, motion.eye))
        moments["joints"].append(angles)
        if motion.hand:
            moments["hand"].append(_numbers(observation, motion.hand)[0])
    with replacing(path, ".npz") as temporary:
        np.savez(temporary, **{n: np.array(each) for n, each in {**moments, "names": names}.items()})  # type: ignore[arg-type]


def _numbers(observation: Any, keys: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """The numbers of some keys, (D,), and their names."""
    rows, names = joined(keys, lambda key: (numbers_in(observation, key.name)[None], None))
    return rows[0], names


def _load(path: Path, name: str) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as file:
        return file[name]
