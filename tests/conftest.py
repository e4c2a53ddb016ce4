"""The smallest real data, rendered and trained once per session."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"} & os.environ.keys():
    os.environ["MUJOCO_GL"] = "egl"  # before anything imports mujoco

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings

from infant_env.body.model import ArmModel
from training.data import collect
from training.data.dataset import Dataset

if TYPE_CHECKING:
    from agents.world.world_model import WorldModel

settings.register_profile("no_clock", parent=settings(), deadline=None)  # a busy machine is not a fault
settings.load_profile("no_clock")

SMALL = {"samples": 32, "eye_size": (60, 100), "shard_size": 10, "seed": 3}


@pytest.fixture(scope="session")
def arm() -> ArmModel:
    return ArmModel.infant()


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """32 poses at 60x100, in four shards."""
    return collect.run(collect.Config(tmp_path_factory.mktemp("small") / "data", workers=1, **SMALL))


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole reproduction at the tiny preset: made once, and a copy for each process of pytest-xdist."""
    from training import reproduce
    from training.runs.device import threads

    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny" / "run"
    made.parent.mkdir(exist_ok=True)
    with FileLock(made.parent / "lock"):
        if not (made / "report.html").exists():
            with threads(_usual_threads):  # a readout's last digits depend on their number
                reproduce.run(reproduce.Config("tiny", made, workers=1))
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("tiny") / "run"))


def small_run_commands(run: Path, seed: int) -> list[list[object]]:
    """The commands that make a run of 60 poses with the smallest models, in some seconds."""
    data, of = run / "dataset", ["--run", run, "--seed", seed]
    both = ["--data", data, *of]
    size = ["--samples", 60, "--eye-size", 60, 100, "--shard-size", 20]
    return [
        ["collect", "--out", data, *size, "--seed", seed, "--workers", 1],
        ["train-ae", *both, "--epochs", 2, "--width", 4],
        ["train-som", *of, "--rows", 8, "--columns", 7],
        ["train-generator", *both, "--epochs", 2, "--width", 1, "--points", 2],
        ["train-glance", *both, "--epochs", 2],
        ["train-regressor", *both, "--epochs", 2],
        ["train-pixel-som", *both, "--rows", 8, "--columns", 7],
        ["train-baseline", "latent_mlp", *both, "--epochs", 1],
        ["calibrate", *of, "--samples", 10],
        ["train-world-model", *of, "--steps", 50, "--check", 50, "--pictures", 2],
        ["evaluate", "--run", run],
    ]


_usual_threads: int | None = None
"""As many as torch has outside of `one_thread`, while that is in force."""


@pytest.fixture(autouse=True)
def _same_number_of_threads() -> Iterator[None]:
    """No test leaves torch with another number of threads: results' last digits depend on it."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Pictures this few are slower on several threads, and much slower when the cores are busy."""
    import torch

    global _usual_threads
    _usual_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(_usual_threads)
    _usual_threads = None


@pytest.fixture(scope="session")
def world(arm: ArmModel, tmp_path_factory: pytest.TempPathFactory) -> "WorldModel":
    """The infant's own chain, a response and a generator that are not trained, in a folder of their own."""
    import torch

    from agents.mind.imagination import GENERATOR
    from agents.networks.generator import PictureGenerator
    from agents.world.arm_chain import ArmChain
    from agents.world.servo_response import ServoResponse
    from agents.world.world_model import WorldModel
    from training.data.babbled_motion import babble

    motion = babble(arm, 75, seed=1)
    joints = torch.from_numpy(motion.felt[:, 1:, :5]).flatten(0, 1)
    chain = ArmChain.fit(joints, torch.from_numpy(motion.hands).flatten(0, 1))
    places = chain.tip.repeat(2) + 0.05 * torch.rand(5, 6, generator=torch.Generator().manual_seed(0))
    sizes = torch.tensor([0.05, 0.05, 9.0, 0.6, 1.5, 0.05, 0.002]).log().expand(5, -1)
    ranges = torch.tensor(np.array(arm.joint_ranges), dtype=torch.float32)
    response = ServoResponse(chain, ranges, torch.cat([places, sizes], 1)).to("cpu")
    torch.manual_seed(0)
    generator = PictureGenerator(torch.rand(64, 64), width=4, points=3).eval()
    folder = tmp_path_factory.mktemp("world")
    generator.save(folder / GENERATOR)
    WorldModel(response, generator, joints[::5].clamp(*ranges.T).contiguous()).save(folder)
    return WorldModel.load(folder)
