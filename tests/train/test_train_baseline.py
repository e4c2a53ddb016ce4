"""`infant-arm train-baseline`: the same promises as every training of this house."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from training import cli
from training.compare import evaluate
from training.data.dataset import Dataset
from training.train import autoencoder as train_autoencoder
from training.train.baselines import command as train_baseline
from training.train.network import NetworkTraining

pytestmark = pytest.mark.usefixtures("one_thread")
GRADIENT_METHODS = ("latent_mlp", "mvae", "desom", "dnm")


@pytest.fixture(scope="module")
def autoencoder(small_data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder that holds an autoencoder and nothing else."""
    folder = tmp_path_factory.mktemp("baselines")
    train_autoencoder.run(train_autoencoder.Config(small_data.path, folder, width=4, epochs=1, device="cpu"))
    return folder


def config(data: Dataset, run: Path, method: Any, **changes: Any) -> train_baseline.Config:
    settings = {"epochs": 3, "batch_size": 8, "rows": 4, "columns": 4, "device": "cpu"} | changes
    return train_baseline.Config(data=data.path, run=run, method=method, **settings)


def copy(folder: Path, where: Path) -> Path:
    return Path(shutil.copytree(folder, where))


@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_a_killed_training_ends_as_if_it_had_not_been_killed(
    method: str, autoencoder: Path, small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, killed, name = copy(autoencoder, tmp_path / "a"), copy(autoencoder, tmp_path / "b"), f"{method}.safetensors"
    train_baseline.run(config(small_data, whole, method))
    save = NetworkTraining.save

    def save_and_die(self: NetworkTraining, *args: Any) -> None:
        save(self, *args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(NetworkTraining, "save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            train_baseline.run(config(small_data, killed, method))
    assert not (killed / name).exists()
    torch.manual_seed(7)
    train_baseline.run(config(small_data, killed, method))
    assert (killed / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_another_seed_gives_other_weights(method: str, autoencoder: Path, small_data: Dataset, tmp_path: Path):
    run = copy(autoencoder, tmp_path / "run")
    contents = []
    for seed in (0, 1):
        train_baseline.run(config(small_data, run, method, epochs=1, seed=seed))
        answers = train_baseline.load_baseline(method, run).predict("vision", PICTURES)  # type: ignore[arg-type]
        contents.append(answers["proprioception"])
    assert not torch.equal(*contents)


def test_what_is_trained_is_not_trained_again(
    autoencoder: Path, small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run = copy(autoencoder, tmp_path / "run")
    train_baseline.run(config(small_data, run, "mvae", epochs=1))
    monkeypatch.setattr(NetworkTraining, "epoch", None)
    train_baseline.run(config(small_data, run, "mvae", epochs=1))


def test_a_method_on_another_autoencoder_is_refused(autoencoder: Path, small_data: Dataset, tmp_path: Path):
    run = copy(autoencoder, tmp_path / "run")
    train_baseline.run(config(small_data, run, "latent_mlp", epochs=1))
    train_autoencoder.run(train_autoencoder.Config(small_data.path, run, width=4, epochs=1, seed=9, device="cpu"))
    with pytest.raises(ValueError, match="trained on another autoencoder"):
        train_baseline.load_baseline("latent_mlp", run)


def test_a_method_that_needs_an_autoencoder_says_so(small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match="expected a trained autoencoder; train it first"):
        train_baseline.run(config(small_data, tmp_path, "dnm"))


@pytest.mark.parametrize(
    ("setting", "value"), [("epochs", 0), ("rows", 0), ("learning_rate", 0.0), ("beta", -1.0), ("map_rate", 2.0)]
)
def test_impossible_settings_are_refused(setting: str, value: float, small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match=f"got {setting}="):
        config(small_data, tmp_path, "desom", **{setting: value})


def test_a_loss_that_explodes_is_told(small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match="loss became .* lower --learning-rate"):
        train_baseline.run(config(small_data, tmp_path, "mvae", learning_rate=1e30))


def test_every_method_gets_its_row(tiny_run: Path, tmp_path: Path):
    run = copy(tiny_run, tmp_path / "run")
    for method in train_baseline.METHODS:
        words = ["train-baseline", "--data", run / "dataset", "--run", run, "--method", method, "--epochs", "1"]
        assert cli.main([*map(str, words), "--rows", "4", "--columns", "4", "--device", "cpu"]) == 0
    rows = evaluate.run(evaluate.Config(run))["table1"]
    for name in (*train_baseline.METHODS, "desom_local_linear", "dnm_local_linear", "mmcm_soft"):
        assert 0 < rows[name]["vision->proprioception"]["mae"] < 1


PICTURES = torch.rand(4, 64, 64, generator=torch.Generator().manual_seed(0))
