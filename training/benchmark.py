"""`infant-arm bench`: how fast the parts are, as ratios measured in one run.

Absolute times drift with the machine's load; what is compared is therefore measured in turns, round by round, and the table
shows the median of the rounds' ratios.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import mujoco
import numpy as np
import torch
import tyro

import infant_env  # noqa: F401 (registers the environments)
from agents.autoencoder import ConvAutoencoder
from agents.babbling import BabblingAgent
from agents.som import MultiModalSom
from agents.som_autoencoder import SomAutoencoder
from infant_env.body import ArmModel
from infant_env.camera import EyeCamera

from . import bench_som, runs, tables
from .som_peers import PEERS


@dataclass(frozen=True)
class Config:
    """Measure how fast a part is, as ratios in one run."""

    part: tyro.conf.Positional[Literal["env", "collect", "ae", "imagine", "query", "som"]]
    """env: the environment; collect: babbling; ae: a step of the autoencoder; imagine: pictures from joints; query: winners;
    som: the map's training beside the literal rule's and other libraries'."""
    run: Path | None = None
    """A run whose trained maps are measured by imagine and query (random smooth ones when not given), and whose latents and
    joints som trains on before synthetic ones."""
    rows: int = 800
    """Rows and columns of the random map."""
    repeats: int = 50
    """How often a piece of work is done in a round."""
    rounds: int = 5
    """Rounds in which what is compared is measured in turns."""
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
        for name in ("rows", "repeats", "rounds", "epochs", "samples", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"got {name}={getattr(self, name)}, expected 1 or more")
        if self.budget < 0 or self.memory <= 0:
            raise ValueError(f"got budget={self.budget} and memory={self.memory}, expected 0 or more, and above 0")


@dataclass(frozen=True)
class Work:
    """Something to be measured."""

    does: int
    """How many things it does each time."""
    run: Callable[[], Any]


def run(config: Config) -> dict[str, float]:
    """Measures one part, prints its table, and gives by name how often as long a thing takes as the first's."""
    if config.part == "som":
        return bench_som.run(config)
    works = _PARTS[config.part](config)
    seconds = compare(config.rounds, works)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    first = next(iter(seconds.values()))
    ratios = {name: statistics.median(np.divide(times, first)) for name, times in seconds.items()}
    header = [f"bench {config.part}", "ms each", "per second", "times the first"]
    rows = [[name, f"{1e3 * s:.3f}", f"{1 / s:,.0f}", f"{ratios[name]:.3f}"] for name, s in medians.items()]
    print(tables.as_text(header, rows))
    return ratios


def compare(rounds: int, works: dict[str, Work]) -> dict[str, list[float]]:
    """Runs several pieces of work in turns; a first round is not counted.

    Returns:
        By name: the seconds that a thing took in each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work.run()
            seconds[name].append((time.perf_counter() - start) / work.does)
    return {name: times[1:] for name, times in seconds.items()}


def _env(config: Config) -> dict[str, Work]:
    """An environment step beside its bare physics and rendering."""
    env = gym.make("InfantArm-v0")
    env.reset(seed=config.seed)
    body: Any = env.unwrapped
    actions = np.random.default_rng(config.seed).uniform(-1, 1, (config.repeats, 5)).astype(np.float32)
    data, eye = mujoco.MjData(body.arm.model), EyeCamera(body.arm)

    def bare() -> None:
        for action in actions:
            data.ctrl[:] = body.arm.denormalize((action + 1) / 2)
            mujoco.mj_step(body.arm.model, data, 8)
            eye.render(data)

    def steps() -> None:
        for action in actions:
            body.step(action)

    return {"bare physics and rendering": Work(config.repeats, bare), "InfantArm-v0 step": Work(config.repeats, steps)}


def _collect(config: Config) -> dict[str, Work]:
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

    return {"bare frames": Work(config.repeats, frames), "kept samples": Work(config.repeats, samples)}


def _autoencoder(config: Config) -> dict[str, Work]:
    """A training step of the autoencoder in float32 and in bfloat16."""
    device = runs.pick_device(config.device)
    generator = torch.Generator().manual_seed(config.seed)
    images = torch.rand((64, 64, 64), generator=generator).to(device)

    def steps(dtype: torch.dtype) -> Callable[[], None]:
        torch.manual_seed(config.seed)
        model = ConvAutoencoder(images[0]).to(device)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)

        def work() -> None:
            for _ in range(config.repeats):
                with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                    loss = (model(images).float() - images).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

        return work

    return {
        "float32 step, batch 64": Work(config.repeats, steps(torch.float32)),
        "bfloat16 step, batch 64": Work(config.repeats, steps(torch.bfloat16)),
    }


def _imagine(config: Config) -> dict[str, Work]:
    """Imagined pictures beside rendered and preprocessed ones."""
    from infant_env.vision import to_gray

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
    }


def _query(config: Config) -> dict[str, Work]:
    """Exact winners by branch and bound beside a look at every neuron."""
    som = _mind(config).som
    count = 20 * config.repeats
    at = torch.randint(som.shape[0] * som.shape[1], (count,), generator=torch.Generator().manual_seed(config.seed))
    queries = {}
    for name in som.modalities:
        exact = som.weights_at(name, at.to(som.device))
        queries[name] = exact + 0.1 * exact.std() * torch.randn(exact.shape).to(exact)
    few = {name: rows[: config.repeats] for name, rows in queries.items()}
    works = {
        "every neuron, both modalities": Work(config.repeats, lambda: som.activity(few).flatten(1).argmax(1)),
        "both modalities": Work(count, lambda: som.winners(queries)),
    }
    for name, rows in queries.items():
        works[f"{name} alone"] = Work(count, partial(som.winners, {name: rows}))
    return works


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


_PARTS = {"env": _env, "collect": _collect, "ae": _autoencoder, "imagine": _imagine, "query": _query}
