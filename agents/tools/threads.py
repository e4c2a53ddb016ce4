"""Work in several threads, one per processor core; and a safe number of threads after a fork."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
_PROCESS = os.getpid()  # number of the process that imported this module


def one_thread_after_fork() -> None:
    """Limits torch to one thread in a forked process: a fork does not copy the others, and torch would wait for them for ever."""
    if os.getpid() != _PROCESS:
        torch.set_num_threads(1)


@contextmanager
def exactly(count: int) -> Iterator[None]:
    """Sets the number of torch's threads during a block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_threads(function: Callable[[Tensor], Result], rows: Tensor, most: int, least: int = 1) -> list[Result]:
    """Results of a function for each chunk of rows, in order; on the CPU it uses as many threads as torch does.

    Small operations gain little from a second core and must wait for it; chunks that run in parallel use all cores fully.

    Args:
        function: called with one chunk at a time.
        rows: shape (N, ...).
        most: largest number of rows in a chunk.
        least: smallest number of rows for which a thread pays off.
    """
    threads = torch.get_num_threads() if rows.device.type == "cpu" else 1
    rounds = -(-len(rows) // (threads * most))  # all threads get the same number of chunks
    chunks = rows.split(max(least, -(-len(rows) // (threads * max(rounds, 1)))))
    if min(threads, len(chunks)) < 2:
        return [function(chunk) for chunk in chunks]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, chunks))
    finally:
        torch.set_num_threads(threads)  # new threads inherit the number that any thread set last
