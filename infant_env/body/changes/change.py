"""`BodyChange`: how a body differs from the built-in one of its age, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ...errors import UserError
from ...given import numbers, shown

SIDES = ("right", "left")
SEGMENTS = ("upper_arm", "forearm", "hand")
_LENGTHS = 0.25, 4.0
_ROD_LENGTHS, _ROD_MASSES = (0.02, 1.0), (0.001, 2.0)


@dataclass(frozen=True)
class BodyChange:
    """How a body differs from the built-in one of its age.

    Lengths are relative to those of the age, so that the same change fits each age. A segment that is longer is not thicker,
    and its mass grows with its length. Joint ranges, torque limits and servos stay those of the age.

    Raises:
        UserError: a value is out of range.
    """

    upper_arm: float = 1.0
    """Length of the upper arm, relative to that of the age, .25 to 4."""
    forearm: float = 1.0
    """Length of the forearm, relative to that of the age."""
    hand: float = 1.0
    """Length of the hand, relative to that of the age."""
    rod: tuple[float, float] | None = None
    """Length (m, from the palm to the tip) and mass (kg) of a rod in the hand; it points along the fingers. None: no rod."""
    locked: Mapping[str, float] = field(default_factory=dict)
    """Angles (rad) of joints that do not move, by name."""
    weak: Mapping[str, float] = field(default_factory=dict)
    """Shares of their torque limits that joints have, 0 to 1, by name."""
    side: str | None = None
    """The arm whose lengths change and whose hand holds the rod, one of `SIDES`; None: each arm that moves."""

    def __post_init__(self) -> None:
        for name in SEGMENTS:
            self._set(name, _checked(name, getattr(self, name), *_LENGTHS, "a length relative to that of the age"))
        if self.rod is not None:
            if isinstance(self.rod, str) or numbers(self.rod).shape != (2,):
                raise UserError(
                    f"got rod={shown(self.rod)}, expected its length (m) and its mass (kg), such as (0.2, 0.05)"
                )
            length, mass = self.rod
            limits = (length, *_ROD_LENGTHS, "the length of a rod, m,"), (mass, *_ROD_MASSES, "the mass of a rod, kg,")
            self._set("rod", tuple(_checked("rod", *each) for each in limits))
        for name, low, high, what in (
            ("locked", -10.0, 10.0, "an angle, rad,"),
            ("weak", 0.0, 1.0, "a share of the torque"),
        ):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise UserError(f"got {name}={shown(given)}, expected {what} by the names of joints")
            self._set(name, {joint: _checked(f"{name} {joint}", x, low, high, what) for joint, x in given.items()})
        if self.side is not None and self.side not in SIDES:
            raise UserError(
                f"got side={shown(self.side)}, expected one of {list(SIDES)}, or None for each arm that moves"
            )

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """The fields that differ from the default, in JSON's types; empty if nothing changes."""
        usual = asdict(BodyChange())
        own = {name: value for name, value in asdict(self).items() if value != usual[name]}
        return own | ({"rod": list(self.rod)} if self.rod else {})

    @classmethod
    def of(cls, given: Any) -> "BodyChange":
        """The change itself, the one that `as_dict` described, or for None no change.

        Raises:
            UserError: it is none of these, or the name of a field is unknown.
        """
        if isinstance(given, BodyChange):
            return given
        known = [each.name for each in fields(cls)]
        if given is not None and not (isinstance(given, Mapping) and set(given) <= set(known)):
            raise UserError(
                f"got change={shown(given)}, expected a BodyChange, such as BodyChange(forearm=0.8), or a dictionary with names "
                f"among {known}"
            )
        return cls(**(given or {}))


def _checked(name: str, given: Any, low: float, high: float, what: str) -> float:
    number = numbers(given)
    if isinstance(given, str | bool) or number.shape != () or not low <= number <= high:
        raise UserError(f"got {name}={shown(given)}, expected {what} from {low:g} to {high:g}")
    return float(number)
