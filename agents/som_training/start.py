"""Start of a training, for both rules: checks, the initial map, and the identity of its checkpoints."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..som.grid import Grid
from ..som.modalities import Modalities

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says how much memory a container may use."""


TURNS = 4096
"""Number of turns that are tried together in the search for circles."""


def fingerprint(modalities: Modalities, features: Tensor, has: Tensor, settings: Sequence[float]) -> Tensor:
    """Numbers that identify a training: its settings, weights c, and sums over its samples, float64."""
    ramp = torch.linspace(1, 2, len(features), dtype=torch.float64, device=features.device)
    data = [float((features.double().sum(1) * ramp).sum()), float(has.sum())]
    numbers = [*map(float, settings), *modalities.widths.values(), *modalities.c.values(), *features.shape, *data]
    numbers += [] if modalities.distance == "l1" else [2.0]
    return torch.tensor(numbers, dtype=torch.float64)


def resumed(state: Mapping[str, Tensor], identity: Tensor, device: torch.device) -> dict[str, Tensor]:
    """A copy of a checkpoint's tensors on the device.

    Raises:
        UserError: the checkpoint belongs to another training.
    """
    saved = state.get("training", torch.empty(0)).cpu()
    if saved.shape != identity.shape or not torch.allclose(saved, identity, rtol=1e-9, atol=1e-9):
        raise UserError(
            f"got a state of another training, with {saved.tolist()}, expected {identity.tolist()} (settings, widths, "
            "weights c, sums of the samples); resume with equal arguments, or start again without it"
        )
    return {name: value.to(device, copy=True) for name, value in state.items()}


def principal_plane(
    modalities: Modalities, features: Tensor, has: Tensor, grid: Grid, seed: int, steps: int = 30
) -> Tensor:
    """An initial map: a grid in the plane of the two principal components of the samples, (X, Y, D).

    A torus starts as two circles along the first four of them. On two angles, given as cosines and sines, it then ends without
    folds; from a plane, it ends with as many as a map in the plane.

    Missing values count as the modality's mean. The seed tilts the plane by noise of a tenth of the standard deviation.
    The axes come from so many steps of subspace iteration.
    """
    known = modalities.per_dimension(has)
    mean = (features * known).sum(0) / known.sum(0).clamp(min=1)
    importance = modalities.scales(modalities.widths).to(features.device)
    centred = (features - mean) * known
    weighted = centred * torch.where(importance > 0, importance, importance.max() * 1e-3)
    generator = torch.Generator().manual_seed(seed)
    count = 4 if grid.topology == "torus" else 2
    axes = weighted @ _principal_axes(weighted, count, steps)  # (N, 2 or 4), longest first
    lengths = axes.std(0, correction=0)
    axes = axes / lengths.clamp(min=1e-12)
    if grid.topology == "torus" and bool((lengths > 1e-4 * lengths[0]).all()):  # four dimensions or more
        axes = _circles(axes, weighted)
    slopes = centred.T @ axes / len(features)  # (D, 2 or 4): the plane in unscaled features
    spread = centred.std(0, correction=0)
    tilt = 0.1 * torch.randn(slopes.shape, generator=generator).to(slopes)
    slopes = slopes + tilt * spread[:, None]
    return mean + (_torus(grid.shape, slopes) if grid.topology == "torus" else _plane(grid, slopes))


def _plane(grid: Grid, slopes: Tensor) -> Tensor:
    """A plane from -1.5 to 1.5 along each slope (D, 2), the first one along the map's longer side, (X, Y, D)."""
    rows, columns = grid.shape
    along, across = (
        torch.linspace(-1.5, 1.5, side, device=slopes.device) if side > 1 else torch.zeros(1, device=slopes.device)
        for side in (rows, columns)
    )
    first, second = (along, across) if rows >= columns else (across, along)
    plane = torch.stack(torch.meshgrid(first, second, indexing="ij"), -1) @ slopes.T  # longer side along the first
    plane = plane if rows >= columns else plane.transpose(0, 1)
    if grid.topology == "hexagonal":
        aside = (torch.arange(rows, device=slopes.device) % 2 / 2 - 0.25) * 3 / max(columns - 1, 1)  # of a row
        plane = plane + aside[:, None, None] * slopes[:, 1 if rows >= columns else 0]
    return plane


