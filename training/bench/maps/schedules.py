"""How a user trains a map with a library: at its full size, or coarse to fine in a few lines around the library."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from .peers import Peer
from .stage import Floats, Shape, Stage, radii

Schedule = Callable[[Peer, Floats, Shape, int, int], Floats]
"""Library, scaled features (N, D), shape (X, Y), epochs at the full size, seed -> weights (X, Y, D)."""

COARSEST = 10
"""The longer side of the smallest map of a training from coarse to fine has at most this many neurons."""
GROWN, SMOOTHED = 2.0, 1.0
"""First radius after the map has grown, and last radius before it grows."""


def plain(peer: Peer, features: Floats, shape: Shape, epochs: int, seed: int) -> Floats:
    """The full size from the start, and a start in the plane of the principal components if the library takes one."""
    start = principal_plane(features, shape) if peer.starts else None
    return peer.train(features, shape, Stage(epochs, *radii(shape, len(features)), seed), start)


def coarse_to_fine(peer: Peer, features: Floats, shape: Shape, epochs: int, seed: int, more: int) -> Floats:
    """A small map first, then the map of twice its sides, interpolated from it, and so on to the full size.

    Args:
        peer: the library.
        features: scaled features, (N, D).
        shape: rows and columns of the map.
        epochs: epochs at the full size.
        seed: seed of the library.
        more: how many times these epochs a smaller map gets; they are cheaper.
    """
    sizes = levels(shape)
    weights = principal_plane(features, sizes[0])
    for level, size in enumerate(sizes):
        first, last = radii(size, len(features))
        weights = weights if level == 0 else grown(weights, size)
        if size == shape:
            stage = Stage(epochs, max(GROWN, last) if level else first, last, seed)
        else:
            stage = Stage(more * epochs, GROWN if level else max(first, SMOOTHED), SMOOTHED, seed)
        weights = peer.train(features, size, stage, weights)
    return weights


def levels(shape: Shape) -> list[Shape]:
    """Shapes from the smallest map to the full size, each half as long as the next."""
    sizes = [shape]
    while max(sizes[0]) > COARSEST:
        rows, columns = sizes[0]
        sizes.insert(0, (-(-rows // 2), -(-columns // 2)))
    return sizes


def principal_plane(features: Floats, shape: Shape) -> Floats:
    """A grid of 1.5 standard deviations along the two principal components, the longer side along the first, (X, Y, D)."""
    mean = features.mean(0)
    values, axes = np.linalg.eigh(np.cov(features.T).reshape(features.shape[1], -1))
    slopes = axes[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))  # (D, 2)
    slopes = np.pad(slopes, ((0, 0), (0, 2 - slopes.shape[1])))
    sides = [np.linspace(-1.5, 1.5, side) if side > 1 else np.zeros(1) for side in shape]
    x, y = np.meshgrid(*sides, indexing="ij")
    longer, shorter = (x, y) if shape[0] >= shape[1] else (y, x)
    plane = mean + longer[..., None] * slopes[:, 0] + shorter[..., None] * slopes[:, 1]
    return np.ascontiguousarray(plane, np.float32)


def grown(weights: Floats, shape: Shape) -> Floats:
    """Weights (X, Y, D) interpolated to a larger map."""
    planes = torch.from_numpy(weights).permute(2, 0, 1)[None]
    larger = functional.interpolate(planes, size=shape, mode="bilinear", align_corners=False)[0]
    return larger.permute(1, 2, 0).contiguous().numpy()


COARSE_TO_FINE: dict[str, Schedule] = {
    "coarse to fine": partial(coarse_to_fine, more=1),
    "coarse to fine, 4:1": partial(coarse_to_fine, more=4),
}


def schedules_of(peer: Peer, shape: Shape) -> dict[str, Schedule]:
    """What a user can do with a library at this size."""
    return {"plain": plain, **(COARSE_TO_FINE if peer.starts and len(levels(shape)) > 1 else {})}
