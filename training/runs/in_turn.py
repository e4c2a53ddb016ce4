"""Processes that run the same command on the same folder take turns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TypeVar

from agents.tools.files import remove_leftovers
from agents.tools.locks import alone

from . import folder as runs
from .config import RunConfig

C = TypeVar("C", bound=RunConfig)
R = TypeVar("R")


@contextmanager
def turn(folder: Path, command: str, does: str) -> Iterator[None]:
    """Waits, with one line, until no other process runs a command on a folder; removes what killed processes left there.

    Args:
        folder: the folder; it is made if it is missing.
        command: the command's name.
        does: what the command does, for the line.
    """
    try:
        with alone(folder / f".{command}.lock", f"{does} in {folder}"):
            remove_leftovers(folder)
            yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()  # if it is empty
        raise


def in_turn(command: str, does: str) -> Callable[[Callable[[C], R]], Callable[[C], R]]:
    """Makes the `run` of a command take turns with other processes; first it checks that there is a run.

    Args:
        command: the command's name.
        does: what the command does, for the line of a waiting process.
    """

    def decorate(run: Callable[[C], R]) -> Callable[[C], R]:
        @wraps(run)
        def run_in_turn(config: C) -> R:
            runs.data_of(config.run)  # raises an error before anything is written to a folder with a mistyped name
            with turn(config.run, command, does):
                return run(config)

        return run_in_turn

    return decorate
