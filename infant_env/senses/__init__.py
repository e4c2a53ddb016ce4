"""The senses: the eye's camera, the preprocessing of its pictures, touch, noise and delay, and the spaces of all senses."""

from .camera import HAND_IN_VIEW, EyeCamera, OutsideCamera
from .seen.seen import Seen
from .sense import Sense
from .skin.touch import Touch
from .vision import Format, to_gray, to_rgb

__all__ = ["HAND_IN_VIEW", "EyeCamera", "Format", "OutsideCamera", "Seen", "Sense", "Touch", "to_gray", "to_rgb"]
