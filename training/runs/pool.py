"""Runs stages in parallel processes; a stage waits for those that it depends on."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from infant_env.errors import UserError

from .other_process import end_with_parent

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@dataclass(frozen=True)
class Task:
    """A command's `run` with its config, and the tasks that it waits for.

    Attributes:
        name: its name; no other task has it.
        run: a function that can be imported.
        config: the function's argument.
        log: the file for its output.
        after: names of the tasks that must be done before.
    """

    name: str
    run: Callable[[Any], Any]
    config: Any
    log: Path
    after: tuple[str, ...] = ()


def run_side_by_side(tasks: Sequence[Task], workers: int) -> None:
    """Runs all tasks, earlier ones first, each in a process of its own, and shows a progress bar.

    With its own process, the measured time and memory are those of the task alone. All processes end when this one ends.

    Args:
        tasks: the tasks.
        workers: number of processes at a time.

    Raises:
        UserError: a task failed, with its own message, or its process was killed. Finished tasks keep their results, and no
            further task starts.
    """
    context = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload([task.run.__module__ for task in tasks])  # loads the libraries once for all
    waiting, done, running = list(tasks), set[str](), dict[Future[None], Task]()
    with (
        ProcessPoolExecutor(workers, context, end_with_parent, max_tasks_per_child=1) as pool,
        tqdm(total=len(tasks), unit="stage") as bar,
    ):
        while waiting or running:
            for task in [task for task in waiting if done.issuperset(task.after)][: workers - len(running)]:
                waiting.remove(task)
                running[pool.submit(_work, task)] = task
            bar.set_postfix_str(", ".join(task.name for task in running.values()))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                _check(task, future)
                done.add(task.name)
                bar.update()


def _check(task: Task, future: Future[None]) -> None:
    """Raises the error of a task, if it had one."""
    try:
        future.result()
    except BrokenProcessPool:
        raise UserError(
            f"a process was killed during {task.name}, perhaps for lack of memory; see {task.log} and run the same command "
            "again"
        ) from None


def _work(task: Task) -> None:
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with task.log.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        task.run(task.config)
