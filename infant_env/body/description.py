"""The description of a body as plain data, from which the body can be made again; JSON can store it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from os import PathLike
from typing import Any

from ..errors import UserError
from ..given import shown
from .changes.change import BodyChange

ARMS = EYES = ("right", "left", "both")
GAZES = ("held", "eyes", "head")
SENSED = ("eyes", "gaze", "fovea", "arms", "wrist")
"""The fields on which the spaces of actions and observations depend; they stay the same while a body changes."""


@dataclass(frozen=True)
class Body:
    """Description of a body: a built-in one, such as the infant, at some age, or one from an MJCF file.

    `ArmModel.of` makes the body. `as_dict` returns a dictionary for JSON, which `gym.make(..., arm=...)` accepts too.

    Raises:
        UserError: the MJCF file comes without the names of the arm's joints, names come without an MJCF file, or the body does
            not have these eyes, this gaze, these arms or this wrist.
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
    keyframe: str | None = None
    rest_pose: Mapping[str, float] = field(default_factory=dict)
    joint_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    hold_others: bool = False
    new_servos: bool = False
    eyes: str | None = None
    """Which eyes see: one of `EYES`; None: the one on the arm's side, with both arms the right one. A body from an MJCF file has
    one eye."""
    gaze: str = "held"
    """What turns the gaze: one of `GAZES`; that of a body from an MJCF file is held."""
    fovea: bool = False
    """Whether a second camera shows the middle of what the eye sees."""

    arms: str = "right"
    """Which arms move: one of `ARMS`; that of a body from an MJCF file is the one whose joints are named."""
    wrist: bool = False
    """Whether the wrists move too."""

    change: BodyChange = field(default_factory=BodyChange)
    """How a built-in body differs from that of its age; a body from an MJCF file is changed in the file."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "change", BodyChange.of(self.change))
        if self.mjcf is not None and self.change != BodyChange():
            raise UserError(
                f"got change={self.change.as_dict()} of the body {self.mjcf}, expected none: change a body from an MJCF file in "
                "that file"
            )
        if self.mjcf is not None and not self.joints:
            raise UserError(
                f"got the body {self.mjcf} without joints, expected the names of its arm's joints, from the trunk outwards"
            )
        check_choices(self)
        if self.eyes is None:
            object.__setattr__(self, "eyes", "left" if self.arms == "left" else "right")
        if self.mjcf is not None:
            check_other(self)
        told = [name for name in _OF_MJCF if getattr(self, name)]
        if self.mjcf is None and told:
            raise UserError(
                f"got {', '.join(told)} without an MJCF file, expected both, or neither for a built-in body"
            )

    def as_dict(self) -> dict[str, Any]:
        """The fields that differ from the default, in JSON's types."""
        usual = asdict(Body(arms=self.arms)) | {"arms": "right"}
        own = {name: _plain(value) for name, value in asdict(self).items() if value != usual[name]}
        return own | ({"change": self.change.as_dict()} if "change" in own else {})

    def changed(self, given: Any) -> "Body":
        """This body with something else in its place; what moves and what senses stays the same (`SENSED`).

        Args:
            given: a `Body` or its `as_dict`, a `BodyChange` or its `as_dict`, or an age in months.

        Raises:
            UserError: it is none of these, or one of the two bodies comes from an MJCF file.
        """
        if isinstance(given, Mapping):
            is_change = bool(given) and set(given) <= set(BodyChange.__dataclass_fields__)
            given = BodyChange.of(given) if is_change else Body.from_dict(given)
        if isinstance(given, BodyChange):
            given = replace(self, change=given)
        elif _is_number(given):
            given = replace(self, age_months=float(given))
        if not isinstance(given, Body):
            raise UserError(
                f"got {shown(given)} in place of a body, expected an age in months, a BodyChange, or a Body, such as Body(6.0)"
            )
        of_file = self.mjcf or given.mjcf
        if of_file is not None:
            raise UserError(
                f"got a change to or from the body {of_file}, expected built-in bodies: a body from an MJCF file stays as it is; "
                "make another environment with arm=..."
            )
        return replace(given, **{name: getattr(self, name) for name in SENSED})

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
        change, given = given.get("change"), {name: given[name] for name in given if name != "change"}
        for name, value in given.items():
            if not _fits(name, value):
                raise UserError(f"got a body with {name}={shown(value)}, expected {_KINDS[name]}")
        return cls(**{name: _frozen(value) for name, value in given.items()}, change=BodyChange.of(change))


