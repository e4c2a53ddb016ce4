"""The device of a command, and the number of its processor threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from infant_env.errors import UserError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


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
