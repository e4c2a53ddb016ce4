"""Users' input: conversion to numbers, and its text in messages."""

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHOWN = 200
"""A message shows at most this many characters of a value."""


def numbers(given: Any) -> NDArray[np.float64]:
    """The value as an array of numbers; an empty array if that is impossible."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last: a tensor that records its gradients
        return np.empty(0)


def shown(given: Any) -> str:
    """The text of a value in a message: on one line, and not too long."""
    text = " ".join(repr(given).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def detached(given: Any) -> str:
    """Advice for a tensor that records gradients; empty for other values."""
    return "; give .detach() of the tensor" if getattr(given, "requires_grad", False) else ""


def whole(given: Any) -> int | None:
    """The value as a whole number, or None if it is not one."""
    try:
        return operator.index(given)
    except TypeError:
        return None
