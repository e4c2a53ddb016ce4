"""The description of a body as plain data, from which the body can be made again; JSON can store it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Real
from os import PathLike
from typing import Any

from ..errors import UserError
from ..given import shown


@dataclass(frozen=True)
class Body:
    """Description of a body: a built-in one, such as the infant, at some age, or one from an MJCF file.

    `ArmModel.of` makes the body. `as_dict` returns a dictionary for JSON, which `gym.make(..., arm=...)` accepts too.

    Raises:
        UserError: the MJCF file comes without the names of the arm's joints and bodies.
    """

    age_months: float = 12.0
    """Age of a built-in body; ignored for an MJCF file."""
    mjcf: str | None = None
    """Path of another body's MJCF file; `ArmModel.from_mjcf` explains the fields below."""
    joints: tuple[str, ...] = ()
    eye_camera: str = "eye"
    arm_bodies: tuple[str, ...] = ()
    hand_bodies: tuple[str, ...] = ()
    outside_camera: str | None = None
    name: str = "infant"
    """Name of a built-in body; ignored for an MJCF file."""

    def __post_init__(self) -> None:
        if self.mjcf is not None and not (self.joints and self.arm_bodies):
            raise UserError(
                f"got the body {self.mjcf} without joints or arm_bodies, expected the names of its arm's joints and bodies"
            )

    def as_dict(self) -> dict[str, Any]:
        """The fields that differ from the default, in JSON's types."""
        usual = asdict(Body())
        given = {name: value for name, value in asdict(self).items() if value != usual[name]}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Body":
        """The body that `as_dict` described.

        Raises:
            UserError: the name of a field is unknown, or a value has a wrong type.
        """
        known = [field.name for field in fields(cls)]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise UserError(f"got a body with {shown(unknown)}, expected names among {known}")
        for name, value in given.items():
            if not _fits(name, value):
                raise UserError(f"got a body with {name}={shown(value)}, expected {_KINDS[name]}")
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return cls(**values)


_MONTHS, _TEXT, _PATH, _LIST = "a number of months", "a name", "the path of an MJCF file", "a list of names"
_KINDS = {
    "age_months": _MONTHS,
    "mjcf": _PATH,
    "joints": _LIST,
    "eye_camera": _TEXT,
    "arm_bodies": _LIST,
    "hand_bodies": _LIST,
    "outside_camera": _TEXT,
    "name": _TEXT,
}


def _fits(name: str, value: Any) -> bool:
    kind = _KINDS[name]
    if value is None:
        return getattr(Body, name) is None
    if kind == _MONTHS:
        return isinstance(value, Real) and not isinstance(value, bool)
    if kind == _LIST:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return isinstance(value, str | PathLike if kind == _PATH else str)
