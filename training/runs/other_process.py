"""Work in a process of its own, beside what this one does."""

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
def in_other_process(stages: Sequence[Command], log: Path) -> Iterator[None]:
    """Runs stages one after the other in another process while the block runs, and waits for them at its end.

    The process ends with this one, however this one ends.

    Args:
        stages: what to run, functions that can be imported.
        log: takes what they print.

    Raises:
        UserError: one of them failed, with its own message.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")  # a fork would inherit a GL context that does not survive it
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(list(stages), log, sender), daemon=True)
    process.start()
    sender.close()
    try:
        yield
        failure = receiver.recv()
        process.join()  # it puts its own things away
    except EOFError:
        process.join()
        failure = f"the process beside ended with status {process.exitcode}; see {log} and run the same command again"
    finally:
        process.terminate()
        process.join()
    if failure is not None:
        raise UserError(failure)


def _work(stages: list[Command], log: Path, sender: Any) -> None:
    end_with_parent()
    failure = None
    with log.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            for run, config in stages:
                run(config)
        except (UserError, OSError) as error:
            failure = str(error)
    sender.send(failure)


def end_with_parent() -> None:
    """Has this process end when its parent does, however that happens."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
