"""A run's folder: config, versions, seed, metrics, and what of it is already done.

A run is a folder: `config.json`, `autoencoder.safetensors`, `som.safetensors`, `metrics.json`, `report.html`, `figures/`,
`videos/`.
"""

import dataclasses
import importlib.metadata
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from agents.tools.files import write_json
from infant_env.errors import UserError

PACKAGES = ("infant-arm", "gymnasium", "mujoco", "numpy", "torch", "stable-baselines3", "h5py")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def as_json(config: Any) -> dict[str, Any]:
    """A Config dataclass as JSON: paths as text, tuples as lists."""
    text: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    return text


def settings(config: Any) -> dict[str, Any]:
    """What of a Config a checkpoint depends on, as JSON: not where it lies, nor on what it is computed."""
    return {key: value for key, value in as_json(config).items() if key not in ("data", "run", "device", "threads")}


def recorded_settings(run: Path, command: str) -> dict[str, Any]:
    """What a command of a run was set to, but for where things lie, the seed and the device; empty when it was not run."""
    found = read(run, "config.json").get(command, {})
    return {key: value for key, value in found.items() if key not in ("data", "run", "seed", "device")}


def read(run: Path, name: str) -> dict[str, Any]:
    """The content of one of a run's JSON files; empty when there is none.

    Raises:
        UserError: the file is damaged.
    """
    try:
        content: dict[str, Any] = json.loads((run / name).read_text())
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{run / name} is damaged ({error}); delete it and run the same command again") from None
    return content


def merge(run: Path, name: str, content: Mapping[str, Any], nested: bool = True) -> None:
    """Adds to one of a run's JSON files, or replaces what stands there under the same keys.

    Commands that run side by side do not lose each other's entries.

    Args:
        run: the run's folder.
        name: the file.
        content: what to add.
        nested: replace one level down, so that a key keeps what else stands under it.
    """
    run.mkdir(parents=True, exist_ok=True)
    with FileLock(run / f".{name}.lock"):
        old = read(run, name)
        for key, value in content.items():
            both = nested and isinstance(value, Mapping) and isinstance(old.get(key), dict)
            old[key] = {**old[key], **value} if both else value
        write_json(run / name, old)


def record_config(run: Path, command: str, config: Any) -> None:
    """Notes in `config.json` with what a command was run, and on which versions."""
    line = shlex.join(["infant-arm", *sys.argv[1:]])
    merge(run, "config.json", {command: as_json(config), "versions": versions(), "command": {command: line}})


@contextmanager
def timed(run: Path, stage: str, note: bool = True) -> Iterator[None]:
    """Adds what a stage took to `metrics.json`: wall time to `timing_s`, and to `cost` processor seconds and peak memory.

    Nothing is noted when it fails. Peak memory is that of the whole process so far, and where the system does not tell it, null.

    Args:
        run: the run's folder.
        stage: the stage's name.
        note: whether this process notes anything.
    """
    start, cpu = time.perf_counter(), sum(os.times()[:4])  # user and system, this process and its children
    yield
    if note:
        cost = {"cpu_s": round(sum(os.times()[:4]) - cpu, 2), "peak_gb": peak_memory_gb()}
        timing = {stage: round(time.perf_counter() - start, 2)}
        merge(run, "metrics.json", {"timing_s": timing, "cost": {stage: cost}})


def peak_memory_gb() -> float | None:
    """The most memory that this process ever held, in GB; None on systems without POSIX accounting."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)


def data_of(run: Path) -> Path:
    """The data set that a run was trained on.

    Raises:
        UserError: nothing was trained in this folder.
    """
    recorded, beside = read(run, "config.json"), run / "dataset"
    if "train-ae" not in recorded and beside.exists():
        return beside
    if "train-ae" not in recorded:
        raise UserError(f"{run} holds no trained autoencoder; run `infant-arm train-ae --data DATA --run {run}` first")
    noted = Path(recorded["train-ae"]["data"])
    return beside if beside.exists() and not noted.exists() else noted  # a run may be moved together with its data
