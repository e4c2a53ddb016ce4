"""The smallest real data, rendered and trained once per session."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"} & os.environ.keys():
    os.environ["MUJOCO_GL"] = "egl"  # before anything imports mujoco

import pytest
from hypothesis import settings

from infant_env.body import ArmModel
from training import collect
from training.dataset import Dataset

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
    """A whole reproduction at the tiny preset."""
    from training import reproduce

    folder = tmp_path_factory.mktemp("tiny") / "run"
    reproduce.run(reproduce.Config("tiny", folder, workers=1))
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Pictures this few are slower on several threads, and much slower when the cores are busy."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
