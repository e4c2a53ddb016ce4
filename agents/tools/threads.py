"""Work in several threads of which each computes on one processor core, and in none where a fork has lost them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
_PROCESS = os.getpid()  # which imported this


def one_thread_after_fork() -> None:
    """Lets torch compute on one thread in a forked process: its others were not forked, and it would wait for them for ever."""
    if os.getpid() != _PROCESS:
        torch.set_num_threads(1)


def in_threads(function: Callable[[Tensor], Result], rows: Tensor, most: int, least: int = 1) -> list[Result]:
    """What a function gives for each chunk of rows, in order; on the CPU by as many threads as torch computes with.

    Many small operations gain little from a second core each, and wait for it; whole chunks side by side gain all of it.

    Args:
        function: called with some of the rows at a time.
        rows: shape (N, ...).
        most: rows of a chunk at most.
        least: rows of a chunk that are worth a thread.
    """
    threads = torch.get_num_threads() if rows.device.type == "cpu" else 1
    rounds = -(-len(rows) // (threads * most))  # each thread gets as many chunks as every other
    chunks = rows.split(max(least, -(-len(rows) // (threads * max(rounds, 1)))))
    if min(threads, len(chunks)) < 2:
        return [function(chunk) for chunk in chunks]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, chunks))
    finally:
        torch.set_num_threads(threads)  # new threads take the number that was set last, by whichever thread
