"""The senses: the eye's camera, the preprocessing of its pictures, and the spaces of all senses."""

from .camera import HAND_IN_VIEW, EyeCamera, OutsideCamera
from .vision import Format, to_gray, to_rgb

__all__ = ["HAND_IN_VIEW", "EyeCamera", "Format", "OutsideCamera", "to_gray", "to_rgb"]
