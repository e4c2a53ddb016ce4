"""Reaching in real physics for what a map recalls, with noise and delay of the senses; and the units of such movements."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.som.readout import Readout
from agents.som.som import MultiModalSom
from infant_env.envs.reach_env import InfantArmReachEnv
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.sense import EYE, JOINTS, of_age

from ..frame.rows import Floats
from .changed import Body, Poses
from .eye import Places
from .readouts import hands, noisy

CONTACT = 0.02
"""m."""
SECONDS = 2.0
"""A reach without a contact ends then."""
RESTS_BELOW = 0.05
"""rad/s; a slower arm has arrived, as for the agent."""
LEAST_DIP, LEAST_PEAK = 0.01, 0.2
"""m/s between a peak of speed and its minima (Clifton et al. 1994); share of the highest speed (Konczak and Dichgans 1997)."""
IN_VIEW = 15.0
"""Degrees between the hand and the direction of the gaze (BabyBench 2025)."""
READOUTS: tuple[Readout, ...] = ("winner", "local_linear")


class Unit(NamedTuple):
    """A movement unit: from a minimum of the hand's speed over a peak to the next minimum, as indices."""

    start: int
    peak: int
    end: int


def movement_units(speed: Floats) -> list[Unit]:
    """The movement units of a hand's speed (T,), m/s, which begins at rest; the last one may still be under way."""
    units: list[Unit] = []
    start, turn, peak = 0, 0, None  # the last minimum, the highest or lowest point since, and the peak if speed falls
    for now, value in enumerate(speed):
        if peak is None:
            if value > speed[turn]:
                turn = now
            elif speed[turn] - value >= LEAST_DIP:
                peak, turn = turn, now
        elif value < speed[turn]:
            turn = now
        elif value - speed[turn] >= LEAST_DIP:
            units.append(Unit(start, peak, turn))
            start, turn, peak = turn, now, None
    if peak is not None:
        units.append(Unit(start, peak, turn))
    elif speed[turn] - speed[start] >= LEAST_DIP:
        units.append(Unit(start, turn, len(speed) - 1))
    return [unit for unit in units if speed[unit.peak] > LEAST_PEAK * max(speed)]


@dataclass(frozen=True)
class Reach:
    """One reach."""

    contact: bool
    """Whether the hand came within 2 cm of the goal."""
    units: int
    """Number of movement units."""
    unit_ms: float
    """Mean duration of the units that ended, ms; NaN if none did."""
    in_view: float
    """Share of the time in which the hand was within 15 degrees of the gaze."""


class Reacher:
    """Reaches for goal pictures: the first movement goes to the recalled pose, corrections follow from what is seen and felt.

    A movement sets the servos' targets at once, so its course is that of the body. When the arm rests, and the senses have had
    their delay to show it there, the map recalls the present pose from what is seen and felt, or in the dark from what is felt.
    The targets change by a share of the gap between the goal and this pose: the n-th share is 1 / (n + r), as a Kalman filter
    of a constant error has it, where r is the variance of the recalled present pose over that of the first movement's error.
    Both are measured on validation poses, as is the readout with the least error of the hand.

    Args:
        body: the body, its eye has an acuity.
        som: a map of its pictures and felt joints.
        validation: poses that the map has not learned.
        seed: seed of the noise on validation poses.
    """

    def __init__(self, body: Body, som: MultiModalSom, validation: Poses, seed: int) -> None:
        self._body, self._som, self._arm = body, som, body.eye.arm
        self._env = InfantArmReachEnv(arm=self._arm, senses="age")
        senses = of_age(self._arm.body)
        self._noise = senses[JOINTS].noise
        self._waits = {light: self._steps(senses[EYE if light else JOINTS].delay_ms) for light in (True, False)}
        self.readout: Readout = min(READOUTS, key=lambda each: self._error(validation, each))
        true, random = validation.samples[PROPRIOCEPTION], np.random.default_rng(seed)
        felt = noisy(body.eye, true.numpy(), self._noise, random)
        first = self._variance(self._recall({VISION: validation.samples[VISION]}), true)
        self._relative = {
            light: self._variance(self._recall(known), true) / first
            for light, known in (
                (True, {VISION: validation.samples[VISION], PROPRIOCEPTION: felt}),
                (False, {PROPRIOCEPTION: felt}),
            )
        }

    def __call__(self, goal: Tensor, place: Places, start: Places, light: bool, seed: int) -> Reach:
        """One reach.

        Args:
            goal: latents of the goal picture, (1, D).
            place: where the hand is there, (3,), m.
            start: the pose at the start, (J,), rad.
            light: whether the infant sees its arm; the goal picture is known in the dark too.
            seed: seed of the senses' noise.
        """
        observation, _ = self._env.reset(seed=seed, options={"joints": start})
        wanted = self._recall({VISION: goal})
        target, rested, corrections, contact, views = wanted, 0, 0, False, []
        path = [observation["achieved_goal"]]
        for _ in range(self._steps(1000 * SECONDS)):
            observation, *_ = self._env.step(2 * target[0].numpy() - 1)
            path.append(observation["achieved_goal"])
            views.append(self._in_view(path[-1]))
            contact = bool(np.linalg.norm(path[-1] - place) < CONTACT)
            if contact:
                break
            angles, rates = np.split(observation["observation"], 2)
            rested = rested + 1 if np.abs(rates).max() < RESTS_BELOW else 0
            if rested >= self._waits[light]:
                corrections, rested = corrections + 1, 0
                gap = wanted - self._now(angles, light)
                target = (target + gap / (corrections + self._relative[light])).clamp(0, 1)
        speed = np.linalg.norm(np.diff(path, axis=0), axis=1) / self._env.dt
        units = movement_units(np.concatenate([[0.0], speed]))
        ended = [unit.end - unit.start for unit in (units[:-1] if contact else units)]
        lasted = 1000 * self._env.dt * float(np.mean(ended)) if ended else float("nan")
        return Reach(contact, len(units), lasted, float(np.mean(views)))

    def _now(self, felt: Floats, light: bool) -> Tensor:
        """The present pose as the map recalls it, normalized, (1, J)."""
        known = {PROPRIOCEPTION: torch.from_numpy(self._arm.normalize(felt[None]).astype(np.float32))}
        if light:
            known |= {VISION: self._body.seen(self._env.data.qpos[self._arm.qpos_ids][None]).samples[VISION]}
        return self._recall(known)

    def _recall(self, known: dict[str, Tensor]) -> Tensor:
        return self._som.recall(known, PROPRIOCEPTION, self.readout).clamp(0, 1)

    def _error(self, poses: Poses, readout: Readout) -> float:
        found = self._som.recall({VISION: poses.samples[VISION]}, PROPRIOCEPTION, readout).clamp(0, 1)
        return float(np.linalg.norm(hands(self._body.eye, found) - poses.hands, axis=1).mean())

    def _variance(self, found: Tensor, true: Tensor) -> Tensor:
        return (found - true).square().mean(0)

    def _in_view(self, hand: Places) -> bool:
        camera = self._env.data.camera(self._arm.eye_camera)
        ahead, way = -camera.xmat.reshape(3, 3)[:, 2], hand - camera.xpos
        return bool(ahead @ way >= np.cos(np.radians(IN_VIEW)) * np.linalg.norm(way))

    def _steps(self, ms: float) -> int:
        """Control steps in a time, 1 or more."""
        return max(1, int(np.ceil(ms / 1000 / self._env.dt)))
