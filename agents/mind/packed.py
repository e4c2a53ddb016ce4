"""A trained infant in one small file: networks in half precision, and the samples from which its map is trained again."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from infant_env.errors import UserError

from ..networks.autoencoder import KIND as AUTOENCODER_KIND
from ..networks.autoencoder import ConvAutoencoder
from ..networks.generator import KIND as GENERATOR_KIND
from ..networks.generator import PictureGenerator
from ..networks.glance import KIND as GLANCE_KIND
from ..networks.glance import Glance
from ..som.distances import Distance
from ..som.grid import Topology
from ..som.som import MultiModalSom
from ..som_training.coarse_to_fine import TrainingProgress, train
from ..tools import checkpoints
from ..tools.addresses import as_file
from ..tools.files import DamagedFileError
from ..tools.threads import exactly
from .calibration import Calibration
from .imagination import CALIBRATION, GENERATOR, GLANCE, Imagination
from .som_autoencoder import AUTOENCODER, SomAutoencoder

KIND = "infant"
PRETRAINED = Path(__file__).parent.parent / "pretrained" / "infant.safetensors"
"""The infant that comes with the package."""
_AGAIN = "get it again, or pack one with `infant-arm pack`"
_PARTS = {AUTOENCODER_KIND: AUTOENCODER, GENERATOR_KIND: GENERATOR, GLANCE_KIND: GLANCE}
_SAMPLES, _RANGES, _FILES = "samples", "joint_ranges", "files"
_THREADS = 1  # the last digits of a map depend on their number
_NOT_KEPT = ("format", "kind", "tensors", checkpoints.REPORT)


class MapSettings(msgspec.Struct, frozen=True):
    """All that the map is trained from, besides its samples; see `train`."""

    modalities: tuple[str, ...]
    """In the order of a neuron's dimensions."""
    shape: tuple[int, int]
    c: dict[str, float]
    seed: int
    last_sigma: float | None
    distance: Distance
    topology: Topology


@dataclass(frozen=True)
class PackedInfant:
    """A trained infant, as it came out of its file."""

    imagination: Imagination
    about: Mapping[str, Any]
    """What the packer wrote about it, JSON: its data set (`dataset`), and how it was made."""
    files: Mapping[str, bytes]
    """Further files that it needs, by name: the MJCF of a body that is not built in."""


def pack(
    path: Path,
    folder: Path,
    samples: Mapping[str, Tensor],
    settings: MapSettings,
    about: Mapping[str, Any],
    precision: torch.dtype = torch.float16,
    files: Mapping[str, bytes] | None = None,
) -> None:
    """Writes a trained infant to one file.

    Matrices of weights and the samples are rounded to half precision; everything else stays as it is. The map is not written.

    Args:
        path: the file.
        folder: the run's folder; holds all trained parts of an imagination.
        samples: what the map was trained on, by modality, shape (N, width).
        settings: how the map was trained.
        about: what readers should know, in JSON's types.
        precision: `torch.float16` or `torch.bfloat16`.
        files: further files that the infant needs, by name.

    Raises:
        UserError: a file of the folder is missing or damaged, or the files belong to different trainings.
    """
    ranges = Imagination.load(folder).mind.joint_ranges  # it checks that all parts belong together
    tensors = {_RANGES: ranges, **{f"{_SAMPLES}.{name}": rows.to(precision) for name, rows in samples.items()}}
    headers = {}
    for part, file in _PARTS.items():
        own, header = checkpoints.read(folder / file, part)
        tensors |= {f"{part}.{name}": _rounded(name, each, precision) for name, each in own.items()}
        headers[part] = {name: value for name, value in header.items() if name not in _NOT_KEPT}
    for name, content in (files or {}).items():
        tensors[f"{_FILES}.{name}"] = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    calibration = dataclasses.asdict(Calibration.load(folder / CALIBRATION))
    header = {"parts": headers, "map": msgspec.to_builtins(settings), "calibration": calibration, "about": dict(about)}
    checkpoints.write(path, KIND, tensors, header)


def unpack(
    address: str | Path | None = None,
    device: str | torch.device = "cpu",
    progress: Callable[[TrainingProgress], None] | None = None,
) -> PackedInfant:
    """Reads a trained infant and trains its map again, in some seconds; nothing is kept on disk.

    Equal files give equal maps on the same kind of processor.

    Args:
        address: the file: a path, or an address such as `hf://NAME/infant.safetensors`; None: the infant of this package.
        device: where it computes.
        progress: called after each epoch of the map.

    Raises:
        UserError: the file is missing or damaged, or it holds no infant.
    """
    try:
        with as_file(PRETRAINED if address is None else address) as path:
            tensors, header = checkpoints.read(path, KIND, _AGAIN)
            with checkpoints.fitting(path, _AGAIN):
                return _of_file(tensors, header, torch.device(device), progress)
    except DamagedFileError as error:
        raise UserError(str(error)) from None  # no command of a run makes this file again


def _of_file(
    tensors: Mapping[str, Tensor],
    header: Mapping[str, Any],
    device: torch.device,
    progress: Callable[[TrainingProgress], None] | None,
) -> PackedInfant:
    own = {part: (checkpoints.named(part, tensors), header["parts"][part], device) for part in _PARTS}
    autoencoder = ConvAutoencoder.of_file(*own[AUTOENCODER_KIND])
    samples = checkpoints.named(_SAMPLES, tensors)
    som = _trained(samples, msgspec.convert(header["map"], MapSettings), device, progress)
    mind = SomAutoencoder(autoencoder, som, tensors[_RANGES])
    parts = PictureGenerator.of_file(*own[GENERATOR_KIND]), Glance.of_file(*own[GLANCE_KIND])
    imagination = Imagination(mind, *parts, msgspec.convert(header["calibration"], Calibration))
    files = {name: each.numpy().tobytes() for name, each in checkpoints.named(_FILES, tensors).items()}
    return PackedInfant(imagination, header["about"], files)


def _trained(
    samples: Mapping[str, Tensor],
    settings: MapSettings,
    device: torch.device,
    progress: Callable[[TrainingProgress], None] | None,
) -> MultiModalSom:
    """The map of these samples, the same on any number of processor cores."""
    given = {name: rows.float().to(device) for name, rows in samples.items()}
    with exactly(_THREADS):
        options = msgspec.structs.asdict(settings)
        return train({name: given[name] for name in options.pop("modalities")}, progress=progress, **options)


def _rounded(name: str, tensor: Tensor, precision: torch.dtype) -> Tensor:
    """A matrix of weights in half precision; anything else as it is."""
    return tensor.to(precision) if name.endswith("weight") and tensor.ndim > 1 else tensor
