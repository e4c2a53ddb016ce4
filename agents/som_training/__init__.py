"""Training of maps: schedules, the paper's literal rule, coarse to fine, the map over samples."""

from .coarse_to_fine import TrainingProgress, train
from .literal import LiteralProgress, train_literal
from .neighborhoods import Neighborhood, bubble, exponential, falling, gaussian
from .sample_som import SampleSom
from .sample_training import train_sample_som

__all__ = [
    "LiteralProgress",
    "Neighborhood",
    "SampleSom",
    "TrainingProgress",
    "bubble",
    "exponential",
    "falling",
    "gaussian",
    "train",
    "train_literal",
    "train_sample_som",
]
