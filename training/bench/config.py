"""The settings of `infant-arm bench`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from ..runs.config import Count, NotNegative, Positive, Seed, Side, Threads
from ..runs.device import Device
from .goals.config import GoalOptions
from .maps.peers import PEERS


@dataclass(frozen=True)
class Config(GoalOptions):
    """Measure how fast a part of the project is, as ratios in one run; or how well agents reach for pictures."""

    part: tyro.conf.Positional[Literal["env", "world", "collect", "ae", "imagine", "query", "som", "goals"]]
    """env: environments, one infant and many; world: imagined steps, compared with simulated ones; collect: babbling; ae: epochs
    of the autoencoder; imagine: pictures from joints; query: winners; som: the training of the map, compared with the literal
    rule and with other libraries; goals: agents that reach for pictures."""
    run: Path | None = None
    """The folder of a run. imagine and query use its map (without a run, a random smooth one), ae its pictures, world its world
    model; som trains on its latents and joints, and then on the other data."""
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
    """Seed of random poses and maps; goals: of the first training."""
    sizes: tuple[str, ...] = ("10", "30", "100", "200", "800")
    """som: maps to train, as 30 (30x30) or 1x50."""
    data: tuple[Literal["synthetic", "digits", "swiss_roll", "housing"], ...] = ("synthetic",)
    """som: data sets beside the run's latents and joints. synthetic: joints, and a smooth function of them; digits: handwritten
    digits; swiss_roll: a rolled sheet; housing: correlated, skewed columns."""
    distances: tuple[Literal["l1", "l2"], ...] = ("l1", "l2")
    """som: the map's distance, and that of the quantization error."""
    times: Positive = 20.0
    """som: a contestant gives up where a training takes more than so many times this project's CPU seconds."""
    budget: NotNegative = 60.0
    """som: or where it takes more than so many CPU seconds. Where its cheapest schedule does, its time is extrapolated."""
    peers: tuple[str, ...] = tuple(PEERS)
    """som: the libraries to compare with."""
    samples: Count = 12000
    """som: number of samples to train on; there are 1,347 digits at most."""
    threads: Threads = 1
    """som, world: processor threads (som: of every contestant)."""
    memory: Positive = 8.0
    """som: gigabytes of memory for a contestant; one that needs more is not started."""
    device: Device = "auto"
    """Where to compute."""
