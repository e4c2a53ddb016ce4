"""What `infant-arm ablate` changes, one thing at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from infant_env.body.built_in.anthropometry import OLDEST, YOUNGEST
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..data.dataset import SPLITS, Dataset
from ..train import autoencoder, som

What = Literal[
    "map_size", "last_sigma", "weights", "latent_size", "joint_weight", "picture", "samples", "visibility", "age"
]


@dataclass(frozen=True)
class Variant:
    """One thing changed; with nothing changed it is the run's own SOM-AE.

    Attributes:
        label: its name in tables and figures.
        autoencoder: changes of `train-ae`.
        map: changes of `train-som`.
        poses: changes of `collect`, for training poses of its own; it is tested on the run's.
        tested: changes of `collect`, for test poses of its own; it is trained on the run's.
    """

    label: str
    autoencoder: dict[str, Any] = field(default_factory=dict)
    map: dict[str, Any] = field(default_factory=dict)
    poses: dict[str, Any] = field(default_factory=dict)
    tested: dict[str, Any] = field(default_factory=dict)


def _map_sizes(run: Path, _: Dataset) -> list[Variant]:
    side = som.STAGE.config_in(run).rows
    sides = sorted({max(side // 2**k, 2) for k in range(6)})  # 25 to 800
    return [Variant(f"{s}x{s}", map={"rows": s, "columns": s}) for s in sides]


def _last_sigmas(*_: Any) -> list[Variant]:
    return [Variant(f"{sigma:g}", map={"last_sigma": sigma}) for sigma in (0.5, 1.0, 2.0, 3.0, 5.0)]


def _weights(*_: Any) -> list[Variant]:
    pairs = ((1, 4), (1, 1), (4, 1), (16, 1))
    return [Variant(f"{v}:{p}", map={VISION: float(v), PROPRIOCEPTION: float(p)}) for v, p in pairs]


def _latent_sizes(*_: Any) -> list[Variant]:
    return [Variant(f"{size}", autoencoder={"latent_size": size}) for size in (3, 5, 8, 12, 16)]


def _joint_weights(*_: Any) -> list[Variant]:
    return [Variant(f"{weight:g}", autoencoder={"joint_weight": weight}) for weight in (0.0, 0.05, 0.2, 0.5)]


def _pictures(*_: Any) -> list[Variant]:
    sides = [Variant(f"{side}x{side}", autoencoder={"side": side}) for side in (16, 32, 64, 128)]
    return [*sides, Variant("64x64 in color", autoencoder={"color": True})]


def _samples(run: Path, data: Dataset) -> Iterator[Variant]:
    """500 to 12,000 to train on, all for equally many steps: else the fewest would not have learned even those."""
    own = autoencoder.STAGE.config_in(run)
    for share in (1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3, 1):
        count = round(len(data) * share)
        longer = {name: round(getattr(own, name) / share) for name in ("epochs", "patience")}
        yield Variant(f"{round(SPLITS['train'] * count):,}", autoencoder=longer, poses={"samples": count})


def _visibilities(*_: Any) -> list[Variant]:
    return [Variant(f"{100 * share:g} %", poses={"min_arm_in_view": share}) for share in (0.0, 0.01, 0.05)]


def _ages(_: Path, data: Dataset) -> list[Variant]:
    own = data.body.age_months
    ages = sorted({min(max(age, YOUNGEST), OLDEST) for age in (own - 3, own, own + 6)})
    return [Variant(f"{age:g} months", tested={"age_months": age}) for age in ages]


VARIANTS: dict[str, Callable[[Path, Dataset], Iterable[Variant]]] = {
    "map_size": _map_sizes,
    "last_sigma": _last_sigmas,
    "weights": _weights,
    "latent_size": _latent_sizes,
    "joint_weight": _joint_weights,
    "picture": _pictures,
    "samples": _samples,
    "visibility": _visibilities,
    "age": _ages,
}
"""Variants of a run, by what they change."""
