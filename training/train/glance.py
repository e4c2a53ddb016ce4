"""`infant-arm train-glance`: the network that guesses a pose from a picture at once, and how sure the guess is."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from agents.mind.imagination import GLANCE
from agents.networks.arm_colors import ArmColors
from agents.networks.expectation import Expectation
from agents.networks.generator import PictureGenerator
from agents.networks.glance import KIND, Glance
from agents.networks.segments import Segments
from agents.tools.precision import fast_precision
from infant_env.senses.vision import Format

from ..data.dataset import Dataset
from ..runs.config import Count, NetworkConfig
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Epochs
from . import generator
from .pictures import PictureTraining, arms_of, gazes_of, moving_eye, validation_rows
from .skeleton import BEFORE, Stage, Work
from .tools.disturbed import Disturbed, disturbed

_Imagined = tuple[Disturbed, Tensor, Tensor]
_WEIGHT_DECAY = 0.1
_SEGMENTS = 2.0  # weight of the segments in the loss
_COLORED = 512  # pictures that show the colors of the arm
_BLUR = 0.1  # standard deviation between a pose of the data set and the imagined one, normalized joints


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train the network that guesses a pose from a picture, on seen pictures and as many that the generator draws.

    The drawn pictures are disturbed, so that a guess from a bad picture is unsure, not wrong. They also teach it what is arm,
    what is room, and what hides both.
    """

    epochs: Count = field(default=20, metadata={BEFORE: 30})
    """How often the training sees every picture."""
    batch_size: Count = field(default=32, metadata={BEFORE: 64})
    """Seen pictures per step; it draws as many."""


def run(config: Config) -> Glance:
    """Trains, reports and saves it; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[Glance, Metrics]:
    drawing = generator.STAGE.load(work.config.run, work.data, work.device)
    training = Training(work.config, work.data, drawing, work.here)
    training.fit(work.checkpoint, work.identity)
    training.glance.load_state_dict(training.best)
    return training.glance.eval(), Metrics(glance=Epochs(training.curve))


STAGE = Stage(
    "train-glance", "glance", GLANCE, KIND, Config, _fit,
    lambda run, _, device: Glance.load(run / GLANCE, device), needs=(generator.STAGE,), moving_eye=True,
)  # fmt: skip


class Training(PictureTraining):
    """A training of a glance; the loss is the negative log likelihood per joint, up to a constant.

    Args:
        config: the command's config.
        data: the data set.
        generator: draws the imagined pictures.
        here: this process's place among those that train together.
    """

    kind = KIND
    measure, criterion = "nll", "validation_nll"
    status = "validation NLL {validation_nll:.3f}, MAE {mae:.4f}"

    def __init__(self, config: Config, data: Dataset, generator: PictureGenerator, here: Place) -> None:
        self.generator, self.random = generator.eval(), torch.Generator()
        self._drawing = ThreadPoolExecutor(1, initializer=_begin_to_draw, initargs=(torch.get_num_threads(),))
        self._next: Future[_Imagined] | None = None  # the next batch, drawn while the networks learn from this one
        format = Format.of(generator.background.shape)
        self.colors = 3 if format.color else 1
        super().__init__(config, data.squeezed_to(format), here)

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        background, eye = torch.from_numpy(data.background), moving_eye(data)
        rows = data.split("train"), validation_rows(data)
        self.gazes, self.validation_gazes = (gazes_of(data, each, here.device) for each in rows)
        poses = torch.cat([self.joints, self.gazes], 1)[:_COLORED]
        colors = ArmColors.of(self.images[:_COLORED], self.generator.backgrounds(poses))
        made = Glance(background, self.joints.shape[1], eye=eye, arms=arms_of(data), colors=colors)
        self.glance = made.to(here.device)
        return {"glance": self.glance}, _WEIGHT_DECAY

    def _train_epoch(self) -> float:
        self.random.manual_seed(self.config.seed * 100_003 + len(self.curve))
        return super()._train_epoch()

    def _expect(self, batch: Tensor) -> None:
        super()._expect(batch)
        self._next = self._drawing.submit(self._imagined, len(batch))

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        imagined, poses, gazes = self._imagined(len(batch)) if self._next is None else self._next.result()
        self._next = None
        images = torch.cat([self.images[batch], imagined.seen.view(-1, *self.images.shape[1:])])
        looked = torch.cat([self.gazes[batch], gazes])
        with fast_precision(self.here.device):
            expected, segments = self.glance.with_segments(images, slice(len(batch), None), looked)
        losses = surprise(expected, torch.cat([self.joints[batch], poses]))
        return losses.mean() + _SEGMENTS * wrong_segments(segments, imagined), losses[: len(batch)].mean()

    @torch.no_grad()
    def _imagined(self, count: int) -> _Imagined:
        """Disturbed pictures of poses near those of the data set, these poses, (count, J), and their gazes, (count, G).

        The poses of two arms come from two samples.
        """
        rows = torch.randint(len(self.joints), (self.glance.arms, count), generator=self.random).to(self.here.device)
        moved = _BLUR * torch.randn((count, self.joints.shape[1]), generator=self.random)
        own = self.joints.unflatten(1, (self.glance.arms, -1)).transpose(0, 1)  # (A, N, j)
        poses = own.take_along_dim(rows[..., None], 1).transpose(0, 1).flatten(1) + moved.to(self.here.device)
        poses = 1 - (1 - poses.abs()).abs()  # reflected at the ends of the joint ranges
        gazes = self.gazes[rows[0]]
        told, planes = torch.cat([poses, gazes], 1), (-1, self.colors, *self.generator.background.shape[-2:])
        with fast_precision(self.here.device):
            pictures = self.generator.draw(told).float()
        background = self.generator.backgrounds(told).view(planes)
        return disturbed(pictures.view(planes), background, self.random), poses, gazes

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        expected = self.glance.guess(self.validation_images, self.validation_gazes)
        return {
            "validation_nll": float(surprise(expected, self.validation_joints).mean()),
            "mae": float((expected.likeliest - self.validation_joints).abs().mean()),
        }


def _begin_to_draw(threads: int) -> None:
    """Makes a thread compute as the training's own one does, to the bit."""
    torch.set_num_threads(threads)  # else its first convolution takes as many as there are cores
    torch.set_flush_denormal(True)


def surprise(expected: Expectation, joints: Tensor) -> Tensor:
    """Negative log likelihood of joints (B, J) per joint, up to a constant: (B,)."""
    return -expected.log_density(joints) / joints.shape[1]


def wrong_segments(segments: Segments, imagined: Disturbed) -> Tensor:
    """Cross-entropy between what pixels show and what the network tells of them, the mean of all pixels."""
    arm, room, seen = imagined.arm, 1 - imagined.arm, 1 - imagined.new
    return -(seen * (arm * segments.arm + room * segments.room) + imagined.new * segments.new).mean()
