"""What users give, read as numbers, and shown in messages."""

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHOWN = 200
"""Characters of a value that a message shows at most."""


def numbers(given: Any) -> NDArray[np.float64]:
    """What was given as an array of numbers; an empty one when it holds none."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last: a tensor that records its gradients
        return np.empty(0)


def shown(given: Any) -> str:
    """A value as a message shows it: on one line, and not too long."""
    text = " ".join(repr(given).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def detached(given: Any) -> str:
    """How to mend a value that records its gradients; else nothing."""
    return "; give .detach() of the tensor" if getattr(given, "requires_grad", False) else ""


def whole(given: Any) -> int | None:
    """What was given as a whole number, or None when it is none."""
    try:
        return operator.index(given)
    except TypeError:
        return None
