"""Locks between processes: one at a time makes a file or changes it, and the others wait."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def alone(path: Path, busy: str = "") -> Iterator[None]:
    """Holds a lock during a block; waits while another process holds it.

    A lock ends with its process, also if that is killed. A block inside of a block of the same process may hold the same lock.
    The lock's file is removed at the end.

    Args:
        path: the lock's file.
        busy: what the other process does, for the line that a waiting process prints; empty: it prints nothing.
    """
    from filelock import FileLock, Timeout  # here: it loads asyncio, which most processes do not need

    lock = FileLock(path, is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if busy:
            print(f"another process {busy}; waiting", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        if lock.lock_counter == 1:
            with suppress(OSError):  # Windows keeps open files
                path.unlink()  # a waiting process sees that this file is gone, and locks a new one
        lock.release()
