"""A real scheduler and two real workers: the same bytes as without them, also if any of them is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cluster_tasks import count_up, refuse, vanish

from infant_env.errors import UserError
from training import cli
from training.data import collect
from training.data.dataset import Dataset
from training.runs.device import threads
from training.runs.pool import Task, run_all

pytest.importorskip("distributed")


class Cluster:
    """A scheduler and two workers of one thread each."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.folder = f"tcp://127.0.0.1:{self.port}", folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(2)]

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        log = (self.folder / f"{words[0]}.log").open("ab")
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])  # the tasks of this file can be imported
        environment = {**os.environ, "PYTHONPATH": path}
        command = [sys.executable, "-m", "dask", *words]
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        return self.start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def start_worker(self) -> "subprocess.Popen[bytes]":
        return self.start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.end()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def options(out: Path) -> list[str]:
    return f"collect --out {out} --samples 32 --eye-size 60 100 --shard-size 10 --seed 3".split()


def test_a_cluster_collects_the_same_bytes(
    cluster: Cluster, small_data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main([*options(tmp_path / "data"), "--cluster", cluster.address]) == 0
    assert "dashboard: http" in capsys.readouterr().out
    mine, usual = files(tmp_path / "data"), files(small_data.path)
    assert mine == {name: usual[name] for name in mine}
    assert {name for name in usual if "shards" in name} <= mine.keys()


def test_a_cluster_runs_a_graph_in_fresh_processes_like_this_one(cluster: Cluster, tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFANT_ARM_CLUSTER", cluster.address)
    monkeypatch.setattr(sys, "argv", ["infant-arm", "reproduce"])  # the words that a run's folder records
    number, log = Path("number"), tmp_path / "log"
    tasks = [Task(f"{k}", count_up, number, log, (f"{k - 1}",) if k else ()) for k in range(3)]
    with threads(3):
        run_all(tasks, tmp_path, 1)
    assert number.read_text() == "3"  # one after the other, in this folder
    processes = [line.removeprefix("reproduce: 3 threads in ") for line in log.read_text().splitlines()]
    assert len(set(processes)) == 3


def test_errors_on_a_cluster_are_told_in_one_line(cluster: Cluster, tmp_path: Path):
    with pytest.raises(UserError, match="got bread, expected salt"):
        run_all([Task("bad", refuse, None)], tmp_path, 1, cluster.address)
    with pytest.raises(UserError, match="a process was killed during gone.*run the same command again"):
        run_all([Task("gone", vanish, None)], tmp_path, 1, cluster.address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere"])
def test_a_missing_scheduler_is_told_in_one_line(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("training.runs.cluster.PATIENCE", 1)
    assert cli.main([*options(tmp_path / "data"), "--cluster", address]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"got the cluster {address}, expected the address of a `dask scheduler`" in line


def test_missing_dask_is_told_with_the_extra_that_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in ("distributed", "distributed.client"):
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(UserError, match=r"pip install 'infant-arm\[cluster\]'"):
        run_all([Task("any", vanish, None)], tmp_path, 1, "tcp://127.0.0.1:1")


def test_workers_that_do_not_see_the_folder_are_named(cluster: Cluster, tmp_path: Path, monkeypatch: Any):
    unseen = nullcontext(SimpleNamespace(name="a file that is on no other machine"))
    monkeypatch.setattr("training.runs.cluster.NamedTemporaryFile", lambda **_: unseen)
    with pytest.raises(
        UserError, match=r"tcp://.*, tcp://.* do(es)? not see .*expected a folder that all machines share"
    ):
        run_all([Task("any", vanish, None)], tmp_path, 1, cluster.address)


def test_killed_workers_scheduler_and_client_lose_nothing(cluster: Cluster, small_data: Dataset, tmp_path: Path):
    out = tmp_path / "data"
    command = [sys.executable, "-m", "training", *options(out), "--cluster", cluster.address]

    def client() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_for(shards: int, running: "subprocess.Popen[bytes]") -> None:
        while len(list(out.glob("shards/shard-*.h5"))) < shards and running.poll() is None:
            time.sleep(0.02)

    first = client()
    wait_for(1, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = client()
    wait_for(2, second)
    cluster.workers[0].kill()
    cluster.scheduler.kill()
    cluster.scheduler.wait()
    cluster.scheduler = cluster.start_scheduler()
    cluster.workers = [cluster.start_worker() for _ in range(2)]
    third = client()  # waits for its turn, and finds all done
    assert (second.wait(100), third.wait(100)) == (0, 0)
    mine, usual = files(out), files(small_data.path)
    assert mine == {name: usual[name] for name in mine}
    assert json.loads((out / "dataset.json").read_text())["accepted"] == 32
    assert collect.run(collect.Config(out, 32, (60, 100), 10, 3, workers=1)).fingerprint == small_data.fingerprint
