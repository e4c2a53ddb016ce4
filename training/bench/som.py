"""`infant-arm bench som`: this project's map, the literal rule and the SOM libraries, compared on equal data and measures.

The contestants train one after the other, each in its own process (`training/bench/contestant.py`), with the same number of
threads. One function evaluates all maps on samples that none of them was trained on.
"""

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from agents.som.quality import quantization_error, topographic_error
from agents.som.som import MultiModalSom
from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..data.dataset import Dataset
from ..measure.senses import features
from ..runs import folder as runs
from ..show import tables
from ..train import som as train_som
from .config import Config
from .contestant import LITERAL, OURS, Job, Result, epochs_of
from .peers import PEERS, Shape

INTERPRETER = 1.5e9
"""Memory in bytes of Python and the libraries before any training."""
PATIENCE = 120.0
"""Seconds by the clock that a contestant has in addition to its budget, for imports and this project's training."""
HEADER = (
    *("contestant", "distance", "epochs", "CPU s", "x ours", "wall s", "peak GB"),
    *("quantization", "topographic", "v->j", "j->v", "remark"),
)
LEGEND = (
    "CPU s: user and system time of the training alone, all threads; a first training on a tiny map excludes imports and "
    "compilation.\n~: extrapolated linearly from the share in the remark; there is no map, so there are no errors.\n"
    "peak GB: memory of the whole process, with the interpreter and libraries.\n"
    "quantization and topographic error, and the mean absolute error of joints from vision (v->j) and of latents from joints "
    "(j->v) by the\nwinner's weights: on samples that the map was not trained on."
)


@dataclass(frozen=True)
class Data:
    """The samples for all contestants."""

    name: str
    train: Mapping[str, Tensor]
    unseen: Mapping[str, Tensor]
    c: dict[str, float] = field(default_factory=lambda: {VISION: 1.0, PROPRIOCEPTION: 1.0})
    """Influence of each modality."""


@dataclass(frozen=True)
class Quality:
    """The errors of a map on unseen samples."""

    quantization: float
    topographic: float
    vision_to_joints: float
    joints_to_vision: float


@dataclass(frozen=True)
class Outcome:
    """A contestant's row."""

    name: str
    result: Result | None = None
    quality: Quality | None = None
    remark: str = ""


def run(config: Config) -> dict[str, float]:
    """Measures all contestants, prints a table per data set and size, and returns CPU seconds relative to this project's.

    Raises:
        UserError: a size below 2, an unknown peer, or a run without a trained autoencoder.
    """
    _check(config)
    ratios = {}
    for data in data_sets(config):
        for size in config.sizes:
            shape = (size, size)
            names = tqdm((OURS, LITERAL, *config.peers), f"{size}x{size}", leave=False, unit="contestant", disable=None)
            outcomes = [compete(name, data, shape, config) for name in names]
            print(f"bench som: {data.name}, {size}x{size} neurons, {config.threads} thread(s)")
            print(tables.as_text(HEADER, rows(outcomes, shape, config.epochs)))
            print(least(outcomes, shape) + "\n", flush=True)
            for name, ratio in relative(outcomes).items():
                ratios[f"{data.name}, {size}x{size}, {name}"] = ratio
    print(LEGEND)
    return ratios


