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
from torch import Tensor

import infant_env  # noqa: F401 (registers the environments)
from agents.autoencoder import ConvAutoencoder
from agents.babbling import BabblingAgent
from agents.som import MultiModalSom
from agents.som_autoencoder import SomAutoencoder
from agents.threads import in_threads
from infant_env.body import ArmModel
from infant_env.camera import EyeCamera

from . import runs, tables, train_autoencoder, train_som
from .autoencoder_training import Training, threads
from .dataset import Dataset
from .distributed import Place


@dataclass(frozen=True)
class Config:
    """Measure how fast a part is, as ratios in one run."""

    part: tyro.conf.Positional[Literal["env", "collect", "ae", "imagine", "query"]]
    """env: the environment; collect: babbling; ae: epochs of the autoencoder; imagine: pictures from joints; query: winners."""
    run: Path | None = None
    """A run whose trained maps are measured by imagine and query (random smooth ones when not given), and whose pictures ae
    trains on."""
    rows: int = 800
    """Rows and columns of the random map."""
    repeats: int = 50
    """How often a piece of work is done in a round."""
    rounds: int = 5
    """Rounds in which what is compared is measured in turns, after one that is not counted."""
    check: int = 1000
    """query: winners that are compared with a look at every neuron."""
    seed: int = 0
    """Seed of random poses and maps."""
    device: runs.Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        for name in ("rows", "repeats", "rounds", "check"):
            if getattr(self, name) < 1:
                raise ValueError(f"got {name}={getattr(self, name)}, expected 1 or more")


@dataclass(frozen=True)
class Work:
    """Something to be measured."""

    does: int
    """How many things it does each time."""
    run: Callable[[], Any]


Part = tuple[dict[str, Work], Callable[[], list[str]]]
"""What is measured, and what is to be said below the table once it is."""


def run(config: Config) -> dict[str, float]:
    """Measures one part, prints its table, and gives by name how often as long a thing takes as the first's."""
    works, remarks = _PARTS[config.part](config)
    seconds = compare(config.rounds, works)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    first = next(iter(seconds.values()))
    ratios = {name: statistics.median(np.divide(times, first)) for name, times in seconds.items()}
    header = [f"bench {config.part}", "ms each", "per second", "times the first"]
    rows = [[name, f"{1e3 * s:.3f}", f"{1 / s:,.0f}", f"{ratios[name]:.3f}"] for name, s in medians.items()]
    print("\n".join([tables.as_text(header, rows), *remarks()]))
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


def _env(config: Config) -> Part:
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

    works = {"bare physics and rendering": Work(config.repeats, bare), "InfantArm-v0 step": Work(config.repeats, steps)}
    return works, list


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


def _autoencoder(config: Config) -> Part:
    """Epochs of the autoencoder's training in float32 and in bfloat16, and how good it is after all rounds."""
    if config.run is None:
        raise ValueError("bench ae trains on a run's pictures; give it one, such as --run runs/paper")
    data = Dataset.open(runs.data_of(config.run))
    here = Place(runs.pick_device(config.device))
    trainings = {}
    for precision in ("float32", "bfloat16"):
        settings = train_autoencoder.Config(
            data.path, config.run, epochs=config.rounds + 1, seed=config.seed, precision=precision
        )
        trainings[precision] = Training(settings, data, here)

    def epoch(training: Training) -> None:
        with threads(training.config.threads):
            training.epoch()

    def quality() -> list[str]:
        errors = {name: training.curve[-1]["mae"] for name, training in trainings.items()}
        return [
            f"validation MAE after {config.rounds + 1} epochs: "
            + ", ".join(f"{name} {tables.number(mae, 5)}" for name, mae in errors.items())
            + f"; ratio {errors['bfloat16'] / errors['float32']:.3f}"
        ]

    works = {f"{name} epoch": Work(1, partial(epoch, training)) for name, training in trainings.items()}
    return works, quality


def _imagine(config: Config) -> Part:
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
    }, list


def _query(config: Config) -> Part:
    """Exact winners by branch and bound beside a look at every neuron, and how many differ."""
    som = _mind(config).som
    queries = _queries(config, som, max(400 * config.repeats, config.check))
    many = {name: rows[: 400 * config.repeats] for name, rows in queries.items()}
    few = {name: rows[: config.repeats] for name, rows in queries.items()}
    kinds = [*([name] for name in queries), list(queries)]
    works = {"every neuron, both modalities": Work(config.repeats, lambda: _every_neuron(som, few))}
    for names in kinds:
        some = {name: many[name] for name in names}
        works[" and ".join(names)] = Work(400 * config.repeats, partial(som.winners, some))

    def differences() -> list[str]:
        lines = []
        for names in kinds:
            asked = {name: queries[name][: config.check] for name in names}
            wrong = int((som.winners(asked) != _every_neuron(som, asked)).sum())
            lines.append(
                f"{' and '.join(names)}: {wrong} of {config.check:,} winners differ from a look at every neuron"
            )
        return lines

    return works, differences


def _every_neuron(som: MultiModalSom, query: dict[str, Tensor]) -> Tensor:
    """Winners by the activity of every neuron (Eq. 3), the lowest index among equals."""

    def winners(rows: Tensor) -> Tensor:
        activity = som.activity({name: features[rows] for name, features in query.items()}).flatten(1)
        return (activity == activity.amax(1, keepdim=True)).to(torch.uint8).argmax(1)

    count = len(next(iter(query.values())))
    return torch.cat(in_threads(winners, torch.arange(count), 32))


def _queries(config: Config, som: MultiModalSom, count: int) -> dict[str, Tensor]:
    """Held-out samples of the run, or neurons' weights when there is none, each moved a little so that no two are equal."""
    generator = torch.Generator().manual_seed(config.seed)
    if config.run is None:
        at = torch.randint(som.shape[0] * som.shape[1], (count,), generator=generator)
        exact = {name: som.weights_at(name, at.to(som.device)) for name in som.modalities}
    else:
        data = Dataset.open(runs.data_of(config.run))
        splits = [train_som.features(config.run, data, split, som.device) for split in ("validation", "test")]
        held_out = {name: torch.cat([split[name] for split in splits]) for name in som.modalities}
        at = torch.randint(len(held_out["vision"]), (count,), generator=generator)
        exact = {name: rows[at] for name, rows in held_out.items()}
    share = 0.1 if config.run is None else 0.01
    return {
        name: rows + share * rows.std() * torch.randn(rows.shape, generator=generator).to(rows)
        for name, rows in exact.items()
    }


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
