"""Checks that a data set has what a command or a reader needs; each says in one line what to collect instead."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infant_env.errors import UserError

from .arm_options import as_option, in_words
from .recipe import Recipe

_COLLECTED_WITH = {
    "--eyes both": "frames of a second eye",
    "--fovea": "frames of a fovea",
    "--touch": "touch",
}
"""What only some collections record, by their option."""


def check_recorded(is_there: bool, option: str, path: Path) -> None:
    """Raises a UserError unless a collection recorded what its option (of `_COLLECTED_WITH`) asks for."""
    if not is_there:
        raise UserError(
            f"{path} has no {_COLLECTED_WITH[option]}, expected a data set of `infant-arm collect {option}`"
        )


def check_two_hands(recipe: Recipe, path: Path) -> None:
    """Raises a UserError unless the data set has two hands."""
    if recipe.arms != "both":
        raise UserError(f"{path} has one hand, expected a data set of `infant-arm collect --arms both`")


def check_knows_hand(recipe: Recipe, path: Path) -> None:
    """Raises a UserError if the poses were recorded without the hand's position."""
    if not recipe.knows_hand:
        raise UserError(
            f"{path} does not know where the hand is; import the recording with --hand and its three columns"
        )


def check_simulated(recipe: Recipe, path: Path, what: str) -> None:
    """Raises a UserError if the poses were recorded, and `what` needs a body that can be simulated."""
    if recipe.recording is not None:
        raise UserError(
            f"{path} was recorded and has no body, and {what} needs one to simulate; in your own environment, the agent of this "
            "run acts through agents.CameraArm (examples/your_robot.py)"
        )


def no_hand(
    views: NDArray[np.float32], recipe: Recipe, path: Path, what: str, hands: NDArray[np.bool_] | None
) -> UserError:
    """The error that no sample shows the hand.

    Args:
        views: shares of the pixels of the samples that show each hand, shape (n, H).
        recipe: the recipe of the data set.
        path: its folder.
        what: the name of the samples in the message, for example "test picture".
        hands: the hands that must be shown, a mask (H,); None: any.
    """
    most = views.max() if hands is None else views[:, hands].min(axis=1).max()
    which = "the hand" if hands is None or views.shape[1] == 1 else in_words(hands)
    return UserError(
        f"{path} has no {what} that shows {which}: it covers at most {most:.3%} of the pixels, expected "
        f"{recipe.min_hand_in_view:.3%}; collect more samples, move the camera nearer, or collect with a lower "
        "--min-hand-in-view"
    )


def check_held_gaze(recipe: Recipe, path: Path, what: str) -> None:
    """Raises a UserError if the eye moved, and `what` needs one that does not."""
    if recipe.gaze != "held":
        raise UserError(
            f"{path} was collected with --gaze {recipe.gaze}, and {what} needs an eye that does not move, expected a data set of "
            "--gaze held"
        )


def check_seen_arm(recipe: Recipe, path: Path, what: str) -> None:
    """Raises a UserError if the arm was seen elsewhere than it was felt, and `what` needs an arm that is seen where it is."""
    if recipe.seen:
        raise UserError(
            f"{path} was collected with --seen '{as_option(recipe.seen)}', and {what} needs an arm that is seen where it is, "
            "expected a data set without --seen"
        )
