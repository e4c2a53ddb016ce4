"""`Imagination`: what the infant's mind makes of a goal picture, before it moves.

The map recalls candidates by its activity, a glance adds more and says what is to be expected, the best are tried in the
head, and what remains are a few distinct poses with probabilities: a picture may show two poses alike, and their average
shows neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..networks.autoencoder import ARM_DIFFERS_BY
from ..networks.expectation import Expectation
from ..networks.generator import PictureGenerator
from ..networks.glance import Glance
from .calibration import Calibration
from .som_autoencoder import SomAutoencoder, check_pictures
from .trials import cost, draw, refine

GENERATOR, GLANCE, CALIBRATION = "generator.safetensors", "glance.safetensors", "calibration.json"
CANDIDATES, GUESSED = 64, 32
"""Best tiles of the map that are imagined for each goal, and poses as a glance leads to expect them."""
TRIALS = (12, 2), (6, 5)
"""So many poses are tried, so many iterations long; the best of each round go on to the next."""
APART = 0.1, 0.06
"""Poses are distinct when some normalized joint differs by more: before, and after they were tried."""
_CORRECTING = 8  # iterations after a look
_DARK, _LIGHTS = 0.05, (0.5, 2.0)  # luminance that tells no light; lights that are believed
_ROUNDED = 1e-4  # luminance: one view, summed up in another order, may differ so much
_AT_ONCE = 32  # goals that are thought of together


@dataclass(frozen=True)
class Hypotheses:
    """Distinct poses that may show a goal picture, the likeliest first.

    Attributes:
        joints: shape (B, K, J), rad. Where fewer than K were found the last ones are repeated, with probability 0.
        probabilities: that this is the pose, shape (B, K); what is missing to 1 is that none of them is.
        errors: mean squared error of the imagined pictures, shape (B, K).
        costs: what they are ranked by: the errors' logarithms, and how unexpected the poses are, shape (B, K).
        repeated: which are mere repetitions, shape (B, K).
        signs: signs of an impossible goal, shape (B, 3): what is not explained, what shows where no arm is imagined, and how
            little shows at all.
        strangeness: how unlike everything that this body can show the goal is, shape (B,): see `Calibration`.
    """

    joints: Tensor
    probabilities: Tensor
    errors: Tensor
    costs: Tensor
    repeated: Tensor
    signs: Tensor
    strangeness: Tensor

    def of(self, number: int) -> "Hypotheses":
        """Those for one of the pictures, a batch of one."""
        return Hypotheses(*(values[number : number + 1] for values in vars(self).values()))


class Imagination:
    """A SOM-AE and the generator that draws what a pose would look like.

    ```python
    imagination = Imagination.load("runs/paper")
    found = imagination.hypotheses(pictures)  # (B, 64, 64) -> five poses each, with probabilities
    ```

    Args:
        mind: the trained SOM-AE.
        generator: trained on the same poses.
        glance: guesses poses, which are more candidates beside the map's and what all are held to; without it the map's
            candidates are all, and nothing is expected.
        calibration: what probabilities and strangeness are computed with; the default is not calibrated.

    Raises:
        UserError: map and generator were trained on pictures of different bodies.
    """

    def __init__(
        self,
        mind: SomAutoencoder,
        generator: PictureGenerator,
        glance: Glance | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        apart = (generator.background - mind.autoencoder.background).abs().max()
        if generator.joint_count != len(mind.joint_ranges) or apart > _ROUNDED:
            raise UserError(
                f"got a generator of {generator.joint_count} joints and a map of {len(mind.joint_ranges)} that know different "
                "bodies or views, expected both of one run; train the generator again"
            )
        self.mind, self.generator, self.glance = mind, generator.eval(), glance
        self.calibration = calibration or Calibration()

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> "Imagination":
        """Reads all that was trained from a run's folder.

        Raises:
            UserError: a file is missing or damaged, or map and generator are of different bodies.
        """
        folder = Path(folder)
        generator, glance = PictureGenerator.load(folder / GENERATOR, device), Glance.load(folder / GLANCE, device)
        mind, calibration = SomAutoencoder.load(folder, device), Calibration.load(folder / CALIBRATION)
        return cls(mind, generator, glance, calibration)

    def draw(self, joints: Tensor | NDArray[Any]) -> Tensor:
        """What the eye would see, joints (B, J) in rad -> pictures (B, 64, 64) in [0, 1].

        Raises:
            UserError: the joints are misshapen or not finite.
        """
        normalized = self.mind.normalize(joints)
        if normalized.ndim != 2 or not bool(torch.isfinite(normalized).all()):
            raise UserError(
                f"got joints of shape {tuple(normalized.shape)}, expected finite angles in rad, one row per pose: (B, J)"
            )
        return draw(self.generator, normalized).view(-1, 64, 64).clamp(0, 1)

    def in_usual_light(self, pictures: Tensor | NDArray[Any]) -> Tensor:
        """Pictures (B, 64, 64) as they would be in the light of the training: divided by how much brighter most pixels are.

        Raises:
            UserError: the pictures are misshapen or hold NaN.
        """
        shown = torch.as_tensor(pictures, dtype=torch.float32, device=self.mind.device)
        check_pictures(shown)
        light = (shown / self.generator.background.clamp(min=_DARK)).flatten(1).median(1).values.clamp(*_LIGHTS)
        return (shown / light[:, None, None]).clamp(0, 1)

    @torch.inference_mode()
    def hypotheses(self, pictures: Tensor | NDArray[Any], count: int = 5) -> Hypotheses:
        """Poses that may show these pictures.

        Args:
            pictures: preprocessed goals, shape (B, 64, 64), in [0, 1].
            count: hypotheses per picture, K.

        Raises:
            UserError: the pictures are misshapen or hold NaN, or `count` is no number from 1 to the poses that are tried
                to the end.
        """
        if not 1 <= count <= TRIALS[-1][0]:
            raise UserError(f"got {count} hypotheses, expected 1 to {TRIALS[-1][0]}")
        usual = self.in_usual_light(pictures)
        goals, latents = usual.flatten(1), self.mind.latents(usual)
        parts = [self._some(*part, count) for part in zip(goals.split(_AT_ONCE), latents.split(_AT_ONCE), strict=True)]
        joints, *others = (torch.cat(part) for part in zip(*parts, strict=True))
        return Hypotheses(self.mind.denormalize(joints), *others)

    def corrected(self, goal: Tensor, seen: Tensor, joints: Tensor) -> Tensor:
        """A better pose after a look: the goal is shifted by what the imagination got wrong in the pose that was reached.

        Args:
            goal: wanted picture, shape (64, 64).
            seen: what the eye saw, shape (64, 64).
            joints: the pose that was reached, shape (J,), rad.

        Returns:
            Joints, shape (J,), rad.
        """
        start = self.mind.normalize(joints).clamp(0, 1)[None]
        shifted = (goal - seen).flatten()[None] + draw(self.generator, start)
        return self.mind.denormalize(refine(self.generator, shifted, start, _CORRECTING)[0])[0]

    @torch.inference_mode()
    def rounds(self, picture: Tensor | NDArray[Any]) -> Iterator[tuple[Tensor, Tensor]]:
        """How it comes to its hypotheses for a picture (64, 64): what the map recalls, and what each round of trying makes of it.

        Yields:
            Joints (C, J), rad, the best first, and the mean squared errors of their imagined pictures (C,).
        """
        usual = self.in_usual_light(torch.as_tensor(picture)[None])
        for joints, errors, costs in self._rounds(usual.flatten(1), self.mind.latents(usual)):
            order = costs[0].argsort(stable=True)
            yield self.mind.denormalize(joints[0][order]), errors[0][order]

    def _rounds(self, goals: Tensor, latents: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Normalized poses (B, C, J), their errors and costs (B, C): as recalled, and after each round of trying."""
        guess = self._expected(goals)
        joints = self._recalled(latents, guess)
        errors = (draw(self.generator, joints) - goals[:, None]).square().mean(2)
        costs = cost(errors, joints, guess)
        yield joints, errors, costs
        for (tried, iterations), apart in zip(TRIALS, APART, strict=True):
            joints, _ = _distinct(joints, costs, tried, apart)
            joints, errors = self._tried(goals, joints, iterations, guess)
            costs = cost(errors, joints, guess)
            yield joints, errors, costs

    def _some(self, goals: Tensor, latents: Tensor, count: int) -> tuple[Tensor, ...]:
        """Hypotheses, normalized: of all that were tried, since where many poses fit the last round often finds but one."""
        _, *tried = self._rounds(goals, latents)
        joints, errors, costs = (torch.cat(part, 1) for part in zip(*tried, strict=True))
        joints, picked = _distinct(joints, costs, count, APART[-1])
        errors, costs = errors.gather(1, picked), costs.gather(1, picked)
        repeated = torch.zeros_like(picked, dtype=torch.bool)
        repeated[:, 1:] = picked[:, 1:] == picked[:, :-1]
        signs = self._signs(goals, draw(self.generator, joints[:, 0]))
        strangeness = self.calibration.strangeness(signs)
        probabilities = self.calibration.probabilities(costs.masked_fill(repeated, torch.inf), strangeness)
        return joints, probabilities, errors, costs, repeated, signs, strangeness

    def _expected(self, goals: Tensor) -> Expectation | None:
        """What a glance at the goals (B, 4096) leads to expect."""
        return None if self.glance is None else self.glance.guess(goals.view(-1, 64, 64))

    def _recalled(self, latents: Tensor, guess: Expectation | None) -> Tensor:
        """Normalized poses: the map's local linear readout and best neurons of its best tiles, and those guessed at a glance."""
        query, name = {VISION: latents}, PROPRIOCEPTION
        _, neurons = self.mind.som.best_tiles(query, CANDIDATES)
        fit = self.mind.som.recall(query, name, readout="local_linear")
        recalled = [fit[:, None], self.mind.som.weights_at(name, neurons)]
        guessed = [] if guess is None else [guess.joints, guess.samples(GUESSED)]
        return torch.cat(recalled + guessed, 1).clamp(0, 1)

    def _tried(
        self, goals: Tensor, joints: Tensor, iterations: int, guess: Expectation | None
    ) -> tuple[Tensor, Tensor]:
        count = joints.shape[1]
        wanted, expected = goals.repeat_interleave(count, 0), guess and guess.repeated(count)
        refined, errors = refine(self.generator, wanted, joints.flatten(0, 1), iterations, expected)
        return refined.view(joints.shape), errors.view(-1, count)

    def _signs(self, goals: Tensor, best: Tensor) -> Tensor:
        """Signs of an impossible goal, from goals and their best imagined pictures, (B, 4096) each -> (B, 3).

        How much of what the goal shows before the empty view is not explained; what it shows where the imagination sees no
        arm; and how few pixels show anything. Logarithms of mean squares, and of a share.
        """
        background = self.generator.background.flatten()
        shown, empty = (goals - background).square(), (best - background).abs() < ARM_DIFFERS_BY
        unexplained = ((best - goals).square().mean(1) + 1e-5) / (shown.mean(1) + 1e-5)
        elsewhere = (shown * empty).sum(1) / empty.sum(1).clamp(min=1) + 1e-6
        share = (shown.sqrt() > ARM_DIFFERS_BY).float().mean(1) + 1e-4
        return torch.stack([unexplained.log(), elsewhere.log(), -share.log()], 1)


def _distinct(joints: Tensor, costs: Tensor, count: int, apart: float) -> tuple[Tensor, Tensor]:
    """The `count` best poses that lie apart from all better ones; where there are too few the last is repeated.

    Returns:
        Joints (B, count, J) and which they were, (B, count).
    """
    order = costs.sort(dim=1, stable=True).indices  # (B, C)
    ranked = joints.gather(1, order[..., None].expand(joints.shape))
    alike = (ranked[:, :, None] - ranked[:, None]).abs().amax(3) <= apart  # (B, C, C)
    kept = torch.zeros_like(order, dtype=torch.bool)
    for rank in range(order.shape[1]):
        kept[:, rank] = ~(alike[:, rank] & kept).any(1)
    place = kept.cumsum(1) - 1  # of each kept pose among the kept
    wanted = torch.arange(count, device=joints.device).clamp(max=place[:, -1:])  # (B, count)
    at = (kept[:, None] & (place[:, None] == wanted[..., None])).float().argmax(2)  # (B, count)
    return ranked.gather(1, at[..., None].expand(-1, -1, joints.shape[2])), order.gather(1, at)
