"""The settings of `infant-arm study body`."""

from dataclasses import dataclass
from typing import Literal

from ...runs.config import Count
from ..frame.study import StudyConfig


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study what a map knows of a body that grows, holds a tool, or is damaged."""

    change: Literal["growth", "tool", "damage"] = "growth"
    """What changes."""
    poses: Count = 1000
    """Growth: poses of the first month, and the most of each later one; a twentieth and a fifth of them are tried too."""
    tests: Count = 100
    """Test poses of each body."""
    reaches: Count = 200
    """Tool: reaches with a rod, and then without."""
    trials: Count = 10
    """Damage: how often it is named, for each damage and seed."""
