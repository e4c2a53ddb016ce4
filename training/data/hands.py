"""Which of a body's hands reach, from the option `--hand`."""

import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.errors import UserError


def hands_that_reach(hand: str, arm: ArmModel) -> NDArray[np.bool_]:
    """Which hands reach, shape (H,).

    Args:
        hand: `right`, `left` or `both`.
        arm: the body.

    Raises:
        UserError: the body does not move this hand.
    """
    known = [*arm.hands, *(["both"] if len(arm.hands) > 1 else [])]
    if hand not in known:
        mend = (
            "leave out --hand"
            if arm.body.mjcf
            else "leave out --hand, or make a run of `infant-arm collect --arms both`"
        )
        raise UserError(f"got --hand {hand}, but the infant of this run moves one hand, {known[0]!r}; {mend}")
    return np.array([hand in (side, "both") for side in arm.hands])


def in_words(hands: NDArray[np.bool_]) -> str:
    """Some of two hands, shape (2,), in words: `the left hand`, or `both hands`."""
    right, left = hands
    return "both hands" if right and left else f"the {'right' if right else 'left'} hand"
