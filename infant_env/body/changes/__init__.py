"""Changes of a body: the lengths of its arm, a rod in its hand, and joints that are locked or weak."""

from .change import BodyChange

__all__ = ["BodyChange"]
