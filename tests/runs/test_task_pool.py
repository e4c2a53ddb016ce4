import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from training.runs.pool import Task, run_all


@dataclass(frozen=True)
class Note:
    """Appends a word and the process's number to a file."""

    path: Path
    word: str
    seconds: float = 0.0


def write(note: Note) -> None:
    time.sleep(note.seconds)
    print("said", note.word)
    with note.path.open("a") as file:
        file.write(f"{note.word} {os.getpid()}\n")


def refuse(note: Note) -> None:
    raise ValueError(f"no {note.word} here")


def test_tasks_wait_for_those_that_they_need_and_run_in_processes_of_their_own(tmp_path: Path):
    notes, log = tmp_path / "notes", tmp_path / "log"
    tasks = [
        Task("last", write, Note(notes, "last"), log, ("slow", "quick")),
        Task("slow", write, Note(notes, "slow", 1.0), log),
        Task("quick", write, Note(notes, "quick"), log),
    ]
    run_all(tasks, tmp_path, 2)
    words, processes = zip(*(line.split() for line in notes.read_text().splitlines()), strict=True)
    assert words == ("quick", "slow", "last")
    assert len(set(processes)) == 3
    assert "said slow" in log.read_text()


def test_a_task_that_fails_is_told_and_no_other_begins(tmp_path: Path):
    notes, log = tmp_path / "notes", tmp_path / "log"
    tasks = [
        Task("bad", refuse, Note(notes, "bread"), log),
        Task("after", write, Note(notes, "after"), log, ("bad",)),
    ]
    with pytest.raises(ValueError, match="no bread here"):
        run_all(tasks, tmp_path, 1)
    assert not notes.exists()


def vanish(note: Note) -> None:
    os._exit(9)


def test_a_process_that_is_ended_is_told_in_one_line(tmp_path: Path):
    with pytest.raises(ValueError, match="a process was killed during gone.*run the same command again"):
        run_all([Task("gone", vanish, Note(tmp_path / "notes", ""), tmp_path / "log")], tmp_path, 1)
