"""`infant-arm train-ae`: the autoencoder, trained in advance as in the paper, and its cached latents.

The loss is the mean squared reconstruction error (paper, Sec. 2.3) and, as a departure, a little of the error with which a
small network reads the joints off the latents. Pixels alone say little for what is thin or far away: the forearm's
rotation moves few of them, and the latents forget it. That network is thrown away after training.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from agents.mind.som_autoencoder import AUTOENCODER
from agents.networks.autoencoder import KIND, ConvAutoencoder
from infant_env.errors import UserError
from infant_env.senses import vision

from ..data.dataset import Dataset
from ..data.latents import in_chunks, load_latents
from ..runs.config import NetworkConfig, check_not_negative
from ..runs.distributed import Place
from ..runs.metrics import Metrics
from ..runs.trained import Autoencoder, PictureEpoch
from .network import NetworkTraining, picture_errors
from .skeleton import Stage, Work


@dataclass(frozen=True)
class Config(NetworkConfig):
    """Train the autoencoder on the data set's pictures."""

    latent_size: int = 8
    """Numbers that a picture is pressed into (paper: 8)."""
    width: int = 32
    """Channels of the finest feature maps."""
    side: int = 64
    """Rows and columns of the pictures, a multiple of 16 (paper: 64). Any other is there for `ablate`: the agent sees 64x64."""
    color: bool = False
    """Pictures in red, green and blue; likewise."""
    epochs: int = 40
    """Times that every training picture is seen; the learning rate falls to zero over them."""
    learning_rate: float = 2e-3
    """Highest learning rate of AdamW, after a warm-up of a tenth of the steps."""
    weight_decay: float = 0.01
    """Weight decay of AdamW."""
    joint_weight: float = 0.05
    """How much the latents are also trained to tell the joints (mean absolute error, normalized); 0 is the paper's own."""
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Arithmetic of the layers; the weights are float32 in either. `infant-arm bench ae` says what it costs and gains."""
    patience: int = 10
    """Training stops after this many epochs in which the validation error did not fall."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self, "joint_weight")
        if self.side % 16:
            raise UserError(f"got side={self.side}, expected a multiple of 16 such as 64")


class Training(NetworkTraining):
    """An autoencoder's training under way.

    Args:
        config: the command's config.
        data: the data set.
        here: this process's place among those that train together.
    """

    kind = KIND

    def __init__(self, config: Config, data: Dataset, here: Place) -> None:
        data = data.squeezed_to(vision.Format(config.side, config.color))
        self.images, self.validation = (
            torch.from_numpy(data.pictures[data.split(name)]).to(here.device) for name in ("train", "validation")
        )
        self._check()
        torch.manual_seed(config.seed)
        background = torch.from_numpy(data.background)
        self.model = ConvAutoencoder(background, config.latent_size, config.width).to(here.device)
        self.joints = torch.from_numpy(data.normalized_joints[data.split("train")]).to(here.device)  # (N, J)
        reader = joint_reader(config.latent_size, self.joints.shape[1]).to(here.device)
        errors = Errors(self.model, reader)
        self.errors: nn.Module = errors if here.group is None else DistributedDataParallel(errors)
        self.config, self.dtype = config, getattr(torch, config.precision)
        networks = {"model": self.model, "reader": reader}
        super().__init__(config, networks, config.weight_decay, len(self.images), here)

    def finish(self) -> None:
        """Takes the best weights and standardises the latents over the training set."""
        self.model.load_state_dict(self.best)
        self.model.eval()
        self.model.standardize(in_chunks(self.model.raw_latents, self.images, self.here.device))

    def report(self) -> Autoencoder:
        """What goes into `metrics.json`."""
        epochs = msgspec.convert(self.curve, list[PictureEpoch])
        best = min(epochs, key=lambda epoch: epoch.validation_mse)
        return Autoencoder(epochs, best, sum(parameter.numel() for parameter in self.model.parameters()))

    def _losses(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        mine = batch[self.here.share(len(batch))]
        with torch.autocast(self.here.device.type, self.dtype, enabled=self.dtype != torch.float32):
            errors = self.errors(self.images[mine], self.joints[mine])
        picture_error, joint_error = (each.sum() / len(batch) for each in errors)
        loss = (picture_error + self.config.joint_weight * joint_error) * self.here.count  # gradients are averaged
        return loss, picture_error

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        self.model.eval()
        with torch.autocast(self.here.device.type, self.dtype, enabled=self.dtype != torch.float32):
            pictures = in_chunks(self.model, self.validation, self.here.device)
        return picture_errors(pictures, self.validation, self.model.background)

    def _out_of_patience(self) -> bool:
        errors = [entry["validation_mse"] for entry in self.curve]
        return bool(errors) and len(errors) - 1 - errors.index(min(errors)) >= self.config.patience

    def _check(self) -> None:
        for images in (self.images, self.validation):
            if not len(images):
                raise UserError("a split of the data set is empty; collect 5 samples or more")


class Errors(nn.Module):
    """Every picture's mean squared error, and the mean absolute error of the joints that the reader reads off its latents."""

    def __init__(self, model: ConvAutoencoder, reader: nn.Module) -> None:
        super().__init__()
        self.model, self.reader = model, reader

    def forward(self, images: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 64, 64) and normalized joints (B, J) -> (B,) each."""
        latents = self.model.raw_latents(images)
        pictures, told = self.model.draw(latents).float(), self.reader(latents).float()
        return (pictures - images).square().flatten(1).mean(1), (told - joints).abs().mean(1)


def joint_reader(latent_size: int, joint_count: int) -> nn.Sequential:
    """The small network that reads normalized joints, (B, J), off raw latents, (B, D)."""
    return nn.Sequential(nn.Linear(latent_size, 128), nn.SiLU(), nn.Linear(128, joint_count))


def run(config: Config) -> ConvAutoencoder:
    """Trains, reports and saves one autoencoder; see `Stage.run`.

    Started by `torchrun --nproc-per-node K -m training -- train-ae ...`, K processes share each batch (DistributedDataParallel).
    """
    return STAGE.run(config)


def _fit(work: Work[Config]) -> tuple[ConvAutoencoder, Metrics]:
    training = Training(work.config, work.data, work.here)
    training.fit(work.under_way, work.identity)
    training.finish()
    return training.model, Metrics(autoencoder=training.report())


def _save(work: Work[Config], model: ConvAutoencoder) -> None:
    model.save(work.path, work.identity)
    load_latents(work.config.run, work.data, work.device)  # now, so that no later stage is charged for them


def _load(run: Path, _: Dataset, device: torch.device) -> ConvAutoencoder:
    return ConvAutoencoder.load(run / AUTOENCODER, device)


STAGE = Stage("train-ae", "autoencoder", AUTOENCODER, KIND, Config, _fit, _load, _save, shared=True)
