"""`infant-arm bench`: how fast the parts are, as ratios measured in one run.

Absolute times drift with the machine's load; what is compared is therefore measured in turns, round by round, and the table
shows the median of the rounds' ratios.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import mujoco
import numpy as np
import torch
import tyro

from agents.networks.autoencoder import ConvAutoencoder
from agents.babbling import BabblingAgent
from agents.som.som import MultiModalSom
from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera

from . import autoencoder as bench_autoencoder, env as bench_env, query as bench_query, som as bench_som, world as bench_world
from ..runs import folder as runs
from .turns import Part, Work, in_turns
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
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        runs.check_counts(self, "rows", "repeats", "rounds", "check", "epochs", "samples", "threads", "infants")
        if self.budget < 0 or self.memory <= 0:
            raise ValueError(f"got budget={self.budget} and memory={self.memory}, expected 0 or more, and above 0")


def run(config: Config) -> dict[str, float]:
    """Measures one part, prints its table, and gives by name how often as long a thing takes as the first's."""
    if config.part in _WHOLE:
        return _WHOLE[config.part](config)
    works, remarks = _PARTS[config.part](config)
    ratios = in_turns(f"bench {config.part}", config.rounds, works)
    print("\n".join(remarks()))
    return ratios


def _collect(config: Config) -> Part:
    """Kept samples beside bare frames of the same size."""
    arm = ArmModel.infant()
    agent, data, eye = BabblingAgent(arm, seed=config.seed), mujoco.MjData(arm.model), EyeCamera(arm)
    poses = arm.denormalize(np.random.default_rng(config.seed).random((config.repeats, 5)))

    def frames() -> None:
        for pose in poses:
            arm.pose(data, pose)
            eye.render(data)

    def samples() -> None:
        for i in range(config.repeats):
            agent.sample(i)

    return {"bare frames": Work(config.repeats, frames), "kept samples": Work(config.repeats, samples)}, list


def _imagine(config: Config) -> Part:
    """Imagined pictures beside rendered and preprocessed ones."""
    from infant_env.senses.vision import to_gray

    arm, mind = ArmModel.infant(), _mind(config)
    data, eye = mujoco.MjData(arm.model), EyeCamera(arm)
    normalized = np.random.default_rng(config.seed).random((config.repeats, 5)).astype(np.float32)
    poses = arm.denormalize(normalized)

    def rendered() -> None:
        for pose in poses:
            arm.pose(data, pose)
            to_gray(eye.render(data))

    def singly() -> None:
        for pose in normalized:
            mind.predict("proprioception", pose[None])

    return {
        "rendered and preprocessed": Work(config.repeats, rendered),
        "imagined one by one": Work(config.repeats, singly),
        "imagined in a batch": Work(config.repeats, lambda: mind.predict("proprioception", normalized)),
        "imagined in a batch, local linear": Work(
            config.repeats, lambda: mind.predict("proprioception", normalized, "local_linear")
        ),
    }, list


def _mind(config: Config) -> SomAutoencoder:
    """The run's SOM-AE, or an untrained one of the paper's size whose map is smooth as trained ones are."""
    device = runs.pick_device(config.device)
    if config.run is not None:
        return SomAutoencoder.load(config.run, device)
    torch.manual_seed(config.seed)
    coarse = torch.rand((1, 13, 40, 40))
    fine = torch.nn.functional.interpolate(coarse, (config.rows, config.rows), mode="bicubic", align_corners=True)
    weights = fine[0].permute(1, 2, 0).to(device)  # (X, Y, 13)
    som = MultiModalSom({"vision": 4 * weights[..., :8] - 2, "proprioception": weights[..., 8:]})
    autoencoder = ConvAutoencoder(torch.zeros((64, 64))).to(device)
    return SomAutoencoder(autoencoder, som, ArmModel.infant().joint_ranges)


_WHOLE: dict[str, Callable[[Config], dict[str, float]]] = {
    "env": bench_env.run,
    "som": bench_som.run,
    "world": bench_world.run,
}
_PARTS: dict[str, Callable[[Config], Part]] = {
    "collect": _collect,
    "ae": bench_autoencoder.part,
    "imagine": _imagine,
    "query": lambda config: bench_query.part(config, _mind(config).som),
}
