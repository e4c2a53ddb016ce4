"""The settings of `infant-arm bench`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from msgspec import Meta

from ..runs.config import Checked, Count, NotNegative, Positive, Seed, Side, Threads
from ..runs.device import Device
from .peers import PEERS


@dataclass(frozen=True)
class Config(Checked):
    """Measure how fast a part of the project is, as ratios in one run."""

    part: tyro.conf.Positional[Literal["env", "world", "collect", "ae", "imagine", "query", "som"]]
    """env: environments, one infant and many; world: imagined steps, compared with simulated ones; collect: babbling; ae: epochs
    of the autoencoder; imagine: pictures from joints; query: winners; som: the training of the map, compared with the literal
    rule and with other libraries."""
    run: Path | None = None
    """The folder of a run. imagine and query use its map (without a run, a random smooth one), ae its pictures, world its world
    model; som trains on its latents and joints, and then on synthetic samples."""
    rows: Side = 800
    """Rows and columns of the random map."""
    repeats: Count = 50
    """How often the work is repeated in a round."""
    rounds: Count = 5
    """Rounds of measurements in turns, after a first round that does not count."""
    check: Count = 1000
    """query: winners that are checked by the activity of every neuron."""
    infants: Count = 4096
    """world: imagined infants that move together."""
    seed: Seed = 0
    """Seed of random poses and maps."""
    sizes: tuple[Annotated[int, Meta(ge=2, le=10_000)], ...] = (100, 200, 800)
    """som: rows of the maps; a map has as many columns."""
    epochs: Count = 20
    """som: epochs of the libraries; this project has its own schedule, and the literal rule takes 200."""
    budget: NotNegative = 60.0
    """som: CPU seconds for a contestant and size. A longer training is extrapolated from about a tenth of this time."""
    peers: tuple[str, ...] = tuple(PEERS)
    """som: the libraries to compare with."""
    samples: Count = 12000
    """som: number of synthetic samples without a run."""
    threads: Threads = 1
    """som, world: processor threads (som: of every contestant)."""
    memory: Positive = 8.0
    """som: gigabytes of memory for a contestant; one that needs more is not started."""
    device: Device = "auto"
    """Where to compute."""
