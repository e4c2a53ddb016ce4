"""Poses to imagine: what the map remembers, completes, or mixes; each a pose that `MentalImageryAgent.imagine` can draw."""

import torch
from torch import Tensor

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from .familiarity import remembered
from .som_autoencoder import Array, SomAutoencoder


def at_random(mind: SomAutoencoder, count: int, seed: int = 0) -> Tensor:
    """Remembered poses drawn at random: as various as those that the map was trained on, and as possible.

    Args:
        mind: the trained SOM-AE.
        count: how many, B.
        seed: of the choice.

    Returns:
        Joints, shape (B, J), rad.
    """
    poses = remembered(mind.som).clamp(0, 1)
    chosen = torch.randint(len(poses), (count,), generator=torch.Generator().manual_seed(seed))
    return mind.denormalize(poses[chosen.to(poses.device)])


def of_neurons(mind: SomAutoencoder, neurons: Array) -> Tensor:
    """The poses that neurons hold.

    Args:
        mind: the trained SOM-AE.
        neurons: row and column of each on the map, shape (B, 2).

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


def completed(mind: SomAutoencoder, joints: Array) -> Tensor:
    """Poses of which only some joints are given: the others are those of the neuron that fits the given ones best.

    Eq. 3 over the known joints alone; where several neurons fit equally well, the first.

    Args:
        mind: the trained SOM-AE.
        joints: shape (B, J), rad; NaN where a joint is not given.

    Returns:
        Joints, shape (B, J), rad; the given ones as they were.

    Raises:
        UserError: the joints are misshapen or infinite.
    """
    wanted = mind.normalize(joints)
    if wanted.ndim != 2 or bool(wanted.isinf().any()):
        raise UserError(
            f"got joints of shape {tuple(wanted.shape)}, expected (B, J) in rad, NaN where one is not given"
        )
    weights = mind.som.weights(PROPRIOCEPTION)  # (X Y, J)
    best = [(weights - pose).abs().nansum(1).argmin() for pose in wanted]
    held = weights[torch.stack(best)].clamp(0, 1) if best else wanted
    return mind.denormalize(torch.where(wanted.isnan(), held, wanted))


def between(mind: SomAutoencoder, first: Array, second: Array, share: float = 0.5) -> Tensor:
    """Poses that the map recalls for blends of pictures: of their latents, which is not the blend of their pixels.

    Args:
        mind: the trained SOM-AE.
        first: preprocessed pictures, shape (B, 64, 64), in [0, 1].
        second: as many others.
        share: of the second ones in the blends, from 0 to 1.

    Returns:
        Joints, shape (B, J), rad.

    Raises:
        UserError: pictures are misshapen or hold NaN, or the share is no number from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise UserError(f"got share={share}, expected a number from 0 (the first) to 1 (the second)")
    latents = torch.lerp(mind.latents(first), mind.latents(second), share)
    return mind.denormalize(mind.som.recall({VISION: latents}, PROPRIOCEPTION, readout="local_linear").clamp(0, 1))
