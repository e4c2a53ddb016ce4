"""Checkpoints of a training: they continue exactly as stable-baselines3's own files would, and run nobody's code."""

import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.logger import configure
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from training import cli, report
from training.rl import checkpoint
from training.rl import train as train_rl
from training.rl.callback import LearningCallback
from training.rl.setup import Setup

KINDS = {"SAC": SAC, "TD3": TD3, "PPO": PPO}
SMALL = {"steps": 320, "goals": 2, "judged_every": 250, "kept_every": 200, "video": False}


def new(config: train_rl.Config) -> Any:
    """A model before its first step."""
    setup = Setup(config)
    env = setup.scaled(setup.training_env())
    env.seed(config.seed)
    model = train_rl._new_model(config, env, config.seed)
    model.set_logger(configure(None, []))
    return model


def learn(model: Any, steps: int) -> dict[str, torch.Tensor]:
    """Learns more, and hands out all that is learned."""
    model.learn(steps, reset_num_timesteps=not model.num_timesteps)
    return checkpoint._tensors(model)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"algorithm": "TD3", "goal": "joints", "infants": 2},
        {"algorithm": "PPO", "infants": 4},
        {"reward": "sparse", "observation": "latents"},
        {"observation": "pixels"},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:The last trajectory in the replay buffer will be truncated")
@pytest.mark.usefixtures("one_thread")
def test_a_checkpoint_continues_exactly_as_the_files_of_stable_baselines_would(
    tiny_run: Path, tmp_path: Path, keywords: dict[str, Any]
):
    config = train_rl.Config(tiny_run, **SMALL | keywords)
    before = new(config)
    steps = 30 if config.observation == "pixels" else 12 * 25 * before.n_envs + 40  # learning_starts, and more
    learn(before, steps)
    checkpoint.save(tmp_path, before, [], 1.5)
    checkpoint.export(tmp_path, before)
    theirs = new(config)
    scaled = VecNormalize.load(str(tmp_path / "sb3" / "scales.pkl"), theirs.get_env().venv)
    theirs = KINDS[config.algorithm].load(tmp_path / "sb3" / "model.zip", env=scaled, device="cpu")
    theirs.set_logger(configure(None, []))
    if isinstance(before, OffPolicyAlgorithm):
        before.save_replay_buffer(tmp_path / "buffer.pkl")
        theirs.load_replay_buffer(tmp_path / "buffer.pkl")
    expected, timesteps = learn(theirs, 30), theirs.num_timesteps
    ours = new(config)
    progress = checkpoint.resume(tmp_path, ours)
    assert progress is not None
    assert (progress.timesteps, progress.seconds) == (before.num_timesteps, 1.5)
    found = learn(ours, 30)
    assert ours.num_timesteps == timesteps
    assert ours._n_updates == theirs._n_updates
    assert [episode["r"] for episode in ours.ep_info_buffer] == [episode["r"] for episode in theirs.ep_info_buffer]
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_full_replay_buffer_comes_back_as_it_was(tiny_run: Path, tmp_path: Path):
    model = new(train_rl.Config(tiny_run, **SMALL))
    model.replay_buffer = make_buffer(model, 60)
    learn(model, 137)
    assert model.replay_buffer.full
    checkpoint.save(tmp_path, model, [], 0.0)
    again = new(train_rl.Config(tiny_run, **SMALL))
    again.replay_buffer = make_buffer(again, 60)
    with pytest.warns(UserWarning, match="will be truncated"):
        checkpoint.resume(tmp_path, again)
    with pytest.warns(UserWarning, match="will be truncated"):
        model.replay_buffer.truncate_last_trajectory()
    assert (again.replay_buffer.pos, again.replay_buffer.full) == (137 - 2 * 60, True)
    arrays = checkpoint._arrays(again.replay_buffer)
    for name, array in checkpoint._arrays(model.replay_buffer).items():
        assert np.array_equal(arrays[name], array), name


def make_buffer(model: Any, size: int) -> Any:
    spaces = (model.observation_space, model.action_space)
    return type(model.replay_buffer)(size, *spaces, env=model.get_env(), device=model.device)


class Planted:
    """An object whose pickle makes a file when somebody reads it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.marker,)


@pytest.fixture(scope="module")
def killed_once(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a training that was killed after its first checkpoint."""
    folder = Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("killed") / "run"))

    def stop(callback: LearningCallback) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LearningCallback, "_judge_now", stop)
        with pytest.raises(KeyboardInterrupt):
            train_rl.run(train_rl.Config(folder, **SMALL))
    return folder


@pytest.fixture
def killed(killed_once: Path, tmp_path: Path) -> train_rl.Config:
    """The settings of a training that was killed after its first checkpoint, in a run of its own."""
    return train_rl.Config(Path(shutil.copytree(killed_once, tmp_path / "run")), **SMALL)


