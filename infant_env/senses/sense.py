"""Noise and delay of an infant's senses: the settings, their checks, and values from the literature by age."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..body.description import Body
from ..errors import UserError
from ..given import numbers, shown
from .modalities import GAZE, TOUCH

EYE, JOINTS, VELOCITIES = "eye", "joints", "joint_velocities"
EYE_LEFT = "eye_left"
"""Name of the left eye's frames if both eyes see; its noise and delay are those of `EYE`."""
FOVEA = "fovea"
"""Name of the fovea's frames; their noise and delay are those of `EYE`."""
FOVEA_SIZE = 128, 128
"""Rows and columns of the fovea's frames."""
_LEAST_EYE_NOISE = 0.003  # less than one gray level of 255 gets lost when frames are rounded to bytes
_MOST_NOISE = {EYE: 0.25, JOINTS: 45.0, VELOCITIES: 1000.0, GAZE: 45.0, TOUCH: 50.0}
_UNITS = {EYE: "of the 255 gray levels", JOINTS: "degrees", VELOCITIES: "degrees/s", GAZE: "degrees", TOUCH: "N"}
SENSES = tuple(_MOST_NOISE)
"""Names of the senses that can have noise and a delay: the observations' keys."""
MOST_DELAY_MS = 10_000.0

# Joints: standard deviation of position matching in early childhood, the youngest measured group (n = 334, 2016); no study
# measured infants. Adults have 4.0 in the same task, and .6 to 1.1 degrees near the body (van Beers et al. 1998).
_JOINT_NOISE = 9.7
# From the wrist to the cortex, N20 of the median nerve at 9 to 15 years; an infant's nerve is shorter, but slower.
_JOINT_DELAY_MS = 19.5
# First positive peak of the pattern-reversal potential: 260 ms in newborns, half of the way at 6 weeks (McCulloch, Orbach and
# Skarf 1999), the adults' 104 ms at 15 weeks (Lee et al. 2012).
_EYE_DELAY = ((0.0, 1.4, 3.5), (260.0, 182.0, 104.0))  # months, ms


@dataclass(frozen=True)
class Sense:
    """How well an infant senses: normal noise, new in each observation, and the age of what it senses.

    Before an episode begins, the arm was at rest in its starting pose.

    Raises:
        UserError: the noise or the delay is not a number of 0 or more, or the delay is above 10 s.
    """

    noise: float = 0.0
    """Standard deviation: degrees (`joints`, `gaze`), degrees/s (`joint_velocities`), N (`touch`), or a share of the 255 gray
    levels (`eye`)."""
    delay_ms: float = 0.0
    """Milliseconds between the world and its observation; need not be a multiple of a control step (40 ms)."""

    def __post_init__(self) -> None:
        for name, unit, most in (("noise", "", np.inf), ("delay_ms", " of milliseconds", MOST_DELAY_MS)):
            given = getattr(self, name)
            number = numbers(given)
            if number.shape != () or isinstance(given, str) or not (0 <= number <= most and np.isfinite(number)):
                end = "or more" if most == np.inf else f"to {most:,.0f}"
                raise UserError(f"got a sense with {name}={shown(given)}, expected a number{unit} from 0 {end}")
            object.__setattr__(self, name, float(number))

    def as_dict(self) -> dict[str, float]:
        """Noise and delay by name, for JSON; `gym.make` and `checked_senses` accept it instead of a `Sense`."""
        return asdict(self)


Senses = Mapping[str, Sense]
"""Senses by name; one that is missing has neither noise nor delay."""


def frame_size(eye: str, size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the frames of one of a body's `ArmModel.eyes`, if those of the eyes have this size."""
    return FOVEA_SIZE if eye == FOVEA else size


def checked_senses(given: Any, body: Body, eye: bool = True, touch: bool = False) -> dict[str, Sense]:
    """The senses that have noise or a delay, by name.

    Args:
        given: senses by name, each a `Sense` or its `as_dict`; "age": those of `of_age`; None: perfect senses.
        body: the body.
        eye: whether the body's eye is used.
        touch: whether touch is felt.

    Raises:
        UserError: a name or a value is unknown or out of range, the body has no age, or it does not have the sense.
    """
    if isinstance(given, str) and given == "age":
        senses = of_age(body)
        return senses if eye else {name: sense for name, sense in senses.items() if name != EYE}
    if not isinstance(given, Mapping | None):
        raise UserError(
            f'got senses={shown(given)}, expected "age", or senses by name, such as {{"joints": Sense(noise=5.0)}}'
        )
    senses = {}
    for name, value in (given or {}).items():
        if name not in SENSES:
            raise UserError(f"got senses with the name {shown(name)}, expected names among {list(SENSES)}")
        senses[name] = _checked_noise(name, _as_sense(name, value))
        _check_is_sensed(name, body, eye, touch)
    return {name: senses[name] for name in SENSES if senses.get(name, Sense()) != Sense()}


def _check_is_sensed(name: str, body: Body, eye: bool, touch: bool) -> None:
    if name == EYE and not eye:
        raise UserError(
            "got senses with 'eye' without eye_size, expected both; add an eye, such as eye_size=(300, 500)"
        )
    if name == GAZE and body.gaze == "held":
        raise UserError("got senses with 'gaze' of a gaze that is held, expected one that turns, such as gaze=\"eyes\"")
    if name == TOUCH and not touch:
        raise UserError("got senses with 'touch' without touch=True, expected both; let touch be felt by touch=True")


def of_age(body: Body) -> dict[str, Sense]:
    """Noise and delay of an infant of the body's age; `sense.py` states the sources of the numbers.

    No study measured the noise of an infant's joints, so the youngest children that were measured stand for all ages.

    Raises:
        UserError: the body comes from an MJCF file, so that it has no age.
    """
    if body.mjcf is not None:
        raise UserError(
            f'got senses="age" of the body {body.mjcf}, which has no age, expected noise and delay of each sense, such as '
            '{"joints": Sense(noise=5.0, delay_ms=20.0)}'
        )
    eye = Sense(0.0, round(float(np.interp(body.age_months, *_EYE_DELAY)), 1))
    return {EYE: eye, JOINTS: Sense(_JOINT_NOISE, _JOINT_DELAY_MS), VELOCITIES: Sense(0.0, _JOINT_DELAY_MS)}


def _as_sense(name: str, value: Any) -> Sense:
    if isinstance(value, Sense):
        return value
    known = list(Sense().as_dict())
    if not isinstance(value, Mapping) or not set(value) <= set(known):
        raise UserError(
            f"got senses with {name}={shown(value)}, expected a Sense, such as Sense(noise=5.0, delay_ms=20.0), or a dictionary "
            f"with {known}"
        )
    return Sense(**value)


def _checked_noise(name: str, sense: Sense) -> Sense:
    most, least = _MOST_NOISE[name], _LEAST_EYE_NOISE if name == EYE else 0.0
    if sense.noise > most or 0 < sense.noise < least:
        within = f"0, or {least:g} to {most:g}" if least else f"0 to {most:g}"
        raise UserError(f"got {name!r} with noise={sense.noise:g}, expected {within} {_UNITS[name]}")
    return sense