def _circles(axes: Tensor, features: Tensor) -> Tensor:
    """Turns four axes of equal length, (N, 4), until the first two and the last two are as near to circles as possible.

    On a circle, the sum of two squares does not vary. The larger circle comes first. Where samples close on themselves in two
    ways, such as two angles, principal axes may mix both, and a torus that starts from such a mixture stays folded.
    """
    moments = torch.einsum("ni,nj,nk,nl->ijkl", axes, axes, axes, axes) / len(axes)
    turn, generator = torch.eye(4), torch.Generator().manual_seed(0)
    for scale in (10.0, 0.3, 0.1, 0.03):  # a search among all turns, then around the best
        tried = torch.linalg.qr(turn + scale * torch.randn((TURNS, 4, 4), generator=generator)).Q.to(axes)
        planes = torch.stack([part @ part.mT for part in tried.split(2, 2)])  # (2, TURNS, 4, 4)
        squares = torch.einsum("ptij,ptkl,ijkl->t", planes, planes, moments)  # the larger, the more these sums vary
        turn = tried[squares.argmin()].cpu()
    turned = axes @ turn.to(axes)
    lengths = (features.T @ turned).square().sum(0).view(2, 2).sum(1)  # of both circles
    return turned if lengths[0] >= lengths[1] else turned.roll(2, 1)


def _torus(shape: tuple[int, int], slopes: Tensor) -> Tensor:
    """Two circles along two slopes each, (D, 4), the first one along the map's longer side, (X, Y, D)."""
    long, short = sorted(shape, reverse=True)
    first, second = (torch.arange(side, device=slopes.device) * (2 * torch.pi / side) for side in (long, short))
    around, through = (
        torch.stack([turn.cos(), turn.sin()], 1) @ both.T
        for turn, both in zip((first, second), slopes.split(2, 1), strict=True)
    )
    torus = around[:, None] + through
    return torus if shape[0] >= shape[1] else torus.transpose(0, 1)


def _principal_axes(centred: Tensor, count: int, steps: int) -> Tensor:
    """The longest principal axes of centered samples, (D, count), by subspace iteration: D may be thousands of pixels."""
    generator = torch.Generator().manual_seed(0)
    width = centred.shape[1]
    axes = torch.randn((width, min(4, width)), generator=generator).to(centred)
    for _ in range(steps):
        axes = torch.linalg.qr(centred.T @ (centred @ axes)).Q
    lengths = (centred @ axes).norm(dim=0)
    axes = axes[:, lengths.argsort(descending=True)[:count]]
    return torch.cat([axes, axes.new_zeros((width, count - axes.shape[1]))], 1)


def checked_sigma(name: str, sigma: float) -> float:
    """A radius; raises a UserError unless it is finite and above 0."""
    if not 0 < sigma < float("inf"):
        raise UserError(
            f"got {name}={sigma}, expected a radius in neurons above 0, such as 2 for 800x800 neurons and 12,000 samples"
        )
    return sigma


def checked_epochs(epochs: int | None) -> int | None:
    """A number of epochs or None; raises a UserError if the number is not a whole one of 1 or more."""
    if epochs is not None and (not isinstance(epochs, int) or epochs < 1):
        raise UserError(f"got epochs={epochs!r}, expected a whole number of 1 or more")
    return epochs


def check_same(widths: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Raises a UserError unless samples have the modalities of an initial map."""
    if dict(widths) != dict(expected):
        raise UserError(f"got samples of the widths {dict(widths)}, expected {dict(expected)}, as in the initial map")


def check_memory(shape: tuple[int, int], width: int, device: torch.device, samples: int = 0) -> None:
    """Raises a UserError if the training of such a map with so many samples does not fit into the device's memory."""
    needed = 4 * 4 * shape[0] * shape[1] * (width + 1)  # the map, its sums, and the memory to smooth them
    needed += 4 * 6 * samples * width  # features, their scales, and both as integers of 8 bytes
    available = _memory_of(device)
    if available is not None and needed > available:
        raise UserError(
            f"training a {shape[0]}x{shape[1]} map with {samples:,} samples of {width} dimensions takes about "
            f"{needed / 2**30:.1f} GiB, but {device} has {available / 2**30:.1f} GiB; choose a smaller map, fewer samples or "
            "fewer dimensions (latents, not pixels)"
        )


def _memory_of(device: torch.device) -> int | None:
    """Memory of a device in bytes: what is free on a graphics card, else what this process may use; None if unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [path.read_text().strip() for path in _CGROUP_LIMITS if path.exists()]
    return min([physical, *(int(limit) for limit in limits if limit.isdigit())])
