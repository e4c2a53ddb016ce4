"""A run's folder: its config, versions and metrics, and whether a command was done.

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
from typing import Any, TypeVar

from msgspec import Struct

from agents.tools import json_files
from agents.tools.files import DamagedFileError, write_json
from agents.tools.locks import alone
from infant_env.errors import UserError

from . import metrics_parts
from .config import command_line
from .metrics import GATHERED, Cost, Metrics

CONFIG, METRICS = "config.json", "metrics.json"
_AUTOENCODER = "autoencoder.safetensors"
PACKAGES = ("infant-arm", "gymnasium", "mujoco", "numpy", "torch", "stable-baselines3", "h5py")
_DELETE = "delete it and run the same command again"
C = TypeVar("C")


class Provenance(Struct, frozen=True):
    """The part of `config.json` about all commands together."""

    versions: dict[str, str] = {}
    """Versions of Python and the packages."""
    command: dict[str, str] = {}
    """The last command line of each command."""


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
    """A Config dataclass as JSON: paths as text, tuples as lists; without the cluster, on which no result depends."""
    text: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    text.pop("cluster", None)
    return text


def settings(config: Any) -> dict[str, Any]:
    """The part of a Config that a checkpoint depends on, as JSON: without folders, device and threads."""
    return {key: value for key, value in as_json(config).items() if key not in ("data", "run", "device", "threads")}


def record_config(run: Path, command: str, config: Any) -> None:
    """Writes the config of a command, its command line and the versions to `config.json`."""
    line = shlex.join(["infant-arm", *sys.argv[1:]])
    with _changing(run / CONFIG) as content:
        lines = content.get("command")
        known = {key: text for key, text in lines.items() if isinstance(text, str)} if isinstance(lines, dict) else {}
        content |= {command: as_json(config), "versions": versions(), "command": known | {command: line}}


def recorded(run: Path, command: str, kind: type[C]) -> C | None:
    """The config of a command that was run; None if `config.json` does not hold it.

    Args:
        run: the run's folder.
        command: the command's name in `config.json`.
        kind: the command's Config, or a part of it.

    Raises:
        DamagedFileError: `config.json` is damaged.
    """
    content = _content(run / CONFIG)
    return json_files.fit(content[command], kind, run / CONFIG, _DELETE, f"$.{command}") if command in content else None


def provenance(run: Path) -> Provenance:
    """The command lines and versions that made a run.

    Raises:
        DamagedFileError: `config.json` is damaged.
    """
    return json_files.fit(_content(run / CONFIG), Provenance, run / CONFIG, _DELETE)


def metrics_of(run: Path, *sections: str) -> Metrics:
    """The content of a run's `metrics.json`; empty if the file is missing.

    Args:
        run: the run's folder.
        sections: names of the sections to read; by default all.

    Raises:
        DamagedFileError: the file is damaged; the message says where, and which command writes this part again.
    """
    path, found = run / METRICS, dict[str, Any]()
    for part in metrics_parts.of(_content(path)):
        if sections and part.section not in sections:
            continue
        value = part.fitted(path, f"run `{line(run, part.command)}` again")
        if part.entry is None:
            found[part.section] = value
        else:
            found.setdefault(part.section, {})[part.entry] = value
    return Metrics(**found)


def record(run: Path, found: Metrics) -> None:
    """Adds sections to `metrics.json` or replaces them, damaged ones too.

    A section that several commands write keeps the entries of the others. Commands that run at the same time do not lose each
    other's sections.
    """
    with _changing(run / METRICS) as content:
        for section, value in json_files.plain(found).items():
            kept = metrics_parts.sound_entries(section, content.get(section)) if section in GATHERED else {}
            content[section] = kept | value


def is_damaged(run: Path, command: str) -> bool:
    """Whether a part of `metrics.json` that this command wrote is damaged."""
    return any(part.is_of(command) and not part.is_sound for part in metrics_parts.of(_content(run / METRICS)))


def was_done(run: Path, command: str, key: str) -> bool:
    """Whether a command is done: `metrics.json` notes it with this key, and all its sections are there and undamaged."""
    content = _content(run / METRICS)
    done = content.get("done")
    noted = isinstance(done, dict) and done.get(command) == key
    return noted and metrics_parts.sections_of(command) <= content.keys() and not is_damaged(run, command)


@contextmanager
def timed(run: Path, stage: str, note: bool = True) -> Iterator[list[float]]:
    """Adds the cost of a stage to `metrics.json`: wall time to `timing_s`, processor seconds and peak memory to `cost`.

    A stage that fails leaves no entry. Peak memory is that of the whole process so far, or null if the system does not report
    it.

    Args:
        run: the run's folder.
        stage: the stage's name.
        note: whether this process writes the entry.

    Yields:
        A list for processor seconds that the stage spent elsewhere.
    """
    start, cpu = time.perf_counter(), sum(os.times()[:4])  # user and system, this process and its children
    elsewhere = list[float]()
    yield elsewhere
    if note:
        cost = Cost(round(sum(os.times()[:4]) - cpu + sum(elsewhere), 2), peak_memory_gb())
        record(run, Metrics(timing_s={stage: round(time.perf_counter() - start, 2)}, cost={stage: cost}))


def peak_memory_gb() -> float | None:
    """The peak memory of this process, in GB; None on systems without POSIX accounting."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes, other systems kilobytes
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)


