"""Which patches of skin the hands can touch, and a pose for each: found once for each body."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from ..senses.skin.touch import Touch
from .pressing import pressing_pose

_ATTEMPTS = 20_000
_HELD = 0.5  # s


class Reachable(NamedTuple):
    """R patches that a hand can touch."""

    patches: NDArray[np.int64]
    """Their numbers, rising, shape (R,)."""
    joints: NDArray[np.float64]
    """For each, a valid pose; if the servos hold it, a hand touches the patch, shape (R, J), rad."""


def reachable(arm: ArmModel, touch: Touch) -> Reachable:
    """The patches on which the servos hold a hand, in one of the poses that 20,000 attempts of `pressing_pose` find.

    Servos give way to a contact a little, and the hand may slide to another patch; so each pose is held for half a second. The
    attempts are always the same, and take about 3 s the first time that a process asks about a body. Patches that a hand
    touches in very few poses can be missing.
    """
    return _search(_OfBody(arm.fingerprint, arm, touch))


@dataclass(frozen=True)
class _OfBody:
    """A body, known by its fingerprint."""

    fingerprint: str
    arm: ArmModel = field(compare=False)
    touch: Touch = field(compare=False)


@lru_cache(maxsize=16)
def _search(body: _OfBody) -> Reachable:
    arm, touch = body.arm, body.touch
    data, random = arm.new_data(), np.random.default_rng(0)
    found: dict[int, NDArray[np.float64]] = {}
    for _ in range(_ATTEMPTS):
        pressing = pressing_pose(arm, data, random)
        if pressing is not None and not _touched(touch, data) <= found.keys():
            arm.place(data, pressing.joints)
            mujoco.mj_step(arm.model, data, round(_HELD / arm.model.opt.timestep))
            mujoco.mj_kinematics(arm.model, data)
            mujoco.mj_collision(arm.model, data)
            found |= dict.fromkeys(_touched(touch, data) - found.keys(), pressing.joints)
            arm.reset(data)
    patches = sorted(found)
    joints = np.array([found[patch] for patch in patches]).reshape(-1, len(arm.joint_names))
    return Reachable(np.array(patches, np.int64), joints)


def _touched(touch: Touch, data: mujoco.MjData) -> set[int]:
    """Numbers of the patches that a hand touches."""
    return set(np.flatnonzero(touch.touched_by_hands(data).any(axis=0)).tolist())
