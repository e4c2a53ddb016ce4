"""Cached arrays with a seal: what was changed, cut off or belongs to other data is not read, but made again."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing


def write(path: Path, array: NDArray[Any], of: str) -> None:
    """Writes an array as a `.npy` file with a seal of 32 bytes at its end, completely or not at all.

    Args:
        path: the file.
        array: the array.
        of: all that the array depends on.
    """
    buffer = io.BytesIO()
    np.save(buffer, array)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue() + _seal(buffer.getvalue(), of))


def read(path: Path, of: str) -> NDArray[Any] | None:
    """The array in a file of `write`; None if there is none, or if it is damaged or depends on something else."""
    try:
        content = memoryview(path.read_bytes())
    except OSError:
        return None
    array, seal = content[:-32], content[-32:]
    return np.load(io.BytesIO(array), allow_pickle=False) if seal == _seal(array, of) else None


def _seal(content: bytes | memoryview, of: str) -> bytes:
    digest = hashlib.sha256(of.encode())
    digest.update(content)
    return digest.digest()
