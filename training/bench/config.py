"""What `infant-arm bench` can be asked for."""

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
    """Measure how fast a part is, as ratios in one run."""

    part: tyro.conf.Positional[Literal["env", "world", "collect", "ae", "imagine", "query", "som"]]
    """env: environments, one infant and many; world: imagined steps beside simulated ones; collect: babbling; ae: epochs of the
    autoencoder; imagine: pictures from joints; query: winners; som: the map's training beside the literal rule's and other
    libraries'."""
    run: Path | None = None
    """A run whose trained maps are measured by imagine and query (random smooth ones when not given), whose pictures ae
    trains on, whose world model is measured by world, and whose latents and joints som trains on before synthetic ones."""
    rows: int = 800
    """Rows and columns of the random map."""
    repeats: int = 50
    """How often a piece of work is done in a round."""
    rounds: int = 5
    """Rounds in which what is compared is measured in turns, after one that is not counted."""
    check: int = 1000
    """query: winners that are compared with a look at every neuron."""
    infants: int = 4096
    """world: imagined infants that are moved together."""
    seed: int = 0
    """Seed of random poses and maps."""
    sizes: tuple[int, ...] = (100, 200, 800)
    """som: rows, as many as columns, of the maps."""
    epochs: int = 20
    """som: epochs of the libraries; this project and the literal rule (200) have their own."""
    budget: float = 60.0
    """som: CPU seconds for a contestant and size; what would take longer is extrapolated from about a tenth of that."""
    peers: tuple[str, ...] = tuple(PEERS)
    """som: the libraries."""
    samples: int = 12000
    """som: synthetic samples, when no run is given."""
    threads: int = 1
    """som: threads of every contestant."""
    memory: float = 8.0
    """som: gigabytes that a contestant may take; one that needs more is not started."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        check_counts(self, "rows", "repeats", "rounds", "check", "epochs", "samples", "threads", "infants")
        if self.budget < 0 or self.memory <= 0:
            raise UserError(f"got budget={self.budget} and memory={self.memory}, expected 0 or more, and above 0")
