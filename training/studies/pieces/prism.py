"""Reaching with an arm that is seen turned: targets, poses behind the prism, and learners of one pair each reach."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som.som import MultiModalSom
from agents.som_training.online import OnlineSom
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.seen.seen import Seen

from .eye import Eye, Places, azimuth, turned_about

BATCH, LITERAL, OFFSET = "batch rule", "literal rule", "single offset"
LEARNERS = (BATCH, LITERAL, OFFSET)
RATE = 0.1
"""Share of the error by which the single offset changes; people take 10 to 30 throws (Martin et al. 1996)."""
ON_TARGET, LEAST_DISTANCE = 0.005, 0.1
"""Largest error of a hand on its target; least horizontal distance of a target from the eye, m."""


class Learner:
    """Where to reach for a goal picture, where the hand is felt, and what a reach teaches."""

    def __init__(self, kind: str, som: MultiModalSom) -> None:
        self._kind, self._first = kind, som
        self._online = OnlineSom(som, rule="literal" if kind == LITERAL else "batch")
        self._offset = torch.zeros(som.modalities[PROPRIOCEPTION])

    def reach(self, goals: Tensor) -> Tensor:
        """Latents of goal pictures (B, D) -> normalized joints (B, J)."""
        return (self._online.recall({VISION: goals}, PROPRIOCEPTION) + self._offset).clamp(0, 1)

    def reach_before(self, goals: Tensor) -> Tensor:
        """The same before anything was learned."""
        return self._first.recall({VISION: goals}, PROPRIOCEPTION)

    def feels(self, felt: Tensor) -> tuple[Tensor, Tensor]:
        """Normalized poses in which an arm looks as these felt ones (B, J) are expected to: now, and before; (B, J) each.

        What a picture says is read by the map as it was before, because the eyes themselves do not change.
        """
        expected = (
            self._online.recall({PROPRIOCEPTION: felt}, VISION),
            self._first.recall({PROPRIOCEPTION: felt}, VISION),
        )
        now, before = (
            self._first.recall({VISION: each}, PROPRIOCEPTION, "local_linear").clamp(0, 1) for each in expected
        )
        return now, before

    def learn(self, command: Tensor, seen: Tensor, felt: Tensor) -> None:
        """Learns from a reach: where it went first, and what was seen and felt when the hand was seen on the target."""
        if self._kind == OFFSET:
            self._offset += RATE * (felt - command)[0]
        else:
            self._online.update({VISION: seen, PROPRIOCEPTION: felt})


@dataclass(frozen=True)
class Goals:
    """Targets: poses that bring the hand there, and their pictures."""

    joints: Places
    """Shape (N, J), rad."""
    places: Places
    """Shape (N, 3), m."""
    latents: Tensor
    """Of the pictures that show the hand on the target, (N, D)."""


def targets(
    count: int, rotations: Sequence[float], eye: Eye, mind: SomAutoencoder, random: np.random.Generator
) -> Goals:
    """Places where the eye sees the hand, and which the hand still reaches in sight if the arm is seen turned."""
    found: list[Places] = []
    while len(found) < count:
        pose = eye.valid_pose(random)
        place = eye.hands(pose[None])
        if np.hypot(*(place - eye.place)[0, :2]) < LEAST_DISTANCE or not eye.shows_hand(pose[None])[0]:
            continue
        ends = [behind(eye, pose, turn) for turn in rotations]
        missed = [
            turned_about(eye.place, eye.hands(end[None]), turn) - place
            for end, turn in zip(ends, rotations, strict=True)
        ]
        seen = [eye.shows_hand(end[None], through(turn))[0] for end, turn in zip(ends, rotations, strict=True)]
        if all(seen) and np.linalg.norm(missed, axis=2).max() < ON_TARGET:
            found.append(pose)
    joints = np.array(found)
    return Goals(joints, eye.hands(joints), mind.latents(eye(joints)))


def through(turn: float) -> Seen | None:
    """A prism that turns the arm to the left."""
    return Seen(turn=turn, about="eye") if turn else None


def behind(eye: Eye, pose: Places, turn: float) -> Places:
    """The pose that looks through the prism as a pose (J,) does without it, as far as the arm can."""
    return eye.looking_as(turned_about(eye.place, eye.arms(pose), -turn), pose)


def turned_by(eye: Eye, start: Places, end: Places) -> Places:
    """How far to the left of places (N, 3) others lie, seen from the eye, degrees, (N,)."""
    return (azimuth(eye.place, end) - azimuth(eye.place, start) + 180) % 360 - 180
