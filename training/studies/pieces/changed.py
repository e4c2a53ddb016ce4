"""A body that changes in front of the run's eye: its poses, the error of its hand, and the length that a map expects to see."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.autoencoder import ARM_DIFFERS_BY
from agents.tools import checkpoints
from agents.tools.files import DamagedFileError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from .eye import Eye, Floats, Places
from .readouts import hands

LEAST_ARM = 0.01
"""A pose is used if the arm is seen in this share of the pixels or more, as in the run's data."""
MOST_AT_ONCE = 200
KIND = "poses"


class Recalls(Protocol):
    """A map, or one that goes on learning."""

    def recall(self, query: dict[str, Tensor], wanted: str, /) -> Tensor:
        """What the winners of a query hold of a modality, (B, width)."""


@dataclass(frozen=True)
class Poses:
    """Poses of a body, and what is seen and felt in them."""

    joints: Places
    """Shape (N, J), rad."""
    hands: Places
    """Places of the hand, (N, 3), m."""
    samples: dict[str, Tensor]
    """Latents of the pictures (N, D), and normalized joints (N, J), by sense."""

    def some(self, rows: Tensor) -> dict[str, Tensor]:
        """The samples of some poses."""
        return {name: values[rows] for name, values in self.samples.items()}


class Body:
    """A body and what it sees of itself.

    Args:
        eye: its eye, such as `Eye.of` gives it.
        mind: what turns pictures into latents; see `seeing` for a body with another background.
    """

    def __init__(self, eye: Eye, mind: SomAutoencoder) -> None:
        self.eye, self._mind = eye, mind

    def new(self, count: int, random: np.random.Generator, hand: bool = False) -> Poses:
        """New valid poses in which the arm is seen.

        Args:
            count: number of poses.
            random: random numbers.
            hand: whether the hand must be seen too.
        """
        joints: list[Places] = []
        pictures: list[Floats] = []
        while len(joints) < count:
            pose = self.eye.valid_pose(random)
            picture = self.eye(pose[None])[0]
            if self._shows_arm(picture) and (not hand or self.eye.shows_hand(pose[None])[0]):
                joints.append(pose)
                pictures.append(picture)
        return self._poses(np.array(joints), np.array(pictures))

    def seen(self, joints: Places) -> Poses:
        """Given poses (N, J), rad."""
        return self._poses(joints, self.eye(joints))

    def error_cm(self, som: Recalls, poses: Poses) -> float:
        """Mean distance of the hand from where it is in the pose that the winner recalls from the picture, cm."""
        found = hands(self.eye, recalled(som, poses))
        return 100 * float(np.linalg.norm(found - poses.hands, axis=1).mean())

    def _shows_arm(self, picture: Floats) -> bool:
        background = self._mind.autoencoder.background.numpy()
        return float((np.abs(picture - background) > ARM_DIFFERS_BY).mean()) >= LEAST_ARM

    def _poses(self, joints: Places, pictures: Floats) -> Poses:
        latents = torch.cat([self._mind.latents(part) for part in torch.from_numpy(pictures).split(MOST_AT_ONCE)])
        felt = torch.from_numpy(self.eye.arm.normalize(joints).astype(np.float32))
        return Poses(joints, self.eye.hands(joints), {VISION: latents, PROPRIOCEPTION: felt})


class Kept:
    """Poses that all seeds share, kept in a study's folder, so that a kill loses at most those of one body.

    Args:
        folder: the folder.
        key: what the poses depend on, see `key_of`.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def __call__(self, name: str, make: Callable[[], Poses]) -> Poses:
        """The poses in the file of this name; they are made if it is missing, damaged, or of other settings or models."""
        path = self._folder / f"{name}.safetensors"
        try:
            tensors, header = checkpoints.read(path, KIND)
        except (FileNotFoundError, DamagedFileError):
            tensors, header = {}, {}
        if header.get("key") != self._key:
            made = make()
            tensors = {"joints": torch.from_numpy(made.joints), "hands": torch.from_numpy(made.hands), **made.samples}
            checkpoints.write(path, KIND, tensors, {"key": self._key})
        joints, hands = (tensors.pop(name).numpy() for name in ("joints", "hands"))
        return Poses(joints, hands, {name: tensors[name] for name in (VISION, PROPRIOCEPTION)})


def seeing(mind: SomAutoencoder, eye: Eye) -> SomAutoencoder:
    """The same mind with another eye: its autoencoder knows what this one sees without the arm."""
    autoencoder = copy.deepcopy(mind.autoencoder)
    autoencoder.background.copy_(torch.from_numpy(eye.background()))
    return SomAutoencoder(autoencoder, mind.som, eye.arm.joint_ranges)


def recalled(som: Recalls, poses: Poses) -> Tensor:
    """The normalized joints that the winner recalls from pictures of poses, (N, J)."""
    return som.recall({VISION: poses.samples[VISION]}, PROPRIOCEPTION).clamp(0, 1)


class FeltLength:
    """The length of the arm, or of a part of it, that a map expects to see in felt poses.

    The winner of the felt joints holds a picture's latents. They are compared with those of really seen arms of many lengths in
    the same poses; the length with the least mean absolute difference is the felt one.

    Args:
        felt: normalized joints, (N, J).
        seen: length in mm -> latents of what is seen of an arm of this length in these poses, (N, D).
    """

    def __init__(self, felt: Tensor, seen: Mapping[float, Tensor]) -> None:
        self._felt = felt
        self._lengths = np.array(sorted(seen))
        self._seen = torch.stack([seen[length] for length in sorted(seen)])  # (L, N, D)

    def __call__(self, som: Recalls) -> float:
        """The felt length, mm."""
        return self.of(som.recall({PROPRIOCEPTION: self._felt}, VISION))

    def of(self, latents: Tensor) -> float:
        """The length, mm, of the arm that latents (N, D) of these poses show."""
        return lowest(self._lengths, (latents - self._seen).abs().mean((1, 2)).double().numpy())


def lowest(x: Places, y: Places) -> float:
    """Where a curve through points (L,) is lowest: the vertex of the parabola through the lowest point and its neighbors."""
    at = int(y.argmin())
    if at in (0, len(x) - 1):
        return float(x[at])
    bend, slope, _ = np.polyfit(x[at - 1 : at + 2] - x[at], y[at - 1 : at + 2], 2)
    return float(x[at] - slope / (2 * bend))
