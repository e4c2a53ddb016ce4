"""A quick look before a collection: does the eye see enough of arm and hand?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import HAND_IN_VIEW, EyeCamera
from infant_env.senses.seen.seen_arm import SeenArm

from .recipe.recipe import Recipe

_POSES = 64
_ENOUGH = 0.1
"""A limit that is advised lets this share of the poses or more pass."""
_LIMITS = (HAND_IN_VIEW, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
_USUAL_ARM = 0.01


@dataclass(frozen=True)
class Views:
    """Shares of the pixels that show the arm, and the hand that is seen most, in valid poses, shape (P,) each."""

    arm: NDArray[np.float64]
    hand: NDArray[np.float64]


def check_view(arm: ArmModel, recipe: Recipe) -> None:
    """Raises a UserError if none of 64 valid poses shows enough of the arm and of the hand.

    It does nothing for a built-in body with the usual limits, which is known to see its hand.
    """
    if recipe.displaced is not None:
        SeenArm(arm, recipe.displaced)  # refuses what this body cannot show
    if recipe.mjcf or recipe.min_arm_in_view > _USUAL_ARM or recipe.min_hand_in_view > HAND_IN_VIEW:
        views = look(arm, recipe.eye_size)
        seen = views.arm >= recipe.min_arm_in_view
        if not seen.any():
            raise UserError(_arm_unseen(views, recipe))
        if not (views.hand[seen] >= recipe.min_hand_in_view).any():
            raise UserError(_hand_unseen(views.hand[seen], recipe, _hand(arm)))


def look(arm: ArmModel, eye_size: tuple[int, int], poses: int = _POSES) -> Views:
    """What the eye sees of the arm and of the hand in random valid poses."""
    eye = EyeCamera(arm, eye_size)
    views = seen_by(eye, arm, poses)
    eye.close()
    return views


def seen_by(eye: EyeCamera, arm: ArmModel, poses: int = _POSES) -> Views:
    """Like `look`, with a camera that is open."""
    data, random, shares = arm.new_data(), np.random.default_rng(0), []
    for _ in range(poses):
        arm.place(data, arm.valid_pose(data, random).astype(np.float32))
        seen, *hands = eye.in_view(data)
        shares.append((seen, max(hands)))
    return Views(*np.array(shares).T)


def _arm_unseen(views: Views, recipe: Recipe) -> str:
    most = views.arm.max()
    usual = float(np.quantile(views.arm, 1 - _ENOUGH))
    lower = f", or give --min-arm-in-view {_floor(usual)}" if usual > 0 else ""
    return (
        f"got {_POSES} valid poses in which the arm covers at most {most:.2%} of the pixels of the camera "
        f"{recipe.eye_camera!r}, expected {recipe.min_arm_in_view:.2%} or more; turn the camera to the arm, move it nearer or "
        f"make it narrower (fovy){lower}"
    )


def _hand(arm: ArmModel) -> list[str]:
    """Names of the bodies of the hand."""
    bodies = np.unique(arm.model.geom_bodyid[arm.hand_geoms])
    return [arm.model.body(int(body)).name for body in bodies]


def _hand_unseen(hand: NDArray[np.float64], recipe: Recipe, bodies: list[str]) -> str:
    lower = limit_of(hand)
    last = f", or give --min-hand-in-view {lower:g}" if lower else ""
    return (
        f"got {len(hand)} valid poses in which the hand {bodies} covers at most {hand.max():.3%} of the pixels, expected "
        f"{recipe.min_hand_in_view:.2%} or more; move the camera nearer, make it narrower (fovy), name more bodies with "
        f"--hand-bodies{last}"
    )


def limit_of(hand: NDArray[np.float64]) -> float | None:
    """The highest of some limits that enough of these shares of the hand pass; None if they pass none."""
    return next((limit for limit in _LIMITS if (hand >= limit).mean() >= _ENOUGH), None)


def _floor(share: float) -> str:
    """A share, rounded down to one digit."""
    digit = 10.0 ** np.floor(np.log10(share))
    return f"{np.floor(share / digit) * digit:.6g}"
