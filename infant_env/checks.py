"""What users give to an environment, checked: one line that says what came, what was expected and how to mend it."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .body import ArmModel


def numbers(given: Any) -> NDArray[np.float64]:
    """What was given as an array of numbers; an empty one when it holds none."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)


def check_choice(name: str, given: Any, choices: Collection[Any]) -> None:
    """Raises a ValueError unless an argument is one of a few."""
    if given not in choices:
        raise ValueError(f"got {name}={given!r}, expected one of {list(choices)}")


def check_eye_size(eye_size: tuple[int, int]) -> None:
    """Raises a ValueError unless these are rows and columns of the eye's aspect."""
    rows, columns = eye_size
    if rows < 36 or abs(columns - rows * 5 / 3) > 1:
        raise ValueError(
            f"got eye_size={tuple(eye_size)}, expected (rows, columns) of aspect 3:5 with at least 36 rows, "
            f"such as (300, 500) or (150, 250); for {rows} rows take {round(rows * 5 / 3)} columns"
        )


def check_options(options: dict[str, Any] | None, known: tuple[str, ...]) -> dict[str, Any]:
    """The options of a reset.

    Raises:
        ValueError: one of them is unknown.
    """
    unknown = set(options or ()) - set(known)
    if unknown:
        raise ValueError(
            f"got the unknown reset option {sorted(unknown)}, expected {' or '.join(repr(name) for name in known)}"
        )
    return options or {}


def checked_joints(arm: ArmModel, joints: Any) -> NDArray[np.float64]:
    """Joint angles within their ranges, shape (J,), rad.

    Raises:
        ValueError: they are misshapen, not finite or out of range.
    """
    low, high = arm.joint_ranges.T
    given = numbers(joints)
    if given.shape != low.shape or not ((given >= low - 1e-6) & (given <= high + 1e-6)).all():
        ranges = ", ".join(f"{n} {a:.2f}..{b:.2f}" for n, a, b in zip(arm.joint_names, low, high, strict=True))
        raise ValueError(f"got the joints {joints}, expected angles in rad within {ranges}")
    return given.clip(low, high)


def check_counts(**counts: int) -> None:
    """Raises a ValueError unless each is 1 or more; threads may be 0."""
    for name, count in counts.items():
        least = 0 if name == "threads" else 1
        if count < least:
            raise ValueError(f"got {name}={count}, expected {least} or more")


def seed_of_each(seed: int | Sequence[int | None] | None, infants: int) -> Sequence[int | None]:
    """One seed for each infant, counting up from a single one; None: its random numbers go on.

    Raises:
        ValueError: there are several, but not as many as infants.
    """
    if seed is None:
        return [None] * infants
    if isinstance(seed, int | np.integer):
        return [int(seed) + infant for infant in range(infants)]
    if len(seed) != infants:
        raise ValueError(f"got {len(seed)} seeds, expected one number, or one for each of the {infants} infants")
    return seed


def options_of(infant: int, infants: int, options: dict[str, Any]) -> dict[str, Any]:
    """What of the options is one infant's: its row where there are rows.

    Raises:
        ValueError: there are not as many rows as infants.
    """
    rows = {name: given for name, given in options.items() if numbers(given).ndim == 2}
    for name, given in rows.items():
        if len(given) != infants:
            raise ValueError(
                f"got {len(given)} rows of {name!r}, expected one for all or for each of the {infants} infants"
            )
    return options | {name: given[infant] for name, given in rows.items()}
