"""The record of what took part in a collection: the body, and the camera of the eye."""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from infant_env.errors import UserError
from infant_env.given import shown

from .recipe import Number


class BodyRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The body as it was during the collection.

    Raises:
        UserError: there is not one range for each joint, or the lower end of a range is not below its upper end.
    """

    fingerprint: str
    """SHA-256, hexadecimal: of the content of `body.zip`, see `MjcfFiles`; without that file of the body's MJCF text. Empty for a
    recording."""
    joint_names: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The arm's J joints, in the order of every joint vector."""
    joint_ranges: tuple[tuple[Number, Number], ...]
    """Lower and upper end of each joint's range, rad."""

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            ends = np.array(self.joint_ranges, np.float32).reshape(-1, 2)
        if len(ends) != len(self.joint_names) or not (np.isfinite(ends).all() and (ends[:, 0] < ends[:, 1]).all()):
            count = len(self.joint_names)
            raise UserError(
                f"got joint_ranges={shown(self.joint_ranges)}, expected {count} pairs of numbers, each rising"
            )


class Camera(Struct, frozen=True):
    """The eye's camera."""

    name: str
    size: tuple[int, int]
    """Rows and columns of a frame."""
