"""Checks of users' input to environments; each error says in one line what came, what was expected and how to mend it."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..given import detached, numbers, shown, whole
from .model import ArmModel

_OFF_LOCK = 1e-4  # rad; single precision and JSON round angles
_EYE_SIDES = 36, 8192
"""Fewest and most pixels along a side of the eye's frames; stable-baselines3's networks need at least 36."""
_SIDES = 1, 8192
"""Fewest and most pixels along a side of the frames from outside."""


def check_choice(name: str, given: Any, choices: Collection[Any]) -> None:
    """Raises a UserError unless an argument is one of the choices."""
    if not any(given is choice or (isinstance(given, str) and given == choice) for choice in choices):
        raise UserError(f"got {name}={shown(given)}, expected one of {list(choices)}")


def checked_eye_size(eye_size: Any) -> tuple[int, int]:
    """Checks the size of the eye's frames, of any aspect, and returns (rows, columns).

    Raises:
        UserError: the size is not two whole numbers, or is too small or too large.
    """
    try:
        rows, columns = (whole(side) for side in eye_size)
    except (TypeError, ValueError):
        rows = columns = None
    least, most = _EYE_SIDES
    if rows is None or columns is None or not (least <= rows <= most and least <= columns <= most):
        raise UserError(
            f"got eye_size={shown(eye_size)}, expected (rows, columns), whole numbers from {least} to {most}, such as "
            "(300, 500), (120, 160) or (64, 64)"
        )
    return rows, columns


def check_sides(**sides: Any) -> None:
    """Raises a UserError unless width and height are whole numbers of pixels within the limits."""
    least, most = _SIDES
    for name, side in sides.items():
        pixels = whole(side)
        if pixels is None or not least <= pixels <= most:
            raise UserError(f"got {name}={shown(side)}, expected a whole number of pixels from {least} to {most}")


def check_options(options: dict[str, Any] | None, known: tuple[str, ...]) -> dict[str, Any]:
    """Checks the options of a reset and returns them; None gives an empty dictionary.

    Raises:
        UserError: the options are not a dictionary, or one of them is unknown.
    """
    expected = " or ".join(repr(name) for name in known)
    if not isinstance(options or {}, dict):
        raise UserError(f"got options={shown(options)}, expected a dictionary with {expected}")
    unknown = set(options or ()) - set(known)
    if unknown:
        raise UserError(f"got the unknown reset option {sorted(unknown, key=str)}, expected {expected}")
    return options or {}


def checked_joints(arm: ArmModel, joints: Any) -> NDArray[np.float64]:
    """Checks joint angles and returns them clipped to their ranges, shape (J,), rad.

    Raises:
        UserError: the angles have a wrong shape, are not finite or are out of range.
    """
    low, high = arm.joint_ranges.T
    given = numbers(joints)
    if given.shape != low.shape or not ((given >= low - 1e-6) & (given <= high + 1e-6)).all():
        ranges = ", ".join(f"{n} {a:.2f}..{b:.2f}" for n, a, b in zip(arm.joint_names, low, high, strict=True))
        raise UserError(f"got the joints {shown(joints)}, expected angles in rad within {ranges}{detached(joints)}")
    locked = arm.locked(given)
    if np.abs(locked - given).max() > _OFF_LOCK:
        raise UserError(
            f"got the joints {shown(joints)}, expected the locked joints at their angles: {dict(arm.body.change.locked)} rad; "
            "arm.locked(joints) puts them there"
        )
    return arm.locked(given.clip(low, high))


def checked_gaze(arm: ArmModel, gaze: Any) -> NDArray[np.float64]:
    """Checks angles of the gaze and returns them clipped to their ranges, shape (G,), rad.

    Raises:
        UserError: the gaze is held, or the angles have a wrong shape, are not finite or are out of range.
    """
    if not arm.gaze_joints:
        turning = ', such as gaze="eyes"' if arm.body.mjcf is None else ""
        raise UserError(
            f"got the gaze {shown(gaze)} of a body whose gaze is held, expected a gaze that turns{turning}; or leave it out"
        )
    (low, high), given = arm.gaze.ranges.T, numbers(gaze)
    if given.shape != low.shape or not ((given >= low - 1e-6) & (given <= high + 1e-6)).all():
        ranges = ", ".join(f"{n} {a:.2f}..{b:.2f}" for n, a, b in zip(arm.gaze_joints, low, high, strict=True))
        raise UserError(f"got the gaze {shown(gaze)}, expected angles in rad within {ranges}{detached(gaze)}")
    return given.clip(low, high)


def check_counts(**counts: Any) -> None:
    """Raises a UserError unless each count is a whole number of 1 or more; `threads` may be 0."""
    for name, given in counts.items():
        least = 0 if name == "threads" else 1
        count = whole(given)
        if count is None or count < least:
            raise UserError(f"got {name}={shown(given)}, expected {least} or more, a whole number")


def checked_seed(seed: Any) -> int | None:
    """Checks the seed of one infant and returns it; None continues the infant's random numbers.

    Raises:
        UserError: the seed is not a whole number of 0 or more.
    """
    if seed is None:
        return None
    number = whole(seed)
    if number is None or number < 0:
        raise UserError(f"got seed={shown(seed)}, expected one whole number of 0 or more, or None")
    return number


def seed_of_each(seed: Any, infants: int) -> Sequence[int | None]:
    """One seed per infant: the given ones, or seed, seed + 1, ... for a single one; None continues the random numbers.

    Raises:
        UserError: the number of seeds differs from the number of infants, or a seed is not a whole number of 0 or more.
    """
    if seed is None:
        return [None] * infants
    if isinstance(seed, Sequence | np.ndarray) and np.ndim(seed) == 1:
        if len(seed) != infants:
            raise UserError(f"got {len(seed)} seeds, expected one number, or one for each of the {infants} infants")
        return [checked_seed(one) for one in seed]
    first = checked_seed(seed)
    assert first is not None
    return [first + infant for infant in range(infants)]


def checked_mask(mask: Any, infants: int) -> NDArray[np.bool_]:
    """Checks the mask of the infants to reset and returns a copy, shape (N,).

    All messages begin like those of Gymnasium's own vector environments.

    Raises:
        TypeError: the mask is not an array of booleans.
        UserError: its length is not the number of infants, or no element is True.
    """
    name, mend = (
        "`options['reset_mask']`",
        f"expected a numpy array of {infants} booleans, at least one of them True",
    )
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, got {type(mask)}, {mend}")
    if mask.shape != (infants,):
        raise UserError(f"{name} must have shape `({infants},)`, got {mask.shape}, {mend}")
    if mask.dtype != np.bool_:
        raise TypeError(f"{name} must have `dtype=np.bool_`, got {mask.dtype}, {mend}")
    if not mask.any():
        raise UserError(
            f"{name} must contain a boolean array with at least one True value, got reset_mask={mask}, {mend}"
        )
    return mask.copy()


def options_of(infant: int, infants: int, options: dict[str, Any]) -> dict[str, Any]:
    """The options of one infant: its own row of each option that has one row per infant.

    Raises:
        UserError: the number of rows differs from the number of infants.
    """
    rows = {name: given for name, given in options.items() if numbers(given).ndim == 2}
    for name, given in rows.items():
        if len(given) != infants:
            raise UserError(
                f"got {len(given)} rows of {name!r}, expected one for all or for each of the {infants} infants"
            )
    return options | {name: given[infant] for name, given in rows.items()}


def checked_infants(infants: Any, count: int) -> list[int]:
    """Checks the numbers of some infants and returns them; None: all.

    Raises:
        UserError: they are not whole numbers of infants, or one is there twice.
    """
    if infants is None:
        return list(range(count))
    single = whole(infants)
    given = [single] if single is not None else [whole(one) for one in infants] if np.ndim(infants) == 1 else [None]
    if not all(one is not None and 0 <= one < count for one in given) or len(set(given)) < len(given):
        raise UserError(
            f"got infants={shown(infants)}, expected different whole numbers from 0 to {count - 1}, or None for all"
        )
    return [int(one) for one in given if one is not None]
