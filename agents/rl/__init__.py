"""What reinforcement learning needs: stable-baselines3's side, picture goals, residuals and priors."""

from .image_goals import ImageGoals, LatentObservation
from .residual import Residual

__all__ = ["ImageGoals", "LatentObservation", "Residual"]
