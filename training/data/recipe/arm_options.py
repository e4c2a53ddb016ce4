"""Options about the arm: which hand reaches (`--hand`), and how the arm is seen (`--seen`)."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.given import shown
from infant_env.senses.seen.seen import Seen


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


def seen_of_json(text: str | None) -> dict[str, Any]:
    """The fields of a `Seen` that differ from the usual, from the option's text; none without it.

    Raises:
        UserError: the text is no JSON object, or a field is unknown or out of range.
    """
    try:
        given = json.loads(text or "{}")
    except ValueError:
        given = text
    if not isinstance(given, Mapping):
        raise UserError(
            f"got --seen {shown(text)}, expected fields of infant_env.Seen as JSON, such as '{{\"turn\": 15}}'"
        )
    seen = Seen.of(given)
    return {} if seen is None else seen.as_dict()


def as_option(seen: Mapping[str, Any]) -> str | None:
    """The option's text, the inverse of `seen_of_json`."""
    return json.dumps(seen) if seen else None