WORDS = ["--steps", "320", "--goals", "2", "--judged-every", "250", "--kept-every", "200", "--no-video"]


def plant(path: Path, marker: Path) -> None:
    """Replaces a file by a pickle that makes a marker, in the outer form that the file's name promises."""
    poison = Planted(marker)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("data", "policy.pth", "actor.optimizer.pth", "pytorch_variables.pth"):
                archive.writestr(name, pickle.dumps(poison))
    elif path.suffix == ".npz":
        array = np.empty(1, object)
        array[0] = poison
        np.savez(path, **dict.fromkeys(("rewards", "position", "starts", "actions"), array))
    else:
        path.write_bytes(pickle.dumps(poison))


@pytest.mark.parametrize("name", [checkpoint.MODEL, checkpoint.BUFFER])
def test_a_pickle_in_place_of_a_file_of_a_checkpoint_is_refused_and_not_run(
    killed: train_rl.Config, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
):
    (newest,) = checkpoint.found(killed.folder / "seed0")
    marker = tmp_path / "marker"
    plant(newest / name, marker)
    assert cli.main(["train-rl", "--run", str(killed.run), *WORDS]) == 2
    error = capsys.readouterr().err
    assert "delete this folder" in error.splitlines()[-1]
    assert not marker.exists()
    shutil.rmtree(newest)
    assert cli.main(["train-rl", "--run", str(killed.run), *WORDS]) == 0


def test_what_others_put_into_a_run_is_never_unpickled(killed: train_rl.Config, tmp_path: Path):
    seed, marker = killed.folder / "seed0", tmp_path / "marker"
    (newest,) = checkpoint.found(seed)
    (seed / "sb3").mkdir(exist_ok=True)
    folders = (seed, newest, seed / "sb3")
    for folder in folders:
        for name in ("scales.pkl", "replay_buffer.pkl", "model.zip", "state.json", "policy.pth"):
            plant(folder / name, marker)
    assert cli.main(["train-rl", "--run", str(killed.run), *WORDS]) == 0
    report.run(report.Config(killed.run))
    assert not marker.exists()
    pickle.loads((seed / "scales.pkl").read_bytes())
    assert marker.exists()  # the trap works


def test_a_checkpoint_of_0_1_is_refused_in_one_line_that_says_why(
    killed: train_rl.Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (newest,) = checkpoint.found(killed.folder / "seed0")
    for path in newest.iterdir():
        path.unlink()
    for name in ("model.zip", "scales.pkl", "replay_buffer.pkl"):
        plant(newest / name, tmp_path / "marker")
    assert cli.main(["train-rl", "--run", str(killed.run), *WORDS]) == 2
    assert "written by version 0.1 as pickles" in capsys.readouterr().err
    assert not (tmp_path / "marker").exists()
    assert (newest / "model.zip").exists()  # nothing is lost
    assert cli.main(["train-rl", "--run", str(killed.run), "--name", "anew", *WORDS]) == 0


@pytest.mark.parametrize("name", [checkpoint.MODEL, checkpoint.BUFFER])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_checkpoint_that_was_cut_off_is_refused(killed: train_rl.Config, name: str, part: float):
    (newest,) = checkpoint.found(killed.folder / "seed0")
    content = (newest / name).read_bytes()
    (newest / name).write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match="cannot go on from"):
        checkpoint.resume(killed.folder / "seed0", new(killed))


def test_a_flipped_bit_of_the_replay_buffer_is_noticed(killed: train_rl.Config):
    (newest,) = checkpoint.found(killed.folder / "seed0")
    path = newest / checkpoint.BUFFER
    content = bytearray(path.read_bytes())
    content[content.index(b"observations.observation.npy") + 5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot go on from"):
        checkpoint.resume(killed.folder / "seed0", new(killed))


def test_a_buffer_that_would_unpack_to_more_than_it_can_hold_is_refused(killed: train_rl.Config):
    (newest,) = checkpoint.found(killed.folder / "seed0")
    np.savez_compressed(newest / checkpoint.BUFFER, rewards=np.zeros((1_000_000, 1), np.float32))
    with pytest.raises(ValueError, match="holds 4,000,128 bytes, expected"):
        checkpoint.resume(killed.folder / "seed0", new(killed))


def test_folders_of_other_names_are_no_checkpoints(tmp_path: Path):
    for name in ("checkpoint-x", "checkpoint-12", "checkpoint-9", "checkpoint-"):
        (tmp_path / name).mkdir()
    assert [path.name for path in checkpoint.found(tmp_path)] == ["checkpoint-9", "checkpoint-12"]
