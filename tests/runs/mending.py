"""Follows the words of an error as a user would: deletes what it says, runs the commands that it names."""

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from training import cli


def run_command(*words: Any) -> tuple[int, str, str]:
    """Exit status, standard output, and the lines on standard error that are no progress bars."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main([str(word) for word in words])
    return status, out.getvalue(), "".join(re.findall(r"infant-arm: .*\n", err.getvalue()))


def follow(line: str) -> str:
    """Does what a line says; returns what the commands say that fail in turn."""
    damaged = re.search(r"(/\S+) is damaged.*delete it", line)
    for place in [*re.findall(r"delete (/[^\s,;]+)", line), *([damaged[1]] if damaged else [])]:
        shutil.rmtree(place) if Path(place).is_dir() else Path(place).unlink(missing_ok=True)
    told = ""
    for command in re.findall("`infant-arm ([^`]*)`", line):
        status, _, said = run_command(*shlex.split(command))
        told = told or (said if status else "")
    return told


def run_to_the_end(*words: Any, patience: int = 8) -> tuple[str, list[str]]:
    """Runs a command until it succeeds, and follows all advice; returns its last output, and the lines of advice."""
    lines: list[str] = []
    for _ in range(patience):
        status, out, said = run_command(*words)
        if status == 0:
            return out, lines
        while said and len(lines) < 2 * patience:
            assert said.count("\n") == 1, said
            lines.append(said)
            said = follow(said)
    raise AssertionError(f"the advice does not end well: {lines}")
