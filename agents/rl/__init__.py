"""Tools for reinforcement learning: the adapter to stable-baselines3, picture goals, residuals and priors."""

from .image_goals import ImageGoals, LatentObservation
from .residual import Residual

__all__ = ["ImageGoals", "LatentObservation", "Residual"]
