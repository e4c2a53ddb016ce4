"""The trained map: its geometry, modalities, distances, exact winners, readouts, quality, classes."""

from .classes import ClassMap, class_map
from .grid import Grid
from .modalities import Modalities
from .readout import Recall
from .som import MultiModalSom

__all__ = ["ClassMap", "Grid", "Modalities", "MultiModalSom", "Recall", "class_map"]
