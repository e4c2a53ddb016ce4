"""The agent's mind: it recalls, imagines, compares candidate poses, plans and acts."""

from .agent import MentalImageryAgent
from .calibration import Calibration
from .familiarity import Familiarity
from .imagination import Hypotheses, Imagination
from .planning import PosePlanner
from .som_autoencoder import SomAutoencoder

__all__ = [
    "Calibration",
    "Familiarity",
    "Hypotheses",
    "Imagination",
    "MentalImageryAgent",
    "PosePlanner",
    "SomAutoencoder",
]
