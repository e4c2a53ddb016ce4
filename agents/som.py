from collections.abc import Mapping
import torch
from torch import Tensor
from .modalities import Modalities
class MultiModalSom:
    def __init__(self, weights, c=None):
        self._modalities = Modalities.of({n: w.shape[2] for n, w in weights.items()}, c)
        self.w = weights
def check_memory(*a): pass
