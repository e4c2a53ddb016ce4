"""`infant-arm studio`: watch and control the infant and its imagination in the browser."""

import ctypes
import sys
import threading
import webbrowser
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from infant_env.errors import UserError

from ..runs.config import RunConfig

_ARENAS, _THRESHOLD = -8, -3  # mallopt's M_ARENA_MAX and M_MMAP_THRESHOLD


@dataclass(frozen=True)
class Config(RunConfig):
    """Open the studio: a page in the browser that moves the infant and shows what it sees and imagines."""

    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    """Port of the page; the next free one if it is in use."""
    host: str = "127.0.0.1"
    """Address at which the page is served. 0.0.0.0 admits other machines. Then the page's address holds a random token, and
    everyone who has this address can control the infant."""
    browser: bool = True
    """Open the page in a browser."""


def run(config: Config) -> None:
    """Serves the page until the user interrupts it.

    Raises:
        UserError: viser or mjviser is not installed, or the run lacks something that the studio shows.
    """
    try:
        import mjviser  # noqa: F401
        import viser  # noqa: F401
    except ImportError as error:
        raise UserError(f"the studio needs viser and mjviser ({error}): pip install 'infant-arm[studio]'") from None
    from .page import Page

    free_large_arrays()
    page = Page(config.run, config.host, config.port, config.seed, config.device)
    print(f"The studio is at {page.address} (Ctrl-C ends it)", flush=True)
    if page.door.token:
        print(
            "On another machine, open this address with the name of this computer. Whoever has it can use the studio."
        )
    if config.browser:
        webbrowser.open(page.address)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        page.close()


def free_large_arrays() -> None:
    """Makes glibc return the memory of large arrays to the system when they are freed.

    The studio makes pictures in many threads for hours. By default each thread keeps its freed memory, so the process grows.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_ARENAS, 2)
        mallopt(_THRESHOLD, 2**18)
