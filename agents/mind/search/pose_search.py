"""The search: candidates from the map, the glance and the picture memory, refined until their pictures fit the goal."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from ...networks.expectation import Expectation
from ...networks.generator import PictureGenerator
from ...networks.glance import Glance
from .goals import Goals
from .picture_memory import PictureMemory
from .trials import cost, draw, refine
from .tried import Tried


@dataclass(frozen=True)
class Round:
    """A round of trials."""

    poses: int
    """Number of poses that are refined, the best that are distinct."""
    iterations: int
    """Iterations of `refine`; the slopes are drawn in the first one."""
    apart: float
    """Poses are distinct if a normalized joint differs by more than this."""


QUICK = Round(5, 3, 0.1)
"""The first round for every goal."""
POLISH = Round(1, 3, 0.06)
"""The second round: the best pose of the first one."""
THOROUGH = Round(12, 3, 0.1), Round(5, 3, 0.06)
"""Further rounds for goals that the first ones do not explain; they also start from the picture memory."""
_GUESSED, _REMEMBERED = 8, 16  # candidates from the glance's expectation, and from the picture memory
_EXPLAINED = 0.15  # a goal is explained if at most this share of its difference from the background is left
_APART = 0.06  # the found poses are distinct


@dataclass(frozen=True)
class PoseSearch:
    """Finds poses that may show goal pictures.

    Args:
        generator: draws the imagined pictures.
        glance: guesses poses, and tells which ones to expect; without it, there is no expectation.
        memory: finds remembered poses; None if the eye moves, since the memory knows one view.
    """

    generator: PictureGenerator
    glance: Glance | None
    memory: PictureMemory | None

    def find(self, goals: Goals, recalled: Tensor, count: int) -> Tried:
        """The `count` best poses for each goal.

        Args:
            goals: B goal pictures.
            recalled: candidates that the map recalls, normalized, shape (B, C, J).
            count: number of poses, at most `QUICK.poses`.
        """
        expected = self._expectation(goals)
        first = self._quick(goals, self._candidates(goals, recalled, expected), expected)
        found = first.best(count, _APART)
        unclear = torch.nonzero(self._unexplained(goals, found) > _EXPLAINED).flatten()
        if len(unclear):
            others = expected and expected.of(unclear)
            *_, last = self._thorough(goals.of_rows(unclear), first.of(unclear), others)
            found = found.replaced(unclear, last.best(count, _APART))
        return found

    def rounds(self, goals: Goals, recalled: Tensor) -> Iterator[Tried]:
        """What it tries: the candidates, and all refined poses after each round, as if no goal were explained."""
        expected = self._expectation(goals)
        tried = self._candidates(goals, recalled, expected)
        yield tried
        tried = self._quick(goals, tried, expected)
        yield tried
        yield from self._thorough(goals, tried, expected)

    def _quick(self, goals: Goals, candidates: Tried, expected: Expectation | None) -> Tried:
        refined = self._refined(goals, candidates, QUICK, expected)
        return refined.beside(self._refined(goals, refined, POLISH, expected))

    def _thorough(self, goals: Goals, refined: Tried, expected: Expectation | None) -> Iterator[Tried]:
        more = [self._scored(goals, self.memory.nearest(goals, _REMEMBERED), expected)] if self.memory else []
        for each in THOROUGH:
            start = reduce(Tried.beside, more, refined)
            refined = refined.beside(self._refined(goals, start, each, expected))
            yield refined

    def _expectation(self, goals: Goals) -> Expectation | None:
        if self.glance is None:
            return None
        pictures = goals.pictures.view(-1, *self.generator.background.shape)
        return self.glance.guess(pictures, goals.gaze if goals.gaze.shape[1] else None)

    def _candidates(self, goals: Goals, recalled: Tensor, expected: Expectation | None) -> Tried:
        """What the map recalls and the glance guesses."""
        guessed = [] if expected is None else [expected.guesses, expected.samples(_GUESSED)]
        return self._scored(goals, torch.cat([recalled, *guessed], 1).clamp(0, 1), expected)

    def _scored(self, goals: Goals, joints: Tensor, expected: Expectation | None) -> Tried:
        errors = goals.errors(goals.misfits(draw(self.generator, goals.seen_at(joints))))
        return Tried(joints, errors, cost(errors, joints, expected), torch.zeros_like(errors, dtype=torch.bool))

    def _refined(self, goals: Goals, tried: Tried, each: Round, expected: Expectation | None) -> Tried:
        """The best of the tried poses, refined."""
        start = tried.best(each.poses, each.apart).joints
        count = start.shape[1]
        priors, poses = expected and expected.repeated(count), start.flatten(0, 1)
        refined, errors = refine(self.generator, goals.repeated(count), poses, each.iterations, priors, each.iterations)
        joints, errors = refined.view(start.shape), errors.view(-1, count)
        return Tried(joints, errors, cost(errors, joints, expected), torch.zeros_like(errors, dtype=torch.bool))

    def _unexplained(self, goals: Goals, found: Tried) -> Tensor:
        """The share of the goals' difference from the background that the best poses leave, (B,)."""
        empty = self.generator.backgrounds(goals.seen_at(found.joints[:, 0]))
        errors = goals.errors(goals.misfits(empty.reshape(-1, goals.pictures.shape[1]).expand(len(found), -1)))
        return found.errors[:, 0] / errors.clamp(min=1e-9)
