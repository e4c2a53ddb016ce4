"""A run's folder: config, versions, seed, metrics, and what of it is already done.

A run is a folder: `config.json`, `autoencoder.safetensors`, `som.safetensors`, `metrics.json`, `report.html`, `figures/`,
`videos/`.
"""

import dataclasses
import importlib.metadata
import json
import math
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from agents.tools.files import write_json
from infant_env.errors import UserError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
PACKAGES = ("infant-arm", "gymnasium", "mujoco", "numpy", "torch", "stable-baselines3", "h5py")


def pick_device(name: Device) -> "torch.device":
    """The device that a command computes on; `auto` takes CUDA where there is one.

    Raises:
        UserError: CUDA is asked for and there is none.
    """
    import torch  # here, so that processes that only collect do not load it

    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("got --device cuda, but torch sees no CUDA device; expected --device auto or cpu here")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


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


def check_counts(config: Any, *names: str) -> None:
    """Raises a UserError when one of these fields of a Config is below 1."""
    for name in names:
        if getattr(config, name) < 1:
            raise UserError(f"got {name}={getattr(config, name)}, expected 1 or more")


def check_learning_rate(config: Any) -> None:
    """Raises a UserError when a Config's `learning_rate` is no positive number."""
    if not 0 < config.learning_rate < math.inf:
        usual = type(config).learning_rate
        raise UserError(f"got learning_rate={config.learning_rate}, expected a positive number such as {usual:g}")


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
    recorded = read(run, "config.json")
    if "train-ae" not in recorded:
        raise UserError(f"{run} holds no trained autoencoder; run `infant-arm train-ae --data DATA --run {run}` first")
    noted, beside = Path(recorded["train-ae"]["data"]), run / "dataset"
    return beside if beside.exists() and not noted.exists() else noted  # a run may be moved together with its data
