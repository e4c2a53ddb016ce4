"""Checks of recorded joints, and the ranges that they have."""

from collections.abc import Mapping, Sequence

import numpy as np

from infant_env.errors import UserError

from .sources.source import Floats

Ranges = tuple[tuple[float, float], ...]
_FULL_TURN = 2 * np.pi
_CONSTANT = 1e-6  # rad


def in_radians(joints: Floats, names: Sequence[str], degrees: bool) -> Floats:
    """The joints in rad, (N, J), with `degrees` from degrees.

    Raises:
        UserError: a joint is NaN, does not move, or has angles beyond a full turn that look like degrees.
    """
    bad = np.argwhere(~np.isfinite(joints))
    if len(bad):
        row, joint = bad[0]
        raise UserError(
            f"got {joints[row, joint]} for the joint {names[joint]} in row {row + 1}, expected a number; leave such rows out"
        )
    angles = np.deg2rad(joints) if degrees else joints
    for name, column in zip(names, angles.T, strict=True):
        if np.ptp(column) < _CONSTANT:
            raise UserError(
                f"got the joint {name} that is {column[0]:g} throughout, expected one that moves; leave it out"
            )
        if np.abs(column).max() > _FULL_TURN:
            beyond = f"got angles of the joint {name} from {column.min():g} to {column.max():g} rad"
            mend = "check its unit" if degrees else "if they are degrees, give --degrees"
            raise UserError(f"{beyond}, expected at most a full turn, {_FULL_TURN:.2f}; {mend}")
    return angles


def ranges_of(
    angles: Floats, names: Sequence[str], given: Mapping[str, tuple[float, float]], degrees: bool, margin: float
) -> Ranges:
    """The lower and upper end of each joint's range, rad: as given, otherwise those of the data and a margin.

    Args:
        angles: the joints, shape (N, J), rad.
        names: their names.
        given: ranges by name, in rad or in degrees.
        degrees: whether they are in degrees.
        margin: what is added at each end, as a share of the range in the data.

    Raises:
        UserError: a name is unknown, a range does not rise, or the data exceed it.
    """
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        raise UserError(f"got --joint-ranges of {unknown}, expected joints among {list(names)}")
    ends = []
    for name, column in zip(names, angles.T, strict=True):
        more = margin * float(np.ptp(column))
        low, high = float(column.min()), float(column.max())
        if name not in given:
            ends.append((low - more, high + more))
            continue
        told = np.deg2rad(given[name]) if degrees else np.array(given[name], float)
        if not told[0] <= low < high <= told[1]:
            raise UserError(
                f"got --joint-ranges {name} {given[name][0]:g} {given[name][1]:g}, but the recording has {low:.3f} to {high:.3f} "
                "rad; give a range that holds all of it"
            )
        ends.append((float(told[0]), float(told[1])))
    return tuple(ends)


def check_hands(hands: Floats) -> None:
    """Raises a UserError unless these are finite positions, (N, 3)."""
    if hands.shape[1] != 3:
        raise UserError(f"got {hands.shape[1]} numbers of --hand, expected three: x, y and z in meters")
    if not np.isfinite(hands).all():
        row = int(np.argwhere(~np.isfinite(hands))[0, 0])
        raise UserError(
            f"got no finite position of the hand in row {row + 1}; leave such rows out, or leave out --hand"
        )
