"""A contestant's process: its memory, its time, and what went wrong."""

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
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import save_file

from .contestant import SEARCH, Job, Result
from .data import Data
from .peers import PEERS
from .quality import Quality

INTERPRETER = 1.5e9
"""Memory in bytes of Python and the libraries before any training."""
PATIENCE = 300.0
"""Seconds by the clock that a contestant has in addition to its search, for imports and evaluation."""


@dataclass(frozen=True)
class Outcome:
    """A contestant's row."""

    name: str
    result: Result | None = None
    remark: str = ""


def compete(job: Job, data: Data, threads: int) -> Outcome:
    """The row of one contestant; its remark says what went wrong."""
    peer = PEERS.get(job.name)
    remark = peer.remark if peer else ""
    if peer and importlib.util.find_spec(peer.module) is None:
        return Outcome(job.name, remark=f"not installed: {peer.install}")
    if peer:
        width = sum(rows.shape[1] for rows in data.train.values())
        needed = (peer.memory(job.shape[0] * job.shape[1], width) + INTERPRETER) / 1e9
        if needed > job.memory:
            return Outcome(job.name, remark=f"needs about {needed:,.0f} GB of memory, --memory allows {job.memory:g}")
    with tempfile.TemporaryDirectory() as folder:
        failure = run_contestant(job, data, Path(folder), threads)
        if failure:
            return Outcome(job.name, remark=failure)
        content = json.loads((Path(folder) / "result.json").read_text())
    quality = Quality(**content["quality"]) if content["quality"] else None
    return Outcome(job.name, Result(**{**content, "quality": quality}), remark)


def run_contestant(job: Job, data: Data, folder: Path, threads: int) -> str:
    """Runs a contestant in its own process; returns what went wrong, or an empty text."""
    (folder / "job.json").write_text(json.dumps(asdict(job)))
    for name, samples in (("train", data.train), ("unseen", data.unseen)):
        save_file({key: rows.contiguous() for key, rows in samples.items()}, folder / f"{name}.safetensors")
    counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    command = [sys.executable, "-m", f"{__package__}.contestant", str(folder)]
    limit = PATIENCE + 4 * SEARCH * job.limit  # a probe may take longer than expected, and others use the machine too
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **counts}, stdout=log, stderr=log, start_new_session=True
        )
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
