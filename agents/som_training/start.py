"""Start of a training, for both rules: checks, the initial map, and the identity of its checkpoints."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..som.modalities import Modalities

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says how much memory a container may use."""


def fingerprint(modalities: Modalities, features: Tensor, has: Tensor, settings: Sequence[float]) -> Tensor:
    """Numbers that identify a training: its settings, weights c, and sums over its samples, float64."""
    ramp = torch.linspace(1, 2, len(features), dtype=torch.float64, device=features.device)
    data = [float((features.double().sum(1) * ramp).sum()), float(has.sum())]
    numbers = [*map(float, settings), *modalities.widths.values(), *modalities.c.values(), *features.shape, *data]
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
    modalities: Modalities, features: Tensor, has: Tensor, shape: tuple[int, int], seed: int, steps: int = 30
) -> Tensor:
    """An initial map: a grid in the plane of the two principal components of the samples, (X, Y, D).

    Missing values count as the modality's mean. The seed tilts the plane by noise of a tenth of the standard deviation.
    The axes come from so many steps of subspace iteration.
    """
    known = modalities.per_dimension(has)
    mean = (features * known).sum(0) / known.sum(0).clamp(min=1)
    importance = modalities.scales(modalities.widths).to(features.device)
    centred = (features - mean) * known
    weighted = centred * torch.where(importance > 0, importance, importance.max() * 1e-3)
    generator = torch.Generator().manual_seed(seed)
    axes = weighted @ _principal_axes(weighted, steps)  # (N, 2), longest first
    axes = axes / axes.std(0, correction=0).clamp(min=1e-12)
    slopes = centred.T @ axes / len(features)  # (D, 2): the plane in unscaled features
    spread = centred.std(0, correction=0)
    tilt = 0.1 * torch.randn(slopes.shape, generator=generator).to(slopes)
    slopes = slopes + tilt * spread[:, None]
    rows, columns = shape
    along, across = (
        torch.linspace(-1.5, 1.5, side, device=features.device) if side > 1 else torch.zeros(1, device=features.device)
        for side in (rows, columns)
    )
    first, second = (along, across) if rows >= columns else (across, along)
    grid = torch.stack(torch.meshgrid(first, second, indexing="ij"), -1) @ slopes.T  # longer side along the first
    grid = grid if rows >= columns else grid.transpose(0, 1)
    return mean + grid


def _principal_axes(centred: Tensor, steps: int) -> Tensor:
    """The two longest principal axes of centered samples, (D, 2), by subspace iteration: D may be thousands of pixels."""
    generator = torch.Generator().manual_seed(0)
    width = centred.shape[1]
    axes = torch.randn((width, min(4, width)), generator=generator).to(centred)
    for _ in range(steps):
        axes = torch.linalg.qr(centred.T @ (centred @ axes)).Q
    lengths = (centred @ axes).norm(dim=0)
    axes = axes[:, lengths.argsort(descending=True)[:2]]
    return torch.cat([axes, axes.new_zeros((width, 2 - axes.shape[1]))], 1)


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
