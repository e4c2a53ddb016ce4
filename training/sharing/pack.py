"""`infant-arm pack`: a trained infant in one small file, for `MentalImageryAgent.pretrained`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch

from agents.mind import packed
from agents.mind.imagination import CALIBRATION, GENERATOR, GLANCE
from agents.mind.som_autoencoder import AUTOENCODER, SOM
from agents.som.som import KIND, MultiModalSom
from agents.tools import checkpoints
from infant_env.body.raw.mjcf_files import BODY
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..measure.senses import features
from ..runs import folder as runs
from ..runs.config import RunConfig
from ..train import calibration, som

MEGABYTE = 1e6


@dataclass(frozen=True)
class Config(RunConfig):
    """Pack the trained infant of a run into one small file; its map is trained again when the file is read."""

    out: Path = Path("infant.safetensors")
    """The file."""
    precision: Literal["float16", "bfloat16"] = "float16"
    """The type of the networks' weights and of the map's samples."""


def run(config: Config) -> Path:
    """Packs the infant and prints the size of the file.

    Raises:
        UserError: the run is not complete, its eye moves or its arm is seen elsewhere, or there is another file already.
    """
    data = Dataset.open(runs.data_of(config.run))
    data.check_held_gaze("a packed infant")
    data.check_seen_arm("the agent")
    som.STAGE.check(config.run, data)
    calibration.STAGE.check(config.run, data)
    about = _about(config, data)
    if config.out.exists():
        _check_same(config.out, about)
        print(f"pack: {config.out} is there already, of the same run")
        return config.out
    samples = features(config.run, data, "train", torch.device("cpu"))
    files = {BODY: (data.path / BODY).read_bytes()} if data.info.recipe.keeps_body else {}
    settings = map_settings(config.run)
    packed.pack(config.out, config.run, samples, settings, about, getattr(torch, config.precision), files)
    print(f"pack: {config.out}, {config.out.stat().st_size / MEGABYTE:.2f} MB")
    return config.out


def map_settings(run: Path) -> packed.MapSettings:
    """How the map of a run was trained.

    Raises:
        UserError: its file is missing or damaged.
    """
    trained: dict[str, Any] = checkpoints.read_header(run / SOM, KIND)["config"]
    own = MultiModalSom.load(run / SOM)
    shape, last_sigma = own.shape, trained.get("last_sigma")
    return packed.MapSettings(
        tuple(own.modalities), shape, own.c, trained["seed"], last_sigma, own.distance, own.topology
    )


def _about(config: Config, data: Dataset) -> dict[str, Any]:
    """What the file tells about itself, besides its settings."""
    made_of = {name: checkpoints.content_hash(config.run / name) for name in (AUTOENCODER, SOM, GENERATOR, GLANCE)}
    made_of[CALIBRATION] = checkpoints.file_hash(config.run / CALIBRATION)
    return {
        "dataset": data.info.as_json(),
        "made_of": made_of,
        "precision": config.precision,
        "versions": msgspec.to_builtins(runs.provenance(config.run).versions),
    }


def _check_same(path: Path, about: dict[str, Any]) -> None:
    """Raises a UserError unless a file holds the same infant."""
    try:
        there = checkpoints.read_header(path, packed.KIND)["about"]
    except UserError:
        there = None
    if there != about:
        raise UserError(f"there is already another {path}; choose another file with --out, or delete this one")