def holds(run: Path, report: Mapping[str, Any]) -> bool:
    """Whether `metrics.json` has all these sections, and in common sections these entries."""
    content = _content(run / METRICS)
    parts = {(part.section, part.entry) for part in metrics_parts.of(content)}
    return all((part.section, part.entry) in parts for part in metrics_parts.of(report))


def data_of(run: Path) -> Path:
    """The data set that a run was trained on; if it is unknown or gone, the folder `dataset` of the run.

    Raises:
        UserError: nothing was trained in this folder.
    """
    training, own = recorded(run, "train-ae", _Training), run / "dataset"
    if training is not None and (training.data.exists() or not own.exists()):
        return training.data
    if own.exists():
        return own  # a run may be moved together with its data
    from agents.tools import checkpoints  # here: it loads torch, which a command that only collects does not need

    try:
        before = checkpoints.read_header(run / _AUTOENCODER, None).get("config", {})
    except UserError:
        before = {}
    again = command_line("train-ae", {"data": "DATA", "run": str(run), **before})
    raise UserError(
        f"{run} holds no trained autoencoder that {CONFIG} lists{_near(run)}; run `{again}` first, with the path of the data "
        "set"
    )


def _near(run: Path) -> str:
    """The runs in a folder and beside it, for the message about a mistyped name."""
    near = sorted({path.parent for folder in (run, run.parent) for path in folder.glob(f"*/{CONFIG}")} - {run})
    return f" (runs near it: {', '.join(map(str, near[:5]))})" if near else ""


def line(run: Path, command: str) -> str:
    """The command line that runs a command again; a training gets the same settings as before."""
    try:
        before = recorded(run, command.replace(" ", "-"), dict[str, Any]) if command.startswith("train") else None
    except DamagedFileError:
        before = None
    where = {"data": path_of_data(run)} if before and "data" in before else {}
    return command_line(command, {**(before or {}), **where, "run": str(run)})


def path_of_data(run: Path) -> str:
    """The data set of a run for a command line; `DATA` if it is unknown."""
    try:
        return str(data_of(run))
    except UserError:
        return "DATA"


def _content(path: Path) -> dict[str, Any]:
    try:
        return json_files.read(path, dict[str, Any], _DELETE)
    except FileNotFoundError:
        return {}


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the content of a JSON file for changes and writes it at the end; other processes wait."""
    with alone(path.with_name(f".{path.name}.lock")):
        content = _content(path)
        yield content
        write_json(path, content)
