"""Class maps: what the samples of each neuron are called."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infant_env.errors import UserError

from .grid import Grid
from .samples import Samples
from .som import MultiModalSom

PAIRS = 2**22
"""Number of pairs of neurons that are compared together."""


@dataclass(frozen=True)
class ClassMap:
    """The class of each neuron: the most frequent label of the samples that it won.

    A neuron that won no sample has the class of the nearest neuron on the map that won some, the first of several.

    Attributes:
        names: the different labels, sorted, (K,).
        classes: number of each neuron's class, an index into `names`, (X, Y), int64.
        hits: number of samples that each neuron won, (X, Y), int64; 0 tells that the class comes from another neuron.
        share: share of these samples that have the class, (X, Y); 0 for neurons without samples.
    """

    names: NDArray[Any]
    classes: Tensor
    hits: Tensor
    share: Tensor

    def predict(self, winners: Tensor) -> NDArray[Any]:
        """The labels of samples from their winners, flat indices (B,) -> (B,)."""
        return self.names[self.classes.flatten()[winners].cpu().numpy()]


def class_map(som: MultiModalSom, samples: Samples, labels: ArrayLike) -> ClassMap:
    """The most frequent label at each neuron.

    Args:
        som: the map.
        samples: modality -> features, shape (N, width).
        labels: a label for each sample, numbers or texts, shape (N,).

    Raises:
        UserError: there is no sample, or not one label per sample; and see `MultiModalSom.winners`.
    """
    winners = som.winners(samples)
    given = np.asarray(labels)
    if given.shape != (len(winners),) or not len(winners):
        raise UserError(f"got labels of shape {given.shape} for {len(winners)} samples, expected one label per sample")
    names, numbers = np.unique(given, return_inverse=True)
    neurons, kinds = som.shape[0] * som.shape[1], len(names)
    pairs = winners * kinds + torch.from_numpy(numbers).to(winners)
    counts = torch.bincount(pairs, minlength=neurons * kinds).view(neurons, kinds)
    most, classes = counts.max(1)
    hits = counts.sum(1)
    share = most / hits.clamp(min=1)
    classes = classes[nearest(som.grid, hits.nonzero().squeeze(1))]
    return ClassMap(names, *(part.view(som.shape) for part in (classes, hits, share)))


def nearest(grid: Grid, chosen: Tensor) -> Tensor:
    """For each neuron, the nearest of some chosen ones on the map, the first among equals: flat indices (n,) -> (X*Y,)."""
    every = torch.arange(grid.shape[0] * grid.shape[1], device=chosen.device)
    parts = every[:, None].split(max(1, PAIRS // len(chosen)))
    return torch.cat([chosen[grid.squared_distances(part, chosen).argmin(1)] for part in parts])