def check_choices(body: Body) -> None:
    """Raises a UserError if an option is none of its choices."""
    eyes: tuple[str | None, ...] = (None, *EYES)
    for name, given, known in (("eyes", body.eyes, eyes), ("gaze", body.gaze, GAZES), ("arms", body.arms, ARMS)):
        if not isinstance(given, str | None) or given not in known:
            raise UserError(f"got {name}={shown(given)}, expected one of {[each for each in known if each]}")
    for name in ("fovea", "wrist"):
        if not isinstance(getattr(body, name), bool):
            raise UserError(f"got {name}={shown(getattr(body, name))}, expected True or False")


def check_other(body: Body) -> None:
    """Raises a UserError if a body from an MJCF file has an option that only the infant has."""
    if body.eyes != "right":
        raise UserError(
            f'got eyes={body.eyes!r} of the body {body.mjcf}, expected "right": a body from an MJCF file has one eye, here '
            f"the camera {body.eye_camera!r}; for another one, give its name as eye_camera"
        )
    if body.gaze != "held":
        raise UserError(
            f'got gaze={body.gaze!r} of the body {body.mjcf}, expected "held": the eye of a body from an MJCF file is fixed'
        )
    if body.arms != "right" or body.wrist:
        given = f"wrist={body.wrist}" if body.arms == "right" else f"arms={body.arms!r}"
        raise UserError(
            f"got {given} of the body {body.mjcf}, expected none: the arm of a body from an MJCF file is what its joints "
            f"{list(body.joints)} move; to move another arm or the wrist, name its joints (joints=..., --arm-joints)"
        )


_MONTHS, _TEXT, _PATH, _LIST = "a number of months", "a name", "the path of an MJCF file", "a list of names"
_ANGLES, _RANGES = "numbers by the names of joints", "pairs of numbers by the names of joints"
_SWITCH = "true or false"
_KINDS = {
    "age_months": _MONTHS,
    "mjcf": _PATH,
    "joints": _LIST,
    "eye_camera": _TEXT,
    "arm_bodies": _LIST,
    "hand_bodies": _LIST,
    "outside_camera": _TEXT,
    "name": _TEXT,
    "keyframe": _TEXT,
    "rest_pose": _ANGLES,
    "joint_ranges": _RANGES,
    "hold_others": _SWITCH,
    "new_servos": _SWITCH,
    "eyes": _TEXT,
    "gaze": _TEXT,
    "fovea": _SWITCH,
    "arms": _TEXT,
    "wrist": _SWITCH,
}
_OF_MJCF = (
    "joints", "arm_bodies", "hand_bodies", "outside_camera", "keyframe", "rest_pose", "joint_ranges", "hold_others",
    "new_servos",
)  # fmt: skip


def _fits(name: str, value: Any) -> bool:
    kind = _KINDS[name]
    if value is None:
        return getattr(Body, name, ()) is None
    if kind == _MONTHS:
        return _is_number(value)
    if kind == _SWITCH:
        return isinstance(value, bool)
    if kind == _LIST:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if kind in (_ANGLES, _RANGES):
        fits = _is_number if kind == _ANGLES else _is_range
        return isinstance(value, Mapping) and all(isinstance(k, str) and fits(v) for k, v in value.items())
    return isinstance(value, str | PathLike if kind == _PATH else str)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_range(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))


def _plain(value: Any) -> Any:
    """The value with lists instead of tuples."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    """The value with tuples instead of lists, and Python's own numbers by name."""
    if isinstance(value, Mapping):
        return {name: float(each) if _is_number(each) else tuple(map(float, each)) for name, each in value.items()}
    return tuple(value) if isinstance(value, list) else value
