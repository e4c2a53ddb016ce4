"""The senses: the eye's camera, the preprocessing of its pictures, noise and delay, and the spaces of all senses."""

from .camera import HAND_IN_VIEW, EyeCamera, OutsideCamera
from .seen.seen import Seen
from .sense import Sense
from .vision import Format, to_gray, to_rgb

__all__ = ["HAND_IN_VIEW", "EyeCamera", "Format", "OutsideCamera", "Seen", "Sense", "to_gray", "to_rgb"]
