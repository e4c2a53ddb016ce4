"""Several processes on one folder: they take turns, and files that killed processes left vanish."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.tools.files import remove_leftovers, replacing
from agents.tools.locks import alone
from infant_env.errors import UserError
from training import cli
from training.data import collect
from training.data.dataset import Dataset
from training.runs.in_turn import turn
from training.train import som

SPAWN = multiprocessing.get_context("spawn")


def count_up(folder: Path, times: int) -> None:
    """Adds 1 to a number in a file, again and again; two at once would lose some."""
    path = folder / "number"
    for _ in range(times):
        with alone(folder / ".number.lock"):
            before = int(path.read_text())
            time.sleep(0.001)
            path.write_text(str(before + 1))


def hold(folder: Path, ready: Any) -> None:
    with turn(folder, "sleep", "sleeps"), replacing(folder / "file") as temporary:
        temporary.write_text("half")
        ready.set()
        time.sleep(600)


def started(target: Callable[..., None], *args: Any) -> Any:
    process = SPAWN.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def test_one_process_at_a_time_holds_a_lock_and_its_file_vanishes(tmp_path: Path):
    (tmp_path / "number").write_text("0")
    processes = [started(count_up, tmp_path, 40) for _ in range(3)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "number").read_text() == "120"
    assert [path.name for path in tmp_path.iterdir()] == ["number"]


def test_a_block_inside_of_a_block_holds_the_same_lock(tmp_path: Path):
    with turn(tmp_path, "a", "does a"):
        with turn(tmp_path, "a", "does a"):
            pass
        assert (tmp_path / ".a.lock").exists()
    assert not list(tmp_path.iterdir())


def test_the_lock_and_the_files_of_a_killed_process_vanish(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    ready = SPAWN.Event()
    process = started(hold, tmp_path, ready)
    ready.wait()
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.glob(".file.*.tmp"))) == 1  # it is alive
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with turn(tmp_path, "sleep", "sleeps"):
        assert [path.name for path in tmp_path.iterdir()] == [".sleep.lock"]
    assert "waiting" not in capsys.readouterr().out


def test_only_leftovers_of_dead_processes_of_this_machine_are_removed(tmp_path: Path):
    with replacing(tmp_path / "a.json") as temporary:
        temporary.write_text("{}")
        living = temporary.name
        dead = [living.replace(str(os.getpid()), "4194305"), ".a.json.4194305.tmp"]  # no process has this number
        kept = [living, ".a.json.4194305@elsewhere.tmp", ".mine.tmp", ".x.12a.tmp", "a.4194305.tmp", "film.tmp.mp4"]
        for name in dead + kept:
            (tmp_path / name).write_text("{}")
        remove_leftovers(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == set(kept)
    assert {path.name for path in tmp_path.iterdir()} == {*kept[1:], "a.json"}


def test_a_folder_that_nothing_was_written_to_does_not_stay(tmp_path: Path):
    with pytest.raises(UserError, match="expected"), turn(tmp_path / "new", "a", "does a"):
        raise UserError("expected another value")
    assert not (tmp_path / "new").exists()
    with pytest.raises(UserError, match="eye_size"):
        collect.run(collect.Config(tmp_path / "new", eye_size=(5, 5)))
    assert not (tmp_path / "new").exists()


def command(*words: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("metrics.json", "config.json", "report.html")
    }


def test_three_collections_into_one_folder_end_with_the_same_data(small_data: Dataset, tmp_path: Path):
    words = ["--samples", 32, "--eye-size", 60, 100, "--shard-size", 10, "--seed", 3, "--workers", 2]
    processes = [command("collect", "--out", tmp_path / "data", *words) for _ in range(3)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sum(f"another process collects in {tmp_path / 'data'}; waiting" in text for text in said) >= 1, said
    mine, usual = files(tmp_path / "data"), files(small_data.path)
    # other tests read its pictures in other formats
    assert mine.keys() == {name for name in usual if "-as-" not in name}
    assert all(mine[name] == usual[name] for name in mine if name.startswith("cache"))
    assert Dataset.open(tmp_path / "data").fingerprint == small_data.fingerprint


def test_a_waiting_training_finds_the_map_of_the_other(
    tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    before = (run / "som.safetensors").read_bytes()
    (run / "som.safetensors").unlink()
    config = som.STAGE.config_in(tiny_run)
    words = ["train-som", "--run", run, "--rows", config.rows, "--columns", config.columns, "--seed", config.seed]
    with alone(run / ".train-som.lock"):
        other = command(*words)
        assert other.stdout is not None
        assert other.stdout.readline() == f"another process trains the map in {run}; waiting\n"
        assert cli.main([str(word) for word in words]) == 0  # this process holds the lock
    said = other.communicate()[0]
    assert other.returncode == 0, said
    assert "is there already" in said
    assert (run / "som.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        *(
            ["train-som"],
            ["train-world-model"],
            ["calibrate"],
            ["evaluate"],
            ["evaluate", "--methods", "all"],
            ["tune"],
        ),
        *(["ablate", "--what", "map_size"], ["reach"], ["plan"], ["imagery"], ["train-rl"], ["report"]),
        *(["train-glance", "--data"], ["train-baseline", "latent_mlp", "--data"], ["train-baseline", "dnm", "--data"]),
        *(["bench", "ae"], ["bench", "query"], ["bench", "imagine"], ["bench", "world"], ["bench", "som"]),
    ],
    ids=" ".join,
)
def test_a_mistyped_run_is_told_and_makes_no_folder(
    words: list[str], small_data: Dataset, tiny_run: Path, capsys: pytest.CaptureFixture[str]
):
    typed = tiny_run.with_name("rnu")
    data = [str(small_data.path)] if words[-1] == "--data" else []
    assert cli.main([*words, *data, "--run", str(typed)]) == 2
    line = capsys.readouterr().err
    assert str(typed) in line
    if not data and words[0] != "bench":
        assert f"(runs near it: {tiny_run})" in line
    assert not typed.exists()
