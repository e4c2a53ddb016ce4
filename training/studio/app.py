"""`infant-arm studio`: see, touch and steer the infant's imagination in the browser."""

import ctypes
import sys
import threading
import webbrowser
from dataclasses import dataclass

from infant_env.errors import UserError

from ..runs.config import RunConfig

_ARENAS, _THRESHOLD = -8, -3  # mallopt's M_ARENA_MAX and M_MMAP_THRESHOLD


@dataclass(frozen=True)
class Config(RunConfig):
    """Open the studio: a page on this machine, in which one moves the infant and sees what it sees and imagines."""

    port: int = 8080
    """Port of the page; the next free one when it is taken."""
    host: str = "127.0.0.1"
    """Address that the page is served on; 0.0.0.0 lets other machines in, and whoever comes in may steer."""
    browser: bool = True
    """Open the page in the browser."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.port < 65536:
            raise UserError(f"got port={self.port}, expected 1 to 65535, such as 8080")


def run(config: Config) -> None:
    """Serves the page until it is interrupted.

    Raises:
        UserError: viser or mjviser is not installed, or the run lacks what the studio shows.
    """
    try:
        import mjviser  # noqa: F401
        import viser  # noqa: F401
    except ImportError as error:
        raise UserError(f"the studio needs viser and mjviser ({error}): pip install 'infant-arm[studio]'") from None
    from .page import Page

    give_memory_back()
    page = Page(config.run, config.host, config.port, config.seed, config.device)
    print(f"The studio is at {page.address} (Ctrl-C ends it)", flush=True)
    if config.browser:
        webbrowser.open(page.address)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        page.close()


def give_memory_back() -> None:
    """Has large arrays go back to the system when they are freed, where the C library is glibc.

    Many threads make pictures here for hours; by default each keeps what it freed, and the process only ever grows.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_ARENAS, 2)
        mallopt(_THRESHOLD, 2**18)
