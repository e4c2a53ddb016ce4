"""Poses that the map remembers or blends, for `MentalImageryAgent.imagine` to draw."""

import torch
from torch import Tensor

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from .familiarity import remembered
from .som_autoencoder import Array, SomAutoencoder


def at_random(mind: SomAutoencoder, count: int, seed: int = 0) -> Tensor:
    """Random remembered poses; they are as varied and as valid as the map's training poses.

    Args:
        mind: the trained SOM-AE.
        count: number of poses, B.
        seed: seed of the random choice.

    Returns:
        Joints, shape (B, J), rad.
    """
    poses = remembered(mind.som).clamp(0, 1)
    chosen = torch.randint(len(poses), (count,), generator=torch.Generator().manual_seed(seed))
    return mind.denormalize(poses[chosen.to(poses.device)])


def of_neurons(mind: SomAutoencoder, neurons: Array) -> Tensor:
    """The poses of neurons.

    Args:
        mind: the trained SOM-AE.
        neurons: row and column of each neuron on the map, shape (B, 2).

    Returns:
        Joints, shape (B, J), rad.

    Raises:
        UserError: a neuron lies outside of the map.
    """
    places = torch.as_tensor(neurons, device=mind.device)
    rows, columns = mind.som.shape
    if (
        places.ndim != 2
        or places.shape[1] != 2
        or bool(((places < 0) | (places >= places.new_tensor([rows, columns]))).any())
    ):
        raise UserError(f"got the neurons {places.tolist()}, expected (row, column) pairs on a {rows}x{columns} map")
    flat = (places[:, 0] * columns + places[:, 1]).long()
    return mind.denormalize(mind.som.weights_at(PROPRIOCEPTION, flat).clamp(0, 1))


def between(mind: SomAutoencoder, first: Array, second: Array, share: float = 0.5) -> Tensor:
    """Poses that the map recalls for blends of pictures; it blends their latents, not their pixels.

    Args:
        mind: the trained SOM-AE.
        first: preprocessed pictures, shape (B, 64, 64), in [0, 1].
        second: as many other pictures.
        share: share of the second pictures in the blends, from 0 to 1.

    Returns:
        Joints, shape (B, J), rad.

    Raises:
        UserError: pictures have a wrong shape or hold NaN, or the share is not a number from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise UserError(f"got share={share}, expected a number from 0 (the first) to 1 (the second)")
    latents = torch.lerp(mind.latents(first), mind.latents(second), share)
    return mind.denormalize(mind.som.recall({VISION: latents}, PROPRIOCEPTION, readout="local_linear").clamp(0, 1))
