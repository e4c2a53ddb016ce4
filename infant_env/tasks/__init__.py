"""The tasks: goals, distances, rewards, and which poses and places the arm can reach."""

from .reach_task import ReachTask
from .workspace import Workspace

__all__ = ["ReachTask", "Workspace"]
