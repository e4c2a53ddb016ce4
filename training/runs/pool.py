"""Runs a graph of tasks, on this machine's cores or on a Dask cluster; a task waits for those that it depends on."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from tqdm import tqdm

from infant_env.errors import UserError

from .cluster import connected
from .device import Surroundings, cluster_of

_FLOORS = "infant_env", "agents", "training"
_kept = threading.local()  # each thread's process for tasks that do not need a fresh one


@dataclass(frozen=True)
class Task:
    """A function that can be imported, with its argument; its results are files.

    Attributes:
        name: its name; no other task has it.
        log: the file for its output.
        after: names of the tasks that must be done before.
        size: its part of the progress bar.
        fresh: whether it runs in a process of its own, so that measured time and memory are those of the task alone.
    """

    name: str
    run: Callable[[Any], Any]
    config: Any
    log: Path = Path(os.devnull)
    after: tuple[str, ...] = ()
    size: int = 1
    fresh: bool = True


def run_all(tasks: Sequence[Task], folder: Path, workers: int, cluster: str | None = None, bar: Any = None) -> float:
    """Runs all tasks, earlier ones first, in processes that end with this one, and shows a progress bar.

    Args:
        tasks: the tasks; if the cluster loses some, they run again.
        folder: the folder of the results, which all workers must see.
        workers: number of processes at a time on this machine.
        cluster: address of a Dask scheduler whose workers run the tasks; by default that in `INFANT_ARM_CLUSTER`, if any.
        bar: the progress bar, by default one that counts tasks.

    Returns:
        Processor seconds of all tasks.

    Raises:
        UserError: a task failed, with its own message, or was killed. Finished tasks keep their results, and no other starts.
    """
    address, ranks = cluster_of(cluster), {task.name: rank for rank, task in enumerate(tasks)}
    home = Surroundings.here() if address else None
    ready, running, spent = list[int](), dict[Future[float], int](), 0.0
    graph = TopologicalSorter({ranks[task.name]: [ranks[name] for name in task.after] for task in tasks})
    graph.prepare()
    places = connected(address, folder) if address else ThreadPoolExecutor(workers)
    with bar or tqdm(total=len(tasks), unit="stage") as bar, places as executor:
        while graph.is_active():
            ready = sorted([*ready, *graph.get_ready()])
            while ready and (address or len(running) < workers):
                rank = ready.pop(0)
                options = {"priority": -rank} if address else {}  # a scheduler holds all tasks, and sorts them
                running[executor.submit(_run_apart, tasks[rank], home, **options)] = rank
            bar.set_postfix_str(", ".join(tasks[rank].name for rank in list(running.values())[:3]))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                rank = running.pop(future)
                if future.cancelled():  # the scheduler is gone; the task waits for the next one
                    ready.append(rank)
                else:
                    spent += _seconds(future, tasks[rank])
                    graph.done(rank)
                    bar.update(tasks[rank].size)
    return spent


def _seconds(future: Future[float], task: Task) -> float:
    if type(future.exception()).__name__ in ("BrokenProcessPool", "KilledWorker"):  # the latter is dask's
        told = f"a process was killed during {task.name}, perhaps for lack of memory; see {task.log}"
        raise UserError(f"{told} and run the same command again") from None
    return future.result()


def _run_apart(task: Task, home: Surroundings | None) -> float:
    """Runs a task in another process, and waits for it; returns its processor seconds."""
    if home is not None:
        home.prepare()
    process = None if task.fresh else _kept.__dict__.pop("process", None)
    if process is None:
        context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
        getattr(context, "set_forkserver_preload", list)(_libraries(home is not None))  # loads them once for all
        process = ProcessPoolExecutor(1, context, _end_with_parent)
    spent = process.submit(_run_here, task, home).result()
    if not task.fresh:
        _kept.process = process
    return spent


def _libraries(on_cluster: bool) -> list[str]:
    """What tasks need: the modules of this project that this process has loaded, since the first task may need fewer.

    A cluster runs any task. Without `torch._dynamo`, the first optimizer of each process would load it for a second.
    """
    found = [name for name in list(sys.modules) if name.partition(".")[0] in _FLOORS]
    found += ["torch._dynamo"] if on_cluster or "torch" in sys.modules else []
    return [*found, "matplotlib.pyplot"] if on_cluster else found


def _run_here(task: Task, home: Surroundings | None) -> float:
    before = time.process_time()
    if home is not None:
        home.enter()
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with task.log.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        task.run(task.config)
    return time.process_time() - before


def _end_with_parent() -> None:
    """Makes this process end when its parent ends, for whatever reason."""
    parent: Any = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
