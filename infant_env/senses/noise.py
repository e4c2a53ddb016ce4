"""Noise of the senses: normal numbers of one infant, and noise of the eye's frames that costs little time."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .modalities import GAZE, TOUCH
from .sense import EYE, EYE_LEFT, FOVEA, JOINTS, VELOCITIES, Sense, Senses

_BLOCK = 256
"""Observations for which random numbers are drawn together."""
_STARTS = 2**20
"""Number of places in the table at which the noise of a frame can begin."""
_OWN_KEY = 2**31
"""Key that makes the noise's random numbers independent of those from which they are seeded."""
_ROUNDING = 1 / 12  # variance that rounding to whole gray levels adds
WIDEST = 8.0
"""Normal numbers this far out occur in one of 10^15 draws; spaces of noisy observations are this much wider."""


class Noise:
    """The noise of one infant's senses, observation by observation.

    It has random numbers of its own, so that starts, goals and motion are the same with noise and without.

    Args:
        random: the infant's random numbers; they stay as they are.
        senses: the senses.
        joints: number of joints, J.
        gaze: number of angles of the gaze, G.
        patches: number of patches of skin, P.
    """

    def __init__(
        self, random: np.random.Generator, senses: Senses, joints: int, gaze: int = 0, patches: int = 0
    ) -> None:
        seed: Any = random.bit_generator.seed_seq
        own, *others = (
            np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, _OWN_KEY, *further))
            for further in ((), (0,), (1,))
        )
        self._random = np.random.default_rng(own)
        degrees, newtons = np.deg2rad(noise_of(senses, GAZE)), noise_of(senses, TOUCH)
        each = ((GAZE, degrees, gaze, others[0]), (TOUCH, newtons, patches, others[1]))
        self._further = {
            name: (np.random.default_rng(stream), scale, size) for name, scale, size, stream in each if scale
        }
        self._drawn: dict[str, NDArray[np.float32]] = {}
        self._scale = np.repeat([np.deg2rad(noise_of(senses, name)) for name in (JOINTS, VELOCITIES)], joints)
        self._now = _BLOCK
        self.felt = np.empty(0, np.float32)
        """Noise of the joints and of their velocities in this observation, shape (2 J,), rad and rad/s."""

    def renew(self) -> None:
        """Goes on to the next observation."""
        self._now += 1
        if self._now >= _BLOCK:
            drawn = self._random.standard_normal((_BLOCK, len(self._scale)))
            self._felt, self._starts = (
                (drawn * self._scale).astype(np.float32),
                self._random.integers(_STARTS, size=_BLOCK),
            )
            for name, (random, scale, size) in self._further.items():
                self._drawn[name] = (random.standard_normal((_BLOCK, size)) * scale).astype(np.float32)
            self._now = 0
        self.felt = self._felt[self._now]

    def of(self, name: str) -> NDArray[np.float32] | None:
        """Noise of the gaze, (G,), rad, or of touch, (P,), N, in this observation; None if there is none."""
        return self._drawn[name][self._now] if name in self._further else None

    def added(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The gaze or touch with its noise, see `of`; the array itself if it has none."""
        noise = self.of(name)
        return values if noise is None else values + noise

    def add_to_frame(self, frame: NDArray[np.uint8], noise: float, eye: str = EYE) -> None:
        """Adds this observation's noise to a frame, in place, see `add_to_frame`; each eye and the fovea have their own."""
        start = int(self._starts[self._now])
        start = (start + _STARTS // 2) % _STARTS if eye == EYE_LEFT else start
        add_to_frame(frame, noise, start, table=int(eye == FOVEA))


def noise_of(senses: Senses, name: str) -> float:
    """The noise of a sense, 0 if it has none."""
    return senses.get(name, Sense()).noise


def add_to_frame(frame: NDArray[np.uint8], noise: float, start: int, table: int = 0) -> None:
    """Adds noise to each byte of a frame, in place; sums beyond 0 and 255 are cut.

    Drawing normal numbers for all pixels would take longer than rendering. So the noise is a part of one table of normal
    numbers, which begins at a random place; no two pixels of a frame share a number.

    Args:
        frame: contiguous, uint8.
        noise: standard deviation, share of the 255 gray levels.
        start: where in the table the noise begins, 0 to 2^20 - 1.
        table: number of the table; the numbers of different tables are independent.
    """
    flat = frame.reshape(-1)
    up, room, down = (part[start : start + flat.size] for part in _table(flat.size + _STARTS, noise, table))
    np.minimum(flat, room, out=flat)
    np.add(flat, up, out=flat)
    np.maximum(flat, down, out=flat)
    np.subtract(flat, down, out=flat)


@lru_cache(maxsize=4)
def _table(size: int, noise: float, table: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """What is added to a byte, the largest byte that it may be added to, and what is taken away, each of this size.

    One of the two is 0. Bytes alone are ten times as fast as wider numbers.
    """
    spread = np.sqrt((255 * noise) ** 2 - _ROUNDING)
    levels = np.rint(np.random.default_rng(table).standard_normal(size, np.float32) * np.float32(spread))
    up, down = (side.clip(0, 255).astype(np.uint8) for side in (levels, -levels))
    return up, 255 - up, down
