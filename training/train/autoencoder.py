"""`infant-arm train-ae`: the autoencoder, trained in advance as in the paper, and its cached latents.

The loss is the mean squared reconstruction error (paper, Sec. 2.3) and, as a departure, a small share of the error of a small
network that reads the joints from the latents. Pixels alone give little weight to what is thin or far away: the forearm's
rotation moves few of them, and the latents would forget it. That network is discarded after the training.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import KIND, ConvAutoencoder
from agents.tools.precision import is_bfloat16_fast
from infant_env.errors import UserError
from infant_env.senses import vision
from infant_env.senses.modalities import VISION

from ..data.dataset import Dataset
from ..data.files.index import PicturesOnDisk
from ..data.latents import in_chunks, load_latents, samples_on
from ..runs.config import Count, NetworkConfig, NotNegative, Positive, Width
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Autoencoder, PictureEpoch
from .pictures import VIEWS, PictureTraining, gazes_of, moving_eye, picture_errors, validation_rows
from .skeleton import BEFORE, Stage, Work


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train the autoencoder on the data set's pictures."""

    latent_size: Width = 8
    """Number of latents of a picture (paper: 8)."""
    width: Width = 32
    """Channels of the finest feature maps."""
    side: Annotated[int, Meta(ge=16, le=1024, multiple_of=16)] = 64
    """Rows and columns of the pictures, a multiple of 16 (paper: 64). Other values serve `ablate`: the agent sees 64x64."""
    color: bool = False
    """Pictures in red, green and blue; serves `ablate` too."""
    epochs: Count = 40
    """How often the training sees every picture; meanwhile the learning rate falls to zero."""
    learning_rate: Positive = 2e-3
    """Highest learning rate of AdamW; the first tenth of the steps is a warm-up."""
    weight_decay: NotNegative = 0.01
    """Weight decay of AdamW."""
    joint_weight: NotNegative = 0.05
    """Weight of the error (mean absolute, normalized) of the joints that are read from the latents; the paper has 0."""
    precision: Literal["auto", "bfloat16", "float32"] = field(default="auto", metadata={BEFORE: "bfloat16"})
    """Arithmetic of the layers; the weights are always float32. `infant-arm bench ae` measures cost and gain."""
    patience: Count = 10
    """The training stops after this many epochs without a lower validation error."""
    also: tuple[Literal["color", "fovea"], ...] = ()
    """Further pictures with an autoencoder and latents of their own, which the map then holds as senses: what the eye sees in
    color, and what its fovea sees (`collect --fovea`)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.also)) < len(self.also):
            raise UserError(f"got --also {' '.join(self.also)}, expected each sense once")


class Training(PictureTraining):
    """An autoencoder's training; one network serves both eyes if both see.

    If the eye moves, the background moves too: then encoder, decoder and reader are told the gaze.
    """

    kind = KIND
    config: Config

    def __init__(self, config: Config, data: Dataset, here: Place, sense: str = VISION) -> None:
        super().__init__(config, data.squeezed_to(vision.Format(config.side, config.color)).seen_as(sense), here)

    def _make(self, data: Dataset, here: Place) -> tuple[dict[str, nn.Module], float]:
        both = data.both_eyes
        self.seen, self.validation_seen = (_seen(data, split, here.device) for split in ("train", "validation"))
        self.images, self.validation_images = self.seen.pictures[0], self.validation_seen.pictures[0]  # held once
        self.model = _network(data, self.config).to(here.device)
        reader = joint_reader(self.config.latent_size + self.model.told + both, self.joints.shape[1]).to(here.device)
        errors = ReconstructionErrors(self.model, reader)
        self.errors: nn.Module = errors if here.group is None else DistributedDataParallel(errors)
        quick = is_bfloat16_fast(here.device.type)
        self.half = self.config.precision == "bfloat16" or (self.config.precision == "auto" and quick)
        return {"model": self.model, "reader": reader}, self.config.weight_decay

    def _matrix_layers(self) -> list[nn.Module]:
        return []  # with few latents, AdamW ends at a lower error

    def finish(self) -> None:
        """Loads the best weights and standardizes the latents over the training split."""
        self.model.load_state_dict(self.best)
        self.model.eval()
        eyes = zip(self.model.eyes, self.seen.pictures, strict=True)
        told = (self.seen.told,) if self.model.told else ()
        raw = [
            in_chunks(partial(self.model.raw_latents, eye=eye), (seen, *told), self.here.device) for eye, seen in eyes
        ]
        self.model.standardize(torch.cat(raw))

    def report(self) -> Autoencoder:
        """The report for `metrics.json`."""
        epochs = msgspec.convert(self.curve, list[PictureEpoch])
        best = min(epochs, key=lambda epoch: epoch.validation_mse)
        return Autoencoder(epochs, best, sum(parameter.numel() for parameter in self.model.parameters()))

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        mine = batch[self.here.share(len(batch))]
        with torch.autocast(self.here.device.type, torch.bfloat16, enabled=self.half):
            errors = self.errors(self.seen.of(mine), self.joints[mine], self.seen.told[mine])
        picture_error, joint_error = (each.sum() / len(batch) for each in errors)
        # times the number of processes, because DistributedDataParallel averages the gradients
        loss = (picture_error + self.config.joint_weight * joint_error) * self.here.count
        return loss, picture_error

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        self.model.eval()
        (images, *_), told = self.validation_seen
        with torch.autocast(self.here.device.type, torch.bfloat16, enabled=self.half):
            given = (images, told) if self.model.told else images
            pictures = in_chunks(self.model, given, self.here.device)
        return picture_errors(pictures, images, self.model.background_of(VISION, told if self.model.told else None))

    def _out_of_patience(self) -> bool:
        errors = [entry["validation_mse"] for entry in self.curve]
        return bool(errors) and len(errors) - 1 - errors.index(min(errors)) >= self.config.patience


class Seen(NamedTuple):
    """What the eyes see of some samples."""

    pictures: Any  # a tensor; a list if the data set exceeds the memory
    """One row of pictures for each eye, (E, N, 64, 64)."""
    told: Tensor
    """The gaze, in [0, 1], shape (N, G); G is 0 if the eyes do not move."""

    def of(self, samples: Tensor) -> Tensor:
        """The pictures of some samples, (E, n, 64, 64)."""
        if isinstance(self.pictures, Tensor):
            return self.pictures[:, samples]
        return torch.stack([eye[samples] for eye in self.pictures])


def _seen(data: Dataset, split: str, device: torch.device) -> Seen:
    rows = validation_rows(data) if split == "validation" else data.split(split)
    eyes = [data.pictures, *([data.left_pictures] if data.both_eyes else [])]
    told = gazes_of(data, rows, device)
    if split == "train" and any(isinstance(eye, PicturesOnDisk) for eye in eyes):
        return Seen([samples_on(eye, rows, device) for eye in eyes], told)
    return Seen(torch.from_numpy(np.stack([eye[rows] for eye in eyes])).to(device), told)


def _network(data: Dataset, config: Config) -> ConvAutoencoder:
    """A new autoencoder for the eyes of a data set."""
    sizes, both = (config.latent_size, config.width), data.both_eyes
    eye = moving_eye(data)
    if eye is None:
        left = torch.from_numpy(data.left_background) if both else None
        return ConvAutoencoder(torch.from_numpy(data.background), *sizes, left)
    left_views = torch.from_numpy(data.views(*VIEWS, left_eye=True)) if both else None
    return ConvAutoencoder(eye.views, *sizes, left_views, eye.directions, eye.turns)


class ReconstructionErrors(nn.Module):
    """Mean squared error of each picture, and mean absolute error of the joints that the reader reads from its latents."""

    def __init__(self, model: ConvAutoencoder, reader: nn.Module) -> None:
        super().__init__()
        self.model, self.reader = model, reader

    def forward(self, images: Tensor, joints: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (E, B, 64, 64) of E eyes, normalized joints (B, J) and the gaze (B, G) -> (B,) each, the eyes' means."""
        errors = [self._of_eye(eye, seen, joints, told) for eye, seen in zip(self.model.eyes, images, strict=True)]
        if len(errors) == 1:
            return errors[0]
        pictures, poses = (torch.stack(each).mean(0) for each in zip(*errors, strict=True))
        return pictures, poses

    def _of_eye(self, eye: str, images: Tensor, joints: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        latents = self.model.raw_latents(images, told, eye)
        known = self.model.with_gaze(latents, told)
        if len(self.model.eyes) > 1:  # the reader must know which eye it is
            known = torch.cat([known, torch.full_like(known[:, :1], self.model.eyes.index(eye))], 1)
        pictures, predicted = self.model.draw(latents, told, eye).float(), self.reader(known).float()
        return (pictures - images).square().flatten(1).mean(1), (predicted - joints).abs().mean(1)


def joint_reader(latent_size: int, joint_count: int) -> nn.Sequential:
    """The small network that reads normalized joints, (B, J), from raw latents and what it is told, (B, D)."""
    return nn.Sequential(nn.Linear(latent_size, 128), nn.SiLU(), nn.Linear(128, joint_count))


def run(config: Config) -> ConvAutoencoder:
    """Trains, reports and saves one autoencoder; see `Stage.run`.

    With `torchrun --nproc-per-node K -m training -- train-ae ...`, K processes share each batch (DistributedDataParallel).
    """
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[ConvAutoencoder, Metrics]:
    for sense in work.config.also:
        work.data.seen_as(sense)  # refuses a sense that the data do not have, before any training
    training = Training(work.config, work.data, work.here)
    training.fit(work.checkpoint, work.identity)
    training.finish()
    for sense in work.config.also:
        further = Training(work.config, work.data, work.here, sense)
        further.fit(_checkpoint_of(work, sense), {**work.identity, "sense": sense})
        further.finish()
        training.model.further[sense] = further.model
    return training.model, Metrics(autoencoder=training.report())


def _checkpoint_of(work: Work[Config], sense: str) -> Path:
    """The checkpoint of the unfinished training of a further sense."""
    return work.path.with_suffix(f".{sense}.training.safetensors")


def _save(work: Work[Config], model: ConvAutoencoder) -> None:
    model.save(work.path, work.header)
    for sense in model.senses:
        load_latents(
            work.config.run, work.data, work.device, eye=sense
        )  # now, so that their cost belongs to this stage
    for sense in model.further:
        _checkpoint_of(work, sense).unlink(missing_ok=True)


STAGE = Stage(
    "train-ae", "autoencoder", AUTOENCODER, KIND, Config, _fit,
    lambda run, _, device: ConvAutoencoder.load(run / AUTOENCODER, device), _save, moving_eye=True, shared=True,
)  # fmt: skip
