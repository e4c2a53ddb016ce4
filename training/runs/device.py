"""Where a command computes, and on how many processor threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from infant_env.errors import UserError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


def pick_device(name: Device) -> "torch.device":
    """The device that a command computes on; `auto` takes CUDA where there is one.

    Raises:
        UserError: CUDA is asked for and there is none.
    """
    import torch  # here, so that processes that only collect do not load it

    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("got --device cuda, but torch sees no CUDA device; expected --device auto or cpu here")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Lets torch compute on this many processor threads for a while; None leaves their number as it is."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
