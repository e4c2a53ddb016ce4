"""Work in several threads of which each computes on one processor core."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")


def in_threads(function: Callable[[Tensor], Result], chunks: Sequence[Tensor]) -> list[Result]:
    """What a function gives for each chunk, in order; on the CPU by as many threads as torch computes with.

    Many small operations gain little from a second core each, and wait for it; whole chunks side by side gain all of it.
    """
    threads = min(torch.get_num_threads(), len(chunks))
    if threads < 2 or chunks[0].device.type != "cpu":
        return [function(chunk) for chunk in chunks]
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, chunks))
    finally:
        torch.set_num_threads(before)  # new threads take the number that was set last, by whichever thread
