"""Which poses are familiar: where a map remembers poses as densely as anywhere, and where it remembers none.

A map keeps no samples, but it shows where they were: around each sample's winner the neurons crowd, and between the
samples it is stretched. And a network that learned to tell what is remembered from poses drawn at random knows their
density, smoothly and in closed form, also at the ends of the joint ranges, where distances to neighbors mislead.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION

from ..som.som import MultiModalSom

Progress = Callable[[float], None]
_HIDDEN, _BATCH = 64, 512
_RATE, _DECAY = 1e-2, 0.1
_BLUR = 0.15  # of the remembered poses' spacing
_EVEN = 1e-4  # relative: an evenly stretched map remembers all of its neurons


def remembered(som: MultiModalSom, modality: str = PROPRIOCEPTION) -> Tensor:
    """What a map remembers of its samples: the weights of the neurons around which it is stretched least.

    At 800x800 these are 12,003 poses, with 99 % of the 12,000 that the map was trained on among them.

    Args:
        som: the trained map.
        modality: which weights.

    Returns:
        Shape (M, width), M >= 1; about as many as there were samples, where the map has many neurons for each.
    """
    weights = som.weights(modality).view(*som.shape, -1)  # (X, Y, width)
    stretch = _stretch(weights)
    least = -F.max_pool2d(-stretch[None], 3, stride=1, padding=1)[0]  # (X, Y), of a neuron and its eight neighbors
    return weights[stretch <= least * (1 + _EVEN)]


def _stretch(weights: Tensor) -> Tensor:
    """Mean distance of each neuron to its neighbors on the map, (X, Y, width) -> (X, Y)."""
    total, count = weights.new_zeros((2, *weights.shape[:2]))
    for axis in (0, 1):
        size = weights.shape[axis] - 1
        between = weights.diff(dim=axis).abs().mean(2)
        for first in (0, 1):
            total.narrow(axis, first, size).add_(between)
            count.narrow(axis, first, size).add_(1)
    return total / count.clamp(min=1)


class Familiarity:
    """The logarithm of how densely poses are remembered, compared with the usual: 0 there, -1 where 2.7 times thinner.

    Learned by contrast: a small network tells remembered poses, a little blurred, from poses drawn uniformly over the joint
    ranges; its log odds are their density's logarithm, but for a constant (Hastie et al., *The Elements of Statistical
    Learning*, 14.2.4). Takes some seconds, on the processor.

    Args:
        poses: remembered poses in normalized joints, shape (M, J).
        seed: of the network and of what it is shown.
        steps: of its training.
        progress: told how far that has come, in percent.

    Raises:
        UserError: there are no poses.
    """

    def __init__(self, poses: Tensor, seed: int = 0, steps: int = 4000, progress: Progress | None = None) -> None:
        if not len(poses):
            raise UserError("got no poses, expected one or more that are remembered")
        known = poses.detach().cpu().float().clone()
        with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # of the layers too; the caller's own random numbers go on as they were
            known = known.clone()  # one made under inference mode could not be learned from
            self._network = _contrasted(known, steps, progress or (lambda percent: None))
        self._usual = 0.0
        self._usual = float(self(known).median())

    def __call__(self, poses: Tensor) -> Tensor:
        """Familiarity of normalized joints, (..., J) -> (...); differentiable."""
        return self._network(2 * poses - 1).squeeze(-1) - self._usual


def _contrasted(known: Tensor, steps: int, progress: Progress) -> nn.Sequential:
    """A network whose log odds tell these poses from any others."""
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
    """A batch of poses drawn anew, mirrored at the ends of the joint ranges where blurring leads out of them."""
    count, joints = known.shape
    drawn = known[torch.randint(count, (_BATCH,))]
    blurred = drawn + _BLUR * count ** (-1 / joints) * torch.randn_like(drawn)
    return 1 - (1 - blurred.abs()).abs()
