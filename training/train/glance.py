"""`infant-arm train-glance`: the network that guesses a pose at first sight, and knows how sure it is."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from agents.mind.imagination import GLANCE
from agents.networks.expectation import Expectation
from agents.networks.generator import PictureGenerator
from agents.networks.glance import KIND, Glance

from ..data.dataset import Dataset
from ..runs.config import NetworkConfig
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Epochs
from . import generator
from .network import NetworkTraining
from .samples import samples_of
from .skeleton import Stage, Work

_WEIGHT_DECAY = 0.1
_BLUR = 0.1  # normalized joints, between a pose that was taken and the one that is imagined
_NOISE = 0.1  # most luminance by which an imagined picture is disturbed: a glance at a bad picture shall be unsure, not wrong
_HIDDEN = 0.25  # share of the imagined pictures of which something hides a part


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train the network that guesses a pose at first sight, from pictures that were seen and as many that the generator draws."""

    epochs: int = 30
    """Times that every training picture is seen."""


def run(config: Config) -> Glance:
    """Trains, reports and saves it; see `Stage.run`."""
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[Glance, Metrics]:
    drawing = generator.STAGE.load(work.config.run, work.data, work.device)
    training = Training(work.config, work.data, drawing, work.here)
    training.fit(work.under_way, work.identity)
    training.glance.load_state_dict(training.best)
    return training.glance.eval(), Metrics(glance=Epochs(training.curve))


def _load(run: Path, _: Dataset, device: torch.device) -> Glance:
    return Glance.load(run / GLANCE, device)


STAGE = Stage("train-glance", "glance", GLANCE, KIND, Config, _fit, _load, needs=(generator.STAGE,))


class Training(NetworkTraining):
    """A training under way; the loss is the negative log likelihood of the joints, for each joint, but for a constant.

    Args:
        config: the command's config.
        data: the data set.
        generator: imagines what was not seen.
        here: where to compute.
    """

    kind = KIND
    measure, criterion = "nll", "validation_nll"
    told = "validation NLL {validation_nll:.3f}, MAE {mae:.4f}"

    def __init__(self, config: Config, data: Dataset, generator: PictureGenerator, here: Place) -> None:
        self.images, self.joints = samples_of(data, "train", here.device)
        self.validation_images, self.validation_joints = samples_of(data, "validation", here.device)
        torch.manual_seed(config.seed)
        self.glance = Glance(torch.from_numpy(data.background), self.joints.shape[1]).to(here.device)
        self.generator, self.random = generator.eval(), torch.Generator()
        super().__init__(config, {"glance": self.glance}, _WEIGHT_DECAY, len(self.images), here)

    def _train_epoch(self) -> float:
        self.random.manual_seed(self.settings.seed * 100_003 + len(self.curve))
        return super()._train_epoch()

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        imagined, poses = self._imagined(len(batch))
        images, joints = torch.cat([self.images[batch], imagined]), torch.cat([self.joints[batch], poses])
        with torch.autocast(self.here.device.type, torch.bfloat16):
            expected = self.glance(images)
        losses = surprise(expected, joints)
        return losses.mean(), losses[: len(batch)].mean()

    @torch.no_grad()
    def _imagined(self, count: int) -> tuple[Tensor, Tensor]:
        """Disturbed pictures of poses near to some that were taken, (count, 64, 64), and these poses, (count, J)."""
        chosen = torch.randint(len(self.joints), (count,), generator=self.random)
        moved = _BLUR * torch.randn((count, self.joints.shape[1]), generator=self.random)
        poses = self.joints[chosen.to(self.here.device)] + moved.to(self.here.device)
        poses = 1 - (1 - poses.abs()).abs()  # mirrored at the ends of the joint ranges
        with torch.autocast(self.here.device.type, torch.bfloat16):
            pictures = self.generator.draw(poses)
        strength = _NOISE * torch.rand((count, 1, 1), generator=self.random).square()  # most are hardly disturbed
        noise = strength * torch.randn(pictures.shape, generator=self.random)
        return self._partly_hidden((pictures + noise.to(self.here.device)).clamp(0, 1)), poses

    def _partly_hidden(self, pictures: Tensor) -> Tensor:
        """Some of the pictures (B, 64, 64) with a rectangle, up to half as wide as they are, of any luminance."""
        at, draw = torch.arange(64) / 64, partial(torch.rand, (len(pictures), 1, 1), generator=self.random)
        width, height = 0.1 + 0.4 * draw(), (0.1 + 1.8 * draw()).clamp(max=1)
        left, top = draw() * (1 - width), draw() * (1 - height)
        across, down = (at >= left) & (at < left + width), (at >= top) & (at < top + height)  # (B, 1, 64) each
        hidden, luminance = (draw() < _HIDDEN) & across & down.mT, draw()
        return torch.where(hidden.to(pictures.device), luminance.to(pictures.device), pictures)

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        expected = self.glance.guess(self.validation_images)
        return {
            "validation_nll": float(surprise(expected, self.validation_joints).mean()),
            "mae": float((expected.likeliest - self.validation_joints).abs().mean()),
        }


def surprise(expected: Expectation, joints: Tensor) -> Tensor:
    """Negative log likelihood of joints (B, J) for each joint, but for a constant: (B,)."""
    return -expected.log_density(joints) / joints.shape[1]
