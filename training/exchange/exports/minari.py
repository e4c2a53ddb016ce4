"""Exports a data set for Minari: episodes whose observations are frames and joints."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import h5py
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from infant_env.errors import UserError

from ...data.dataset import Dataset
from ...runs.folder import versions
from ..sources.source import library
from .episodes import discard, episodes_of, states_of, unfinished

_FILE = "main_data.hdf5"


def place_of(name: str) -> Path:
    """The folder in which Minari looks for a data set; makes its namespace.

    Raises:
        UserError: Minari does not take this ID.
    """
    library("minari", "an export for Minari")
    from minari.dataset.minari_dataset import parse_dataset_id
    from minari.namespace import create_namespace, list_local_namespaces
    from minari.storage.datasets_root_dir import get_dataset_path

    try:
        namespace = parse_dataset_id(name)[0]
        if namespace is not None and namespace not in list_local_namespaces():
            create_namespace(namespace)
    except ValueError as error:
        raise UserError(f"got the ID {name} ({error}), expected one such as infant/babbling-v0") from None
    return Path(get_dataset_path(name)) / "data"


def export(data: Dataset, name: str) -> Path:
    """Writes a Minari data set; Minari finds it only when it is complete.

    Frames are stored as they are, without JPEG. An action holds the next pose as joint targets, scaled to [-1, 1] by the joint
    ranges, as in `InfantArm-v0`; rewards are 0.

    Args:
        data: the data set.
        name: its ID for Minari.
    """
    minari = library("minari", "an export for Minari")
    spaces = {"observation_space": _observations(data), "action_space": _actions(data)}
    target = place_of(name)
    episodes = [samples for samples in episodes_of(data) if len(samples) > 1]
    if not episodes:
        raise UserError(f"{data.path} has no episode of two samples or more, as Minari needs them")
    with unfinished(target, data, json.dumps(["minari", name])) as folder:
        storage = _begun(folder, spaces, {"dataset_id": name, **_metadata(minari, data)})
        for number in tqdm(range(storage.total_episodes, len(episodes)), desc="export", unit="episode"):
            storage.update_episodes([_episode(minari, data, number, episodes[number])])
    return target


def _begun(folder: Path, spaces: Mapping[str, gym.Space[Any]], metadata: dict[str, Any]) -> Any:
    """The storage in a folder: that of an export that was killed, up to its last complete episode; otherwise a new one."""
    from minari.dataset.minari_storage import MinariStorage

    try:
        storage = MinariStorage.read(folder)
        with h5py.File(folder / _FILE, "a") as file:
            for name in set(file) - {f"episode_{k}" for k in range(storage.total_episodes)}:
                del file[name]
        return storage
    except (OSError, ValueError, LookupError, RuntimeError):  # nothing is there yet, or a kill damaged it
        discard(folder)
    os.rmdir(folder)  # Minari makes it
    storage = MinariStorage.new(folder, **spaces, jpeg_encoding=False)
    storage.update_metadata(metadata)
    return storage


def _metadata(minari: Any, data: Dataset) -> dict[str, Any]:
    return {
        "minari_version": minari.__version__,
        "algorithm_name": "recorded" if data.recorded else "babbling",
        "description": f"Made by infant-arm {versions()['infant-arm']}; data set {data.fingerprint[:12]}. Rewards are 0.",
        "dataset_fingerprint": data.fingerprint,
    }


def _observations(data: Dataset) -> gym.spaces.Dict:
    (low, high), joints = data.joint_ranges.T, len(data.joint_names)
    parts: dict[str, gym.Space[Any]] = {"eye": gym.spaces.Box(0, 255, (*data.eye_size, 3), np.uint8)}
    parts["joints"] = gym.spaces.Box(low, high, (joints,), np.float32)
    if data.knows_hand:
        parts["hand_position"] = gym.spaces.Box(-np.inf, np.inf, (3 * data.hand_positions.shape[1],), np.float32)
    return gym.spaces.Dict(parts)


def _actions(data: Dataset) -> gym.spaces.Box:
    return gym.spaces.Box(-1, 1, (len(data.joint_names),), np.float32)


def _episode(minari: Any, data: Dataset, number: int, samples: NDArray[np.int64]) -> Any:
    steps = len(samples) - 1
    seen: dict[str, Any] = {name: values[samples] for name, (values, _) in states_of(data).items()}
    return minari.data_collector.EpisodeBuffer(
        id=number,
        observations={"eye": data.eye(samples), **seen},
        actions=(2 * data.normalized_joints[samples[1:]] - 1).clip(-1, 1),
        rewards=[0.0] * steps,
        terminations=[False] * steps,
        truncations=[*[False] * (steps - 1), True],
        infos={},
    )
