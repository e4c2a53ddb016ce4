"""`Seen`: how the arm is seen elsewhere than it is felt, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from ...body.changes.change import BodyChange
from ...body.description import Body
from ...errors import UserError
from ...given import numbers, shown

CENTERS = ("eye", "shoulder")
MOST_DELAY_MS = 10_000.0


@dataclass(frozen=True)
class Seen:
    """How the eyes see the arm; the background, the felt joints, touch, the physics and infos do not change.

    In this order: the seen arm belongs to `body`, is `delay_ms` late, is in `joints`, plus `offsets`; it is turned about the
    shoulder, shifted, turned about the eye, and mirrored. `Seen()` shows the arm as it is.

    Raises:
        UserError: a value has a wrong type or is out of range.
    """

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """To the front, to the left and up, m."""
    turn: float = 0.0
    """Degrees to the left about a vertical axis; about the eye, this is what a prism does."""
    about: str = "eye"
    """Where the axis is: "eye" (of each eye for its own picture), or "shoulder"."""
    mirror: bool = False
    """Whether left and right of each eye's picture are exchanged for the arm."""
    delay_ms: float = 0.0
    """Milliseconds by which the arm is seen later than the rest of the picture, 0 to 10,000."""
    joints: Mapping[str, float] = field(default_factory=dict)
    """Angles of the seen arm, rad, by name; the other joints are seen as they are."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """What is added to the angles of the seen arm, rad, by name."""
    body: Body | BodyChange | float | None = None
    """The body whose arm is seen, at the infant's own shoulder: as in `Body.changed`; None: the infant's own."""
    color: tuple[float, float, float] | None = None
    """Red, green and blue of the whole seen arm, 0 to 1 each; None: as it is."""

    def __post_init__(self) -> None:
        self._set("shift", _several("shift", self.shift, 3, 10.0, "metres to the front, to the left and up"))
        self._set("turn", _several("turn", [self.turn], 1, 360.0, "degrees")[0])
        self._set("delay_ms", _several("delay_ms", [self.delay_ms], 1, MOST_DELAY_MS, "milliseconds", 0.0)[0])
        if self.color is not None:
            self._set("color", _several("color", self.color, 3, 1.0, "red, green and blue", 0.0))
        if self.about not in CENTERS:
            raise UserError(f"got a seen arm with about={shown(self.about)}, expected one of {list(CENTERS)}")
        if not isinstance(self.mirror, bool | np.bool_):
            raise UserError(f"got a seen arm with mirror={shown(self.mirror)}, expected True or False")
        for name in ("joints", "offsets"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise UserError(
                    f"got a seen arm with {name}={shown(given)}, expected angles in rad by the names of joints"
                )
            angles = {
                joint: _several(f"{name} {joint}", [x], 1, 100.0, "an angle, rad,")[0] for joint, x in given.items()
            }
            self._set(name, angles)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """The fields that differ from the default, in JSON's types; `gym.make(..., seen=...)` accepts it too."""
        usual = asdict(Seen())
        own = {name: value for name, value in asdict(self).items() if value != usual[name]}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}
        return plain | ({"body": self.body.as_dict()} if isinstance(self.body, Body | BodyChange) else {})

    @classmethod
    def of(cls, given: Any) -> "Seen | None":
        """The `Seen` itself, the one that `as_dict` described, or None.

        Raises:
            UserError: it is none of these, or the name of a field is unknown.
        """
        if given is None or isinstance(given, Seen):
            return given
        known = [each.name for each in fields(cls)]
        if not (isinstance(given, Mapping) and set(given) <= set(known)):
            raise UserError(
                f"got seen={shown(given)}, expected a Seen, such as Seen(turn=15.0), or a dictionary with names among {known}"
            )
        return cls(**given)


def _several(
    name: str, given: Any, count: int, most: float, what: str, least: float | None = None
) -> tuple[float, ...]:
    found, low = numbers(given), -most if least is None else least
    if found.shape != (count,) or not ((found >= low) & (found <= most)).all():
        value = given[0] if count == 1 else given
        raise UserError(f"got a seen arm with {name}={shown(value)}, expected {what} from {low:g} to {most:g}")
    return tuple(found.tolist())
