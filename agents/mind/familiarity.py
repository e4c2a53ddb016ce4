"""Familiarity of poses: the density of the poses that a map remembers.

A map keeps no samples, but its weights show where they were: neurons are close to each other around each sample's winner,
and far apart between samples. A network that learns to distinguish remembered poses from random ones estimates their
density. The estimate is smooth, also at the ends of the joint ranges, where distances to neighbors are misleading.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION

from ..som.quality import least_stretched, mean_gaps
from ..som.som import MultiModalSom

Progress = Callable[[float], None]
_HIDDEN, _BATCH = 64, 512
_RATE, _DECAY = 1e-2, 0.1
_BLUR = 0.15  # standard deviation, as a share of the remembered poses' spacing


def remembered(som: MultiModalSom, modality: str = PROPRIOCEPTION) -> Tensor:
    """The samples that a map remembers: weights of the neurons that are locally closest to their neighbors.

    At 800x800 these are 12,003 poses, and they include 99 % of the 12,000 training poses.

    Args:
        som: the trained map.
        modality: the modality of the weights.

    Returns:
        Shape (M, width), M >= 1; M is about the number of samples if the map has many neurons per sample.
    """
    weights = som.weights(modality)  # (X*Y, width)
    stretch = mean_gaps(som.grid, [(weights, lambda first, second: (second - first).abs().mean(2))])
    return weights[least_stretched(stretch, som.grid).flatten()]


class Familiarity:
    """Log density of remembered poses relative to the median: 0 at the median, -1 at a density 2.7 times lower.

    A small network learns to distinguish remembered poses, slightly blurred, from poses drawn uniformly over the joint ranges.
    Its log odds are the logarithm of the density, up to a constant (Hastie et al., *The Elements of Statistical Learning*,
    14.2.4). The training takes some seconds on the CPU.

    Args:
        poses: remembered poses in normalized joints, shape (M, J).
        seed: seed of the network and of its training data.
        steps: number of training steps.
        progress: called with the percentage of done steps.

    Raises:
        UserError: there are no poses.
    """

    def __init__(self, poses: Tensor, seed: int = 0, steps: int = 4000, progress: Progress | None = None) -> None:
        if not len(poses):
            raise UserError("got no poses, expected one or more remembered poses")
        known = poses.detach().cpu().float().clone()
        with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # for the layers too; `fork_rng` protects the caller's random numbers
            known = known.clone()  # autograd refuses tensors that were made in inference mode
            self._network = _density_network(known, steps, progress or (lambda percent: None))
        self._usual = 0.0
        self._usual = float(self(known).median())

    def __call__(self, poses: Tensor) -> Tensor:
        """Familiarity of normalized joints, (..., J) -> (...); differentiable."""
        return self._network(2 * poses - 1).squeeze(-1) - self._usual


def _density_network(known: Tensor, steps: int, progress: Progress) -> nn.Sequential:
    """A network whose log odds distinguish these poses from uniformly random ones."""
    joints = known.shape[1]
    network = nn.Sequential(
        *(nn.Linear(joints, _HIDDEN), nn.SiLU()),
        *(nn.Linear(_HIDDEN, _HIDDEN), nn.SiLU()),
        nn.Linear(_HIDDEN, 1),
    )
    optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_DECAY)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    truth = torch.cat([torch.ones(_BATCH, 1), torch.zeros(_BATCH, 1)])
    for step in range(steps):
        shown = torch.cat([_blurred(known), torch.rand(_BATCH, joints)])
        loss = F.binary_cross_entropy_with_logits(network(2 * shown - 1), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
        if step % (steps // 50 or 1) == 0:
            progress(100 * step / steps)
    return network.requires_grad_(False)


def _blurred(known: Tensor) -> Tensor:
    """A random batch of poses with noise; poses outside of the joint ranges are mirrored back."""
    count, joints = known.shape
    drawn = known[torch.randint(count, (_BATCH,))]
    blurred = drawn + _BLUR * count ** (-1 / joints) * torch.randn_like(drawn)
    return 1 - (1 - blurred.abs()).abs()
