"""The settings of `infant-arm bench`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from infant_env.errors import UserError

from ..runs.config import check_counts
from ..runs.device import Device
from .peers import PEERS


@dataclass(frozen=True)
class Config:
    """Measure how fast a part of the project is, as ratios in one run."""

    part: tyro.conf.Positional[Literal["env", "world", "collect", "ae", "imagine", "query", "som"]]
    """env: environments, one infant and many; world: imagined steps, compared with simulated ones; collect: babbling; ae: epochs
    of the autoencoder; imagine: pictures from joints; query: winners; som: the training of the map, compared with the literal
    rule and with other libraries."""
    run: Path | None = None
    """The folder of a run. imagine and query use its map (without a run, a random smooth one), ae its pictures, world its world
    model; som trains on its latents and joints, and then on synthetic samples."""
    rows: int = 800
    """Rows and columns of the random map."""
    repeats: int = 50
    """How often the work is repeated in a round."""
    rounds: int = 5
    """Rounds of measurements in turns, after a first round that does not count."""
    check: int = 1000
    """query: winners that are checked by the activity of every neuron."""
    infants: int = 4096
    """world: imagined infants that move together."""
    seed: int = 0
    """Seed of random poses and maps."""
    sizes: tuple[int, ...] = (100, 200, 800)
    """som: rows of the maps; a map has as many columns."""
    epochs: int = 20
    """som: epochs of the libraries; this project has its own schedule, and the literal rule takes 200."""
    budget: float = 60.0
    """som: CPU seconds for a contestant and size. A longer training is extrapolated from about a tenth of this time."""
    peers: tuple[str, ...] = tuple(PEERS)
    """som: the libraries to compare with."""
    samples: int = 12000
    """som: number of synthetic samples without a run."""
    threads: int = 1
    """som, world: processor threads (som: of every contestant)."""
    memory: float = 8.0
    """som: gigabytes of memory for a contestant; one that needs more is not started."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        check_counts(self, "rows", "repeats", "rounds", "check", "epochs", "samples", "threads", "infants")
        if self.budget < 0 or self.memory <= 0:
            raise UserError(f"got budget={self.budget} and memory={self.memory}, expected 0 or more, and above 0")