def data_sets(config: Config) -> Iterator[Data]:
    """The latents and joints of the run, if one is given, and as many synthetic samples."""
    count = config.samples
    if config.run is not None:
        data = Dataset.open(runs.data_of(config.run))
        train, unseen = (features(config.run, data, split, torch.device("cpu")) for split in ("train", "test"))
        count = len(train[VISION])
        trained = train_som.STAGE.recorded(config.run) or train_som.Config(config.run)
        yield Data(str(config.run), train, unseen, trained.c)
    yield Data("synthetic", synthetic(count, config.seed), synthetic(max(count // 3, 1), config.seed + 1))


def synthetic(count: int, seed: int) -> dict[str, Tensor]:
    """Five uniform joints, and instead of latents a smooth nonlinear function of them with 8 outputs."""
    mixing = torch.Generator().manual_seed(3)
    mix, shift = torch.randn((5, 24), generator=mixing), torch.randn(24, generator=mixing)
    out = torch.randn((24, 8), generator=mixing) / 3
    joints = torch.rand((count, 5), generator=torch.Generator().manual_seed(seed))
    return {VISION: torch.tanh((joints - 0.5) @ mix * 1.5 + shift) @ out, PROPRIOCEPTION: joints}


def evaluate(som: MultiModalSom, unseen: Mapping[str, Tensor]) -> Quality:
    """The errors of a map of vision and proprioception on samples that it was not trained on."""
    errors = []
    for known, wanted in ((VISION, PROPRIOCEPTION), (PROPRIOCEPTION, VISION)):
        recalled = som.recall({known: unseen[known]}, wanted)
        errors.append(float((recalled - unseen[wanted]).abs().mean()))
    return Quality(quantization_error(som, unseen), topographic_error(som, unseen), *errors)


def compete(name: str, data: Data, shape: Shape, config: Config) -> Outcome:
    """The row of one contestant; its remark says what went wrong."""
    peer = PEERS.get(name)
    remark = peer.remark if peer else ""
    if peer and importlib.util.find_spec(peer.module) is None:
        return Outcome(name, remark=f"not installed: {peer.install}")
    if peer:
        width = sum(rows.shape[1] for rows in data.train.values())
        needed = (peer.memory(shape[0] * shape[1], width) + INTERPRETER) / 1e9
        if needed > config.memory:
            return Outcome(name, remark=f"needs about {needed:,.0f} GB of memory, --memory allows {config.memory:g}")
    job = Job(name, shape, epochs_of(name, shape, config.epochs), config.seed, data.c, config.budget, config.memory)
    with tempfile.TemporaryDirectory() as folder:
        failure = run_contestant(job, data.train, Path(folder), config.threads)
        if failure:
            return Outcome(name, remark=failure)
        result = Result(**json.loads((Path(folder) / "result.json").read_text()))
        if not result.whole:
            part = f"~ from {result.measured / result.presentations:.2%} of the work"
            return Outcome(name, result, remark=", ".join(filter(None, (remark, part))))
        som = MultiModalSom(load_file(Path(folder) / "weights.safetensors"), data.c)
        return Outcome(name, result, evaluate(som, data.unseen), remark)


def run_contestant(job: Job, samples: Mapping[str, Tensor], folder: Path, threads: int) -> str:
    """Runs a contestant in its own process; returns what went wrong, or an empty text."""
    (folder / "job.json").write_text(json.dumps(asdict(job)))
    save_file({name: rows.contiguous() for name, rows in samples.items()}, folder / "samples.safetensors")
    counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    environment = {**os.environ, **counts}
    command = [sys.executable, "-m", f"{__package__}.contestant", str(folder)]
    limit = PATIENCE + 6 * job.budget  # a probe may take longer than expected, and others use the machine too
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return f"stopped after {limit:g} s"
        finally:
            _end(process)
        log.seek(0)
        lines = log.read().strip().splitlines()
    error = re.sub(r"^[\w.]+\.(?=\w+:)", "", lines[-1]) if lines and code > 0 else f"exit status {code}"  # no module
    return textwrap.shorten(f"failed: {error}", 100) if code else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a contestant and all processes that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def rows(outcomes: Sequence[Outcome], shape: Shape, epochs: int) -> list[list[str]]:
    """The rows of the table; a dash stands for an unknown value."""
    ratios = relative(outcomes)
    return [
        [
            outcome.name,
            PEERS[outcome.name].distance if outcome.name in PEERS else "manhattan",
            str(epochs_of(outcome.name, shape, epochs)),
            *_costs(outcome.result, ratios.get(outcome.name)),
            *_errors(outcome.quality),
            outcome.remark,
        ]
        for outcome in outcomes
    ]


def relative(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """CPU seconds of all measured contestants, relative to the first contestant's."""
    if outcomes[0].result is None:
        return {}
    return {o.name: o.result.cpu / outcomes[0].result.cpu for o in outcomes if o.result is not None}


def least(outcomes: Sequence[Outcome], shape: Shape) -> str:
    """One line: the library that takes the least CPU time."""
    peers = {name: ratio for name, ratio in relative(outcomes).items() if name in PEERS}
    if not peers:
        return "no library could be measured"
    name, ratio = min(peers.items(), key=lambda item: item[1])
    return f"least CPU seconds of a peer at {shape[0]}x{shape[1]}: {name}, {ratio:,.1f} times ours"


def _costs(result: Result | None, ratio: float | None) -> list[str]:
    if result is None:
        return ["-"] * 4
    mark, wall = ("", _short(result.wall)) if result.whole else ("~", "-")
    times = "-" if ratio is None else mark + _short(ratio)
    return [mark + _short(result.cpu), times, wall, f"{result.peak:.2f}"]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _errors(quality: Quality | None) -> list[str]:
    return ["-"] * 4 if quality is None else [tables.number(value) for value in asdict(quality).values()]


def _check(config: Config) -> None:
    """Raises a UserError for settings that only this benchmark uses."""
    if not config.sizes:
        raise UserError("got no --sizes, expected one or more maps of 2 or more rows and columns")
    unknown = [name for name in config.peers if name not in PEERS]
    if unknown:
        raise UserError(f"got peers {unknown}, expected some of {list(PEERS)}")
