"""What is to be done: goals, distances, rewards, and which poses and places can be reached."""

from .reach_task import ReachTask
from .workspace import Workspace

__all__ = ["ReachTask", "Workspace"]
