"""The bodies: an infant of 1 to 24 months, or another body from an MJCF file; servos; checks of users' input."""

from .built_in.anthropometry import Anthropometry
from .changes import BodyChange
from .description import Body
from .model import PENETRATION_LIMIT, ArmModel
from .servos import CONTROL_HZ, DivergedError, Servos

__all__ = [
    "CONTROL_HZ",
    "PENETRATION_LIMIT",
    "Anthropometry",
    "ArmModel",
    "Body",
    "BodyChange",
    "DivergedError",
    "Servos",
]
