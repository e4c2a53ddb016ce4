"""The trained map: modalities, distances, exact winners, readouts, quality."""

from .modalities import Modalities
from .readout import Recall
from .som import MultiModalSom

__all__ = ["Modalities", "MultiModalSom", "Recall"]
