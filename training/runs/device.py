"""What a process computes with: its device, its threads, and what another machine's process takes over from it."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from infant_env.errors import UserError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
CLUSTER = "INFANT_ARM_CLUSTER"
"""The environment variable with the address of a Dask scheduler."""
_OF_NANNIES = "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_"
"""Dask sets them for its workers: one thread, and memory that goes back at once, with which pictures take twice the time."""


def pick_device(name: Device) -> "torch.device":
    """The device that a command computes on; `auto` chooses CUDA if it is available.

    Raises:
        UserError: CUDA is asked for but not available.
    """
    import torch  # here: a process that only collects does not need it

    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("got --device cuda, but torch sees no CUDA device; expected --device auto or cpu here")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Sets the number of torch's processor threads during a block; None leaves it unchanged."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cluster_of(given: str | None) -> str | None:
    """The address of the Dask scheduler: the given one, or that in the environment variable; None: this machine works alone."""
    return given or os.environ.get(CLUSTER) or None


def prepare_environment() -> None:
    """Sets environment variables that libraries read when they are loaded, unless the user has set them."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # up to 60 times faster while another process is busy
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"} & os.environ.keys():
        os.environ["MUJOCO_GL"] = "egl"


@dataclass(frozen=True)
class Surroundings:
    """The working folder, the command line, and all that decides about the number of threads."""

    folder: str
    words: list[str]
    """The command line, which a run's folder records."""
    threads: int | None
    """torch's number of threads; None if it is not loaded."""
    variables: dict[str, str]

    @classmethod
    def here(cls) -> "Surroundings":
        """Those of this process."""
        torch: Any = sys.modules.get("torch")
        variables = {name: os.environ[name] for name in _OF_NANNIES if name in os.environ}
        return cls(os.getcwd(), sys.argv, torch.get_num_threads() if torch else None, variables)

    def prepare(self) -> None:
        """Prepares this process, a worker of Dask, so that its children are like the process that gives them work."""
        for name in {*_OF_NANNIES, CLUSTER} & os.environ.keys():
            del os.environ[name]
        os.environ.update(self.variables)
        prepare_environment()
        multiprocessing.current_process().daemon = False  # a daemon may have no children

    def enter(self) -> None:
        """Takes over folder, command line and number of threads."""
        sys.argv = self.words
        with suppress(FileNotFoundError):  # then all paths are absolute
            os.chdir(self.folder)
        if self.threads:
            import torch

            torch.set_num_threads(self.threads)
