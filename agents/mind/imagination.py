"""`Imagination`: finds poses that may show a goal picture, before the infant moves.

The goal is brought into the usual view. The map recalls candidate poses, and a glance adds more and gives an expectation. The
best candidates are refined until their imagined pictures fit the goal. The result is a few distinct poses with probabilities,
because one picture may show two different poses, and their average shows neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from infant_env.errors import UserError
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION
from infant_env.senses.vision import Format

from ..networks.arm_colors import ArmColors
from ..networks.autoencoder import ARM_DIFFERS_BY
from ..networks.generator import KIND, PictureGenerator, luminance
from ..networks.glance import Glance
from ..som.som import MultiModalSom
from ..tools import checkpoints
from .calibration import Calibration
from .familiarity import remembered
from .search.goals import Goals
from .search.picture_memory import PictureMemory
from .search.pose_search import QUICK, PoseSearch
from .search.trials import draw, refine
from .search.usual_view import UsualView
from .som_autoencoder import SOM, SomAutoencoder, check_pictures
from .together import check_together

GENERATOR, GLANCE, CALIBRATION = "generator.safetensors", "glance.safetensors", "calibration.json"
MOST = QUICK.poses
"""The largest number of hypotheses for a goal."""
_RECALLED = 4  # candidates per goal from the map's best tiles
_CORRECTING = 8  # iterations after a look
_ROUNDED = 1e-4  # luminance; rounding errors of the same background, summed in another order
_COLORED = 256  # remembered poses whose pictures tell the colors of the arm
_SHOWS = 0.06  # luminance; where an imagined picture differs more from the background, it shows the arm
_AT_ONCE = 32  # goals that are processed together


@dataclass(frozen=True)
class Hypotheses:
    """Distinct poses that may show a goal picture, the likeliest first.

    Attributes:
        joints: shape (B, K, J), rad. If fewer than K poses were found, the last one is repeated, with probability 0.
        probabilities: probability that each pose is the right one, shape (B, K); the rest to 1: no pose is right.
        errors: errors of the imagined pictures, see `Goals.errors`, shape (B, K).
        costs: ranking costs, from the errors' logarithms and the expectation of the poses, shape (B, K).
        repeated: mask of the repetitions, shape (B, K).
        signs: signs of an impossible goal, shape (B, 3): the unexplained share of the goal, its content where no arm is
            imagined, and how little of the arm it shows.
        strangeness: how different the goal is from all pictures of this body, shape (B,): see `Calibration`.
    """

    joints: Tensor
    probabilities: Tensor
    errors: Tensor
    costs: Tensor
    repeated: Tensor
    signs: Tensor
    strangeness: Tensor

    def of(self, number: int) -> "Hypotheses":
        """The hypotheses for one of the pictures, a batch of one."""
        return Hypotheses(*(values[number : number + 1] for values in vars(self).values()))


class Imagination:
    """A SOM-AE and a generator that draws the pictures of poses.

    It sees and draws pictures in the generator's format: (3, 64, 64), in color, or (64, 64). The SOM-AE sees their luminance.
    Shapes (64, 64) below are that of its format.

    ```python
    imagination = Imagination.load("runs/paper")
    pictures = imagination.format.squeeze(frames)  # (B, 300, 500, 3) -> (B, 3, 64, 64)
    found = imagination.hypotheses(pictures)  # five poses each, with probabilities
    ```

    If the eye moves, each picture comes with the gaze of the eye that saw it, (B, 2), rad; without it, the gaze is straight.

    Args:
        mind: the trained SOM-AE.
        generator: the picture generator, trained on the same poses.
        glance: guesses more candidates, and the expectation that all candidates are compared with. Without it, there are only
            the map's candidates and no expectation.
        calibration: computes probabilities and strangeness; the default is not calibrated.

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
        self.format = Format.of(generator.background.shape)
        """The format of the pictures that it sees and draws."""
        apart = (luminance(generator.background[None])[0] - mind.autoencoder.background_of(VISION)).abs().max()
        moves = generator.eye is not None
        if (generator.joint_count, moves) != (len(mind.joint_ranges), bool(mind.autoencoder.told)) or apart > _ROUNDED:
            raise UserError(
                f"got a generator of {generator.joint_count} joints and a map of {len(mind.joint_ranges)} of different bodies, "
                "eyes or views, expected both of one run; train the generator again"
            )
        self.mind, self.generator, self.glance = mind, generator.eval(), glance
        memory = None if moves else PictureMemory(generator, remembered(mind.som).clamp(0, 1), self.format.shape)
        self._search = PoseSearch(self.generator, glance, memory)
        segments, known = (None, None) if glance is None else (glance.segments, glance.colors)
        colors = known or _drawn_colors(mind.som, generator)  # older glances know none
        self._usual_view = UsualView(generator.background, colors, segments, self._imagined_arm)
        self.calibration = calibration or Calibration()

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> "Imagination":
        """Reads its trained parts from a run's folder.

        Raises:
            UserError: a file is missing or damaged, or was trained on another data set or with another file than the rest.
        """
        folder = Path(folder)
        _check_together(folder)
        generator, glance = PictureGenerator.load(folder / GENERATOR, device), Glance.load(folder / GLANCE, device)
        mind, calibration = SomAutoencoder.load(folder, device), Calibration.load(folder / CALIBRATION)
        with checkpoints.fitting(folder / GENERATOR):
            return cls(mind, generator, glance, calibration)

    def draw(self, joints: Tensor | NDArray[Any], gaze: Tensor | NDArray[Any] | None = None) -> Tensor:
        """What the eye would see: joints (B, J), and the gaze (B, 2), in rad -> pictures (B, 64, 64) in [0, 1].

        Raises:
            UserError: the joints or the gaze have a wrong shape or are not finite.
        """
        normalized = self.mind.normalize(joints)
        if normalized.ndim != 2 or not bool(torch.isfinite(normalized).all()):
            raise UserError(
                f"got joints of shape {tuple(normalized.shape)}, expected finite angles in rad, one row per pose: (B, J)"
            )
        poses = torch.cat([normalized, self._looked(gaze, len(normalized))], 1)
        return draw(self.generator, poses).view(-1, *self.format.shape).clamp(0, 1)

    def activity(self, pictures: Tensor | NDArray[Any], gaze: Tensor | NDArray[Any] | None = None) -> Tensor:
        """The map's activity for gray pictures (B, 64, 64), see `SomAutoencoder.activity`."""
        looked = None if self.generator.eye is None else self._looked(gaze, len(pictures))
        return self.mind.activity(VISION, pictures, looked)

    def in_usual_view(self, pictures: Tensor | NDArray[Any], gaze: Tensor | NDArray[Any] | None = None) -> Goals:
        """Pictures (B, 64, 64) as the eye saw them in the training, in its light and room and from its place; see `UsualView`.

        Raises:
            UserError: the pictures or the gaze have a wrong shape or hold NaN.
        """
        return Goals.together(self._goals(pictures, gaze))

    @torch.inference_mode()
    def _goals(self, pictures: Tensor | NDArray[Any], gaze: Tensor | NDArray[Any] | None = None) -> list[Goals]:
        """Pictures in the usual view, some at a time."""
        shown = torch.as_tensor(pictures, dtype=torch.float32, device=self.mind.device)
        check_pictures(shown, self.format.shape)
        looked = self._looked(gaze, len(shown))
        if self.generator.eye is None:
            return [self._usual_view.of(part) for part in shown.split(_AT_ONCE)]
        backgrounds = self.generator.eye.background(looked)
        split = zip(*(each.split(_AT_ONCE) for each in (shown, backgrounds, looked)), strict=True)
        return [self._usual_view.of(*part) for part in split]

    def _looked(self, gaze: Tensor | NDArray[Any] | None, count: int) -> Tensor:
        """Gazes (count, 2) or one for all (2,), rad, or straight ahead, scaled to [0, 1]; (count, 0) of an eye that is held.

        Raises:
            UserError: the gaze has a wrong shape or is not finite, or the eye is held.
        """
        eye, device = self.generator.eye, self.mind.device
        size = 0 if eye is None else len(eye.turns)
        looked = torch.zeros(size) if gaze is None else torch.as_tensor(gaze, dtype=torch.float32)
        looked = looked.expand(count, -1) if looked.ndim == 1 else looked
        if looked.shape != (count, size) or not bool(torch.isfinite(looked).all()):
            expected = (
                "none: the eye of this infant is held" if eye is None else f"finite angles in rad: ({count}, {size})"
            )
            raise UserError(f"got a gaze of shape {tuple(looked.shape)}, expected {expected}")
        return looked.to(device) if eye is None else eye.normalized(looked.to(device))

    @torch.inference_mode()
    def hypotheses(
        self, pictures: Tensor | NDArray[Any], count: int = 5, gaze: Tensor | NDArray[Any] | None = None
    ) -> Hypotheses:
        """Poses that may show these pictures.

        Args:
            pictures: preprocessed goals, shape (B, 64, 64), in [0, 1].
            count: hypotheses per picture, K.
            gaze: where an eye that moves looked, shape (B, 2), rad; None: straight ahead.

        Raises:
            UserError: the pictures or the gaze have a wrong shape or hold NaN, or `count` is below 1 or above the number of
                poses in the first round of trials.
        """
        if not 1 <= count <= MOST:
            raise UserError(f"got {count} hypotheses, expected 1 to {MOST}")
        parts = [self._hypotheses_of(goals, count) for goals in self._goals(pictures, gaze)]
        joints, *others = (torch.cat(part) for part in zip(*parts, strict=True))
        return Hypotheses(self.mind.denormalize(joints), *others)

    def corrected(self, goal: Goals, seen: Goals, joints: Tensor) -> Tensor:
        """A better pose after a look: it shifts the goal by the error of the imagined picture in the reached pose.

        Args:
            goal: a goal picture, a batch of one.
            seen: the picture seen in the reached pose, a batch of one.
            joints: reached pose, shape (J,), rad.

        Returns:
            Joints, shape (J,), rad.
        """
        start = self.mind.normalize(joints).clamp(0, 1)[None]
        shifted = goal.shifted(seen, draw(self.generator, seen.seen_at(start)))
        return self.mind.denormalize(refine(self.generator, shifted, start, _CORRECTING)[0])[0]

    @torch.inference_mode()
    def rounds(
        self, picture: Tensor | NDArray[Any], gaze: Tensor | NDArray[Any] | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The steps to the hypotheses for a picture (64, 64): the recalled candidates, and the poses after each round of trials.

        The gaze of an eye that moves has the shape (2,), rad.

        Yields:
            Joints (C, J), rad, the best first, and the errors of their imagined pictures, see `Goals.errors` (C,).
        """
        (goals,) = self._goals(torch.as_tensor(picture)[None], None if gaze is None else torch.as_tensor(gaze)[None])
        for tried in self._search.rounds(goals, self._recalled(goals)):
            order = tried.costs[0].argsort(stable=True)
            yield self.mind.denormalize(tried.joints[0][order]), tried.errors[0][order]

    def _hypotheses_of(self, goals: Goals, count: int) -> tuple[Tensor, ...]:
        """Fields of `Hypotheses`, normalized."""
        found = self._search.find(goals, self._recalled(goals), count)
        signs = self._signs(goals, found.joints[:, 0])
        strangeness = self.calibration.strangeness(signs)
        costs = found.costs.masked_fill(found.repeated, torch.inf)
        probabilities = self.calibration.probabilities(costs, strangeness)
        return found.joints, probabilities, found.errors, found.costs, found.repeated, signs, strangeness

    def _imagined_arm(self, goals: Goals) -> Tensor:
        """The probability that pixels of goals show the arm, from the poses that may show them, (B, 1, S, S)."""
        found = self._search.find(goals, self._recalled(goals), MOST)
        poses = goals.seen_at(found.joints).flatten(0, 1)
        differences = draw(self.generator, poses) - self.generator.backgrounds(poses).reshape(
            -1, goals.pictures.shape[1]
        )
        planes = differences.view(len(goals.pictures), MOST, -1, *self.format.shape[-2:])
        shown = (planes.abs().amax(2) > _SHOWS).float()
        return ((-found.costs).softmax(1)[..., None, None] * shown).sum(1, keepdim=True)

    def _recalled(self, goals: Goals) -> Tensor:
        """Normalized poses (B, C, J) that the map recalls: its local linear readout, and the best neurons of its best tiles."""
        seen = luminance(goals.pictures.view(-1, *self.format.shape))
        name, gaze = PROPRIOCEPTION, goals.gaze if self.generator.eye else None
        query = {VISION: self.mind.latents(seen, gaze)} | ({} if gaze is None else {GAZE: gaze})
        _, neurons = self.mind.som.best_tiles(query, _RECALLED)
        fit = self.mind.som.recall(query, name, readout="local_linear")
        return torch.cat([fit[:, None], self.mind.som.weights_at(name, neurons)], 1).clamp(0, 1)

    def _signs(self, goals: Goals, joints: Tensor) -> Tensor:
        """Signs of an impossible goal, from goals and their best poses, (B, J) -> (B, 3).

        They are the unexplained share of the goal's difference from the background, the goal's mean squared difference from
        the background where no arm is imagined, and the share of pixels that differ from it (negative); all logarithms.
        """
        poses, pictures = goals.seen_at(joints), goals.pictures
        best = draw(self.generator, poses)
        background = self.generator.backgrounds(poses).reshape(-1, pictures.shape[1])
        shown, empty = (pictures - background).square(), (best - background).abs() < ARM_DIFFERS_BY
        unexplained = ((best - pictures).square().mean(1) + 1e-5) / (shown.mean(1) + 1e-5)
        elsewhere = (shown * empty).sum(1) / empty.sum(1).clamp(min=1) + 1e-6
        share = (shown.sqrt() > ARM_DIFFERS_BY).float().mean(1) + 1e-4
        return torch.stack([unexplained.log(), elsewhere.log(), -share.log()], 1)


def _drawn_colors(som: MultiModalSom, generator: PictureGenerator) -> ArmColors:
    """The colors of the arm in what a generator draws of some remembered poses."""
    names = [PROPRIOCEPTION, *([] if generator.eye is None else [GAZE])]
    neurons = torch.linspace(0, len(som.weights(PROPRIOCEPTION)) - 1, _COLORED, device=generator.background.device)
    poses = torch.cat([som.weights_at(name, neurons.long()).clamp(0, 1) for name in names], 1)
    pictures = draw(generator, poses).view(-1, *generator.background.shape)
    return ArmColors.of(pictures, generator.backgrounds(poses))


def _check_together(folder: Path) -> None:
    kinds = {SOM: "som", GENERATOR: KIND, GLANCE: Glance.kind}
    headers = {folder / name: checkpoints.read_header(folder / name, kind) for name, kind in kinds.items()}
    check_together({**headers, folder / CALIBRATION: Calibration.header(folder / CALIBRATION)})
