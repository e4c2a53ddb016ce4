"""Kills workers, scheduler and client at random while a reproduction runs on a cluster, and compares the result.

`python tests/runs/kill_cluster.py FOLDER [KILLS]`; it takes an hour for 30 kills on two cores. The tests run a short form.
"""

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from test_cluster import Cluster

TIMES = {"seconds", "timing_s", "cost", "queries_per_s", "ms_per_goal", "sha256", "done", "cpu_s", "peak_gb"}
OTHER = ("config.json", "report.html", "stages.log")


def untimed(found: Any) -> Any:
    """JSON without the measured times."""
    if isinstance(found, dict):
        return {name: untimed(value) for name, value in found.items() if name not in TIMES}
    return [untimed(each) for each in found] if isinstance(found, list) else found


def contents(folder: Path) -> dict[str, str]:
    """A text for each file of a run: the checksum, of JSON the content without times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in OTHER)
    return {
        path.relative_to(folder).as_posix(): json.dumps(untimed(json.loads(path.read_text())), sort_keys=True)
        if path.suffix == ".json"
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def reproduction(out: Path, *words: str) -> "subprocess.Popen[bytes]":
    """Starts the command."""
    command = [sys.executable, "-m", "training", "reproduce", "--preset", "tiny", "--out", str(out), *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(out.parent / "errors.log").open("ab"))


def kill_one(cluster: Cluster, client: "subprocess.Popen[bytes]", chance: random.Random) -> str:
    """Kills a worker, more rarely the scheduler or the client; starts what it killed again, but not the client."""
    what = chance.choices(["worker", "scheduler", "client"], [6, 2, 2])[0]
    if what == "client":
        client.kill()
        client.wait()
    elif what == "scheduler":
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        cluster.scheduler = cluster.start_scheduler()
        for worker in cluster.workers:
            worker.kill()  # they would end by themselves
        cluster.workers = [cluster.start_worker() for _ in cluster.workers]
    else:
        number = chance.randrange(len(cluster.workers))
        cluster.workers[number].kill()
        cluster.workers[number] = cluster.start_worker()
    return what


def main(folder: Path, kills: int) -> None:
    """Reproduces until there were so many kills, and compares each result with that of an undisturbed run."""
    folder.mkdir(parents=True, exist_ok=True)
    assert reproduction(folder / "usual").wait() == 0
    usual, chance, killed, turn = contents(folder / "usual"), random.Random(0), list[str](), 0
    cluster = Cluster(folder)
    while len(killed) < kills:
        turn += 1
        out = folder / f"turn{turn}"
        client = reproduction(out, "--cluster", cluster.address)
        while client.poll() is None or client.returncode:
            if client.poll() is not None:
                if client.returncode != -9:
                    print(f"the client ended with status {client.returncode}, see errors.log", flush=True)
                client = reproduction(out, "--cluster", cluster.address)
            until = time.monotonic() + chance.uniform(3, 30)
            while client.poll() is None and time.monotonic() < until:
                time.sleep(0.1)
            if client.poll() is None and len(killed) < kills:
                killed.append(kill_one(cluster, client, chance))
                print(f"{len(killed)}: {killed[-1]}", flush=True)
        mine = contents(out)
        different = sorted(name for name in usual.keys() | mine.keys() if usual.get(name) != mine.get(name))
        print(f"turn {turn} after {len(killed)} kills: {len(usual)} files, different: {different}", flush=True)
    cluster.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 30)
