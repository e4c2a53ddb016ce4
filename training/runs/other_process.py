"""Runs commands in another process while this one goes on."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from infant_env.errors import UserError

Command = tuple[Callable[[Any], Any], Any]
"""A command's `run` and its config."""


@contextmanager
def in_other_process(commands: Sequence[Command], log: Path) -> Iterator[None]:
    """Runs commands one after the other in another process while the block runs; the end of the block waits for them.

    The other process ends when this one ends, for whatever reason.

    Args:
        commands: each with a function that can be imported.
        log: the file to which their output is added.

    Raises:
        UserError: a command failed; the message is its own.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")  # a fork would inherit a GL context that does not survive it
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(list(commands), log, sender), daemon=True)
    process.start()
    sender.close()
    try:
        yield
        failure = receiver.recv()
        process.join()  # it cleans up by itself
    except EOFError:
        process.join()
        failure = f"the other process ended with status {process.exitcode}; see {log} and run the same command again"
    finally:
        process.terminate()
        process.join()
    if failure is not None:
        raise UserError(failure)


def _work(commands: list[Command], log: Path, sender: Any) -> None:
    end_with_parent()
    failure = None
    with log.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            for run, config in commands:
                run(config)
        except (UserError, OSError) as error:
            failure = str(error)
    sender.send(failure)


def end_with_parent() -> None:
    """Makes this process end when its parent ends, for whatever reason."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
