"""Poses whose arm is seen elsewhere than it is felt: the displacement that the studies of two senses share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.senses.seen.seen import Seen
from infant_env.senses.vision import COLOR, GRAY

from ..frame.rows import Row
from .eye import Eye, Floats, Places, turned_about
from .readouts import hands

LEAST_REACH = 0.12
"""Least horizontal distance of the hand from the shoulder, m; with less, hardly any turn moves the hand by 20 cm."""


@dataclass(frozen=True)
class Displaced:
    """Poses whose arm is seen turned about the shoulder to one side."""

    joints: Places
    """Normalized, (N, J)."""
    felt: Places
    """Places of the hand, (N, 3), m."""
    seen: dict[int, Places]
    """Places where the hand is seen, by its distance in cm."""
    pictures: dict[int, Floats]
    """What the agent sees, in color, (N, 3, 64, 64) each, by distance."""
    latents: dict[int, Tensor]
    """Latents of what the map sees, in gray, (N, D) each."""

    def first(self, count: int) -> "Displaced":
        """The first poses."""
        return Displaced(
            self.joints[:count],
            self.felt[:count],
            {gap: rows[:count] for gap, rows in self.seen.items()},
            {gap: rows[:count] for gap, rows in self.pictures.items()},
            {gap: rows[:count] for gap, rows in self.latents.items()},
        )


def displaced(
    count: int, gaps: Sequence[int], eye: Eye, mind: SomAutoencoder, side: int, random: np.random.Generator
) -> Displaced:
    """New poses in which the eye sees the hand wherever it is displaced to.

    Args:
        count: number of poses.
        gaps: distances between the felt and the seen hand, cm; 0 is among them.
        eye: the eye.
        mind: what turns pictures into latents.
        side: 1: the arm is seen to the left of where it is felt; -1: to the right.
        random: random numbers.
    """
    center = eye.shoulder
    poses: list[Places] = []
    turns: list[list[float]] = []
    while len(poses) < count:
        pose = eye.valid_pose(random)
        reach = float(np.hypot(*(eye.hands(pose[None]) - center)[0, :2]))
        if reach < LEAST_REACH:
            continue
        degrees = [side * float(np.degrees(2 * np.arcsin(gap / 200 / reach))) for gap in gaps]
        if all(eye.shows_hand(pose[None], Seen(turn=turn, about="shoulder"))[0] for turn in degrees):
            poses.append(pose)
            turns.append(degrees)
    joints, each = np.array(poses), np.array(turns)
    felt, seen, pictures, latents = eye.hands(joints), {}, {}, {}
    for column, gap in enumerate(gaps):
        seen[gap] = np.concatenate(
            [turned_about(center, *pair) for pair in zip(felt[:, None], each[:, column], strict=True)]
        )
        shown = [Seen(turn=float(turn), about="shoulder") for turn in each[:, column]]
        frames = eye.frames(joints, shown)
        pictures[gap], latents[gap] = COLOR.squeeze(frames), mind.latents(GRAY.squeeze(frames))
    return Displaced(eye.arm.normalize(joints), felt, seen, pictures, latents)


def drifts(
    what: Row, shown: Displaced, answers: Mapping[int, Tensor], eye: Eye, alone: tuple[float, float]
) -> Iterator[Row]:
    """How far the recalled hand moves towards the seen one, against the same query without a displacement.

    Args:
        what: the readout, the noise and the side.
        shown: the poses.
        answers: normalized joints (N, J) by gap in cm; 0 is among them.
        eye: the eye and the body.
        alone: standard deviation of the hand from the felt joints alone, and from vision alone, cm.
    """
    start, (s_p, s_v) = hands(eye, answers[0]), alone
    for gap in [gap for gap in answers if gap]:
        towards = (shown.seen[gap] - shown.felt) / np.linalg.norm(shown.seen[gap] - shown.felt, axis=1, keepdims=True)
        drift = 100 * float(((hands(eye, answers[gap]) - start) * towards).sum(1).mean())
        moved = {"gap_cm": float(gap), "drift_cm": drift, "share": drift / gap}
        yield {**what, **moved, "s_p_cm": s_p, "s_v_cm": s_v, "fused": s_p**2 / (s_p**2 + s_v**2)}
