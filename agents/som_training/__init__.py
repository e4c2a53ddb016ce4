"""Training of maps: schedules, the paper's literal rule, coarse to fine, maps that go on learning, the map over samples."""

from .coarse_to_fine import TrainingProgress, train
from .literal import LiteralProgress, train_literal
from .neighborhoods import Neighborhood, bubble, exponential, falling, gaussian
from .online import OnlineSom
from .sample_som import SampleSom
from .sample_training import train_sample_som

__all__ = [
    "LiteralProgress",
    "Neighborhood",
    "OnlineSom",
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
