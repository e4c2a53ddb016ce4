"""Two processes train what one trains: the same map to the byte, and the same autoencoder but for roundings."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from agents.som.grid import TOPOLOGIES, Topology
from training.data.dataset import Dataset
from training.runs import folder as runs
from training.runs.distributed import Place
from training.train import autoencoder as train_autoencoder
from training.train import som as train_som


def in_two_processes(*command: str) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    finished = subprocess.run(
        [*torchrun, "-m", "training", "--", *command], env=environment, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 0, finished.stderr[-3000:]


@pytest.mark.usefixtures("one_thread")  # products of matrices are rounded otherwise on several
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_two_processes_train_the_map_that_one_trains(topology: Topology, tiny_run: Path, tmp_path: Path):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    (run / "som.safetensors").unlink()
    size = ("--rows", "70", "--columns", "45", "--topology", topology)
    in_two_processes("train-som", "--run", str(run), *size, "--seed", "5", "--device", "cpu")
    together = load_file(run / "som.safetensors")
    epochs = runs.metrics_of(run).som.epochs
    (run / "som.safetensors").unlink()
    train_som.run(train_som.Config(run, rows=70, columns=45, topology=topology, seed=5, device="cpu"))
    alone = load_file(run / "som.safetensors")
    assert {name: rows.numpy().tobytes() for name, rows in together.items()} == {
        name: rows.numpy().tobytes() for name, rows in alone.items()
    }
    told = runs.metrics_of(run).som.epochs
    assert [e.quantization_error for e in epochs] == pytest.approx([e.quantization_error for e in told])


def test_two_processes_train_the_autoencoder_that_one_trains(small_data: Dataset, tmp_path: Path):
    options = {"width": 8, "batch_size": 7, "epochs": 3, "precision": "float32"}
    line = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    in_two_processes(
        "train-ae", "--data", str(small_data.path), "--run", str(tmp_path / "two"), "--device", "cpu", *line
    )
    train_autoencoder.run(train_autoencoder.Config(tmp_path / "one", data=small_data.path, device="cpu", **options))
    one, two = (runs.metrics_of(tmp_path / name).autoencoder.epochs for name in ("one", "two"))
    for key in ("train_mse", "validation_mse"):
        assert [getattr(e, key) for e in two] == pytest.approx([getattr(e, key) for e in one], rel=1e-3)
    assert [path.name for path in sorted((tmp_path / "two").iterdir())] == [
        path.name for path in sorted((tmp_path / "one").iterdir())
    ]


@pytest.mark.parametrize("length", [0, 1, 7, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_the_shares_of_all_processes_make_up_the_whole(length: int, count: int):
    places = [Place(None, rank, count) for rank in range(count)]
    shares = [list(range(length))[here.share(length)] for here in places]
    assert [i for share in shares for i in share] == list(range(length))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def on_two_machines(port: int, *command: str) -> "list[subprocess.Popen[str]]":
    """One torchrun for each of two machines, which find each other by the address of the first."""
    machines = []
    for rank in ("0", "1"):
        where = ["--nnodes", "2", "--node-rank", rank, "--master-addr", "127.0.0.1", "--master-port", str(port)]
        words = [sys.executable, "-m", "torch.distributed.run", *where, "-m", "training", "--", *command]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        pipe: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        machines.append(subprocess.Popen(words, env=environment, **pipe))
    return machines


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of torchrun in /proc")
def test_if_one_of_two_machines_dies_the_same_commands_go_on(small_data: Dataset, tmp_path: Path):
    run, together = tmp_path / "run", tmp_path / "together"
    options = ["--width", "8", "--batch-size", "7", "--epochs", "12", "--precision", "float32", "--patience", "12"]
    line = ["train-ae", "--data", str(small_data.path), "--device", "cpu", *options]
    first, second = on_two_machines(free_port(), *line, "--run", str(run))
    while not (run / "autoencoder.training.safetensors").exists() and first.poll() is None:
        time.sleep(0.01)
    for process in (second.pid, *children(second.pid)):
        os.kill(process, signal.SIGKILL)
    said = first.communicate(timeout=100)[0]
    second.wait()
    assert first.returncode, said[-3000:]
    assert not (run / "autoencoder.safetensors").exists()
    for folder in (run, together):
        both = on_two_machines(free_port(), *line, "--run", str(folder))
        ends = [(machine.communicate(timeout=100)[0], machine.returncode) for machine in both]
        assert [code for _, code in ends] == [0, 0], ends
    assert (run / "autoencoder.safetensors").read_bytes() == (together / "autoencoder.safetensors").read_bytes()


def children(process: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
