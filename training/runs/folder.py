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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from agents.tools import json_files
from agents.tools.files import DamagedFileError, write_json
from infant_env.errors import UserError

from . import parts
from .metrics import GATHERED, Cost, Metrics

CONFIG, METRICS = "config.json", "metrics.json"
PACKAGES = ("infant-arm", "gymnasium", "mujoco", "numpy", "torch", "stable-baselines3", "h5py")
_DELETE = "delete it and run the same command again"
C = TypeVar("C")


class Provenance(Struct, frozen=True):
    """What `config.json` says of all commands together."""

    versions: dict[str, str] = {}
    """Of Python and the packages."""
    command: dict[str, str] = {}
    """By command: the line with which it was run last."""


class _Training(Struct, frozen=True):
    data: Path


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


def record_config(run: Path, command: str, config: Any) -> None:
    """Notes in `config.json` with what a command was run, and on which versions."""
    line = shlex.join(["infant-arm", *sys.argv[1:]])
    with _changing(run / CONFIG) as content:
        lines = content.get("command")
        known = {key: text for key, text in lines.items() if isinstance(text, str)} if isinstance(lines, dict) else {}
        content |= {command: as_json(config), "versions": versions(), "command": known | {command: line}}


def recorded(run: Path, command: str, kind: type[C]) -> C | None:
    """With what a command of a run was run; None when `config.json` does not say so.

    Args:
        run: the run's folder.
        command: the command's name there.
        kind: the command's Config, or a part of it.

    Raises:
        DamagedFileError: `config.json` is damaged.
    """
    content = _content(run / CONFIG)
    return json_files.fit(content[command], kind, run / CONFIG, _DELETE, f"$.{command}") if command in content else None


def provenance(run: Path) -> Provenance:
    """With which command lines a run was made, and on which versions.

    Raises:
        DamagedFileError: `config.json` is damaged.
    """
    return json_files.fit(_content(run / CONFIG), Provenance, run / CONFIG, _DELETE)


def metrics_of(run: Path, *sections: str) -> Metrics:
    """What stands in a run's `metrics.json`; no section when there is no such file.

    Args:
        run: the run's folder.
        sections: those that are read; by default all.

    Raises:
        DamagedFileError: it is damaged; the message says where, and which command writes that again.
    """
    path, found = run / METRICS, dict[str, Any]()
    for part in parts.of(_content(path)):
        if sections and part.section not in sections:
            continue
        value = part.fitted(path, f"run `{_line(run, part.command)}` again")
        if part.entry is None:
            found[part.section] = value
        else:
            found.setdefault(part.section, {})[part.entry] = value
    return Metrics(**found)


def record(run: Path, found: Metrics) -> None:
    """Adds sections to `metrics.json`, or replaces those that stand there, also damaged ones.

    A section that several commands write keeps their entries. Commands that run side by side do not lose each other's sections.
    """
    with _changing(run / METRICS) as content:
        for section, value in json_files.plain(found).items():
            there = parts.sound_entries(section, content.get(section)) if section in GATHERED else {}
            content[section] = there | value


def is_damaged(run: Path, command: str) -> bool:
    """Whether something that this command wrote to `metrics.json` cannot be read."""
    return any(part.is_of(command) and not part.is_sound for part in parts.of(_content(run / METRICS)))


def was_done(run: Path, command: str, key: str) -> bool:
    """Whether `metrics.json` notes a command as done under this key, and all that it wrote there can be read."""
    content = _content(run / METRICS)
    done = content.get("done")
    noted = isinstance(done, dict) and done.get(command) == key
    return noted and parts.sections_of(command) <= content.keys() and not is_damaged(run, command)


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
        cost = Cost(round(sum(os.times()[:4]) - cpu, 2), peak_memory_gb())
        record(run, Metrics(timing_s={stage: round(time.perf_counter() - start, 2)}, cost={stage: cost}))


def peak_memory_gb() -> float | None:
    """The most memory that this process ever held, in GB; None on systems without POSIX accounting."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)


def data_of(run: Path) -> Path:
    """The data set that a run was trained on; its own `dataset` when that is not known, or no longer there.

    Raises:
        UserError: nothing was trained in this folder.
    """
    training, beside = recorded(run, "train-ae", _Training), run / "dataset"
    if training is not None and (training.data.exists() or not beside.exists()):
        return training.data
    if beside.exists():
        return beside  # a run may be moved together with its data
    raise UserError(
        f"{run} holds no trained autoencoder that {CONFIG} knows of; run `infant-arm train-ae --data DATA --run {run}` first, "
        "with the same options as before if one was trained"
    )


def _line(run: Path, command: str) -> str:
    """How to run a command again: a training must have the options that it had."""
    try:
        before = provenance(run).command if command.startswith("train") else {}
    except DamagedFileError:
        before = {}
    return before.get(command.replace(" ", "-"), f"infant-arm {command} --run {run}")


def _content(path: Path) -> dict[str, Any]:
    try:
        return json_files.read(path, dict[str, Any], _DELETE)
    except FileNotFoundError:
        return {}


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, Any]]:
    """Gives the content of a JSON file to change, and writes it at the end; other processes wait."""

    from filelock import FileLock  # here: it loads asyncio, which a command that only collects does not need

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        content = _content(path)
        yield content
        write_json(path, content)
