"""`infant-arm train-baseline`: the same promises as every training of this house."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from training import cli
from training.compare import evaluate
from training.data.dataset import Dataset
from training.methods import baseline as train_baseline
from training.methods.baseline import BASELINES
from training.methods.method import Trained
from training.runs.config import option
from training.train import autoencoder as train_autoencoder
from training.train.network import NetworkTraining

pytestmark = pytest.mark.usefixtures("one_thread")
GRADIENT_METHODS = ("latent_mlp", "mvae", "desom", "dnm")


@pytest.fixture(scope="module")
def autoencoder(small_data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder that holds an autoencoder and nothing else."""
    folder = tmp_path_factory.mktemp("baselines")
    train_autoencoder.run(train_autoencoder.Config(folder, data=small_data.path, width=4, epochs=1, device="cpu"))
    return folder


def config(data: Dataset, run: Path, method: str, **changes: Any) -> Any:
    made = BASELINES[method].config
    map_size = {"rows": 4, "columns": 4} if hasattr(made, "rows") else {}
    return made(data=data.path, run=run, **{"epochs": 3, "batch_size": 8, "device": "cpu", **map_size, **changes})


def load(method: str, run: Path, data: Dataset) -> Any:
    return Trained(run, data, torch.device("cpu")).made_by(BASELINES[method])


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
        answers = load(method, run, small_data).predict("vision", PICTURES)
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
    train_autoencoder.run(train_autoencoder.Config(run, data=small_data.path, width=4, epochs=1, seed=9, device="cpu"))
    with pytest.raises(ValueError, match="trained on another autoencoder"):
        load("latent_mlp", run, small_data)


def test_a_method_that_needs_an_autoencoder_says_so(small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match="expected a trained autoencoder; train it first"):
        train_baseline.run(config(small_data, tmp_path, "dnm"))


@pytest.mark.parametrize(
    ("method", "setting", "value"),
    [
        ("desom", "epochs", 0),
        ("desom", "rows", 0),
        ("desom", "neuron_rate", 0.0),
        ("desom", "gamma", -1.0),
        ("latent_mlp", "learning_rate", 0.0),
        ("mvae", "beta", -1.0),
        ("dnm", "map_rate", 2.0),
        ("mmcm", "last_sigma", 0.0),
    ],
)
def test_impossible_settings_are_refused(method: str, setting: str, value: float, small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match=f"got {option(setting)} "):
        config(small_data, tmp_path, method, **{setting: value})


def test_a_loss_that_explodes_is_told(small_data: Dataset, tmp_path: Path):
    with pytest.raises(
        ValueError, match="has in epoch 1 the train .*, expected finite numbers; .* lower --learning-rate"
    ):
        train_baseline.run(config(small_data, tmp_path, "mvae", learning_rate=1e6))


def test_every_method_gets_its_row(tiny_run: Path, tmp_path: Path):
    run = copy(tiny_run, tmp_path / "run")
    for method in BASELINES:
        words = ["train-baseline", method, "--data", run / "dataset", "--run", run, "--epochs", "1"]
        size = ["--rows", "4", "--columns", "4"] if hasattr(BASELINES[method].config, "rows") else []
        assert cli.main([*map(str, words), *size, "--device", "cpu"]) == 0
    rows = evaluate.run(evaluate.Config(run)).table1
    for name in (*BASELINES, "desom_local_linear", "dnm_local_linear", "mmcm_soft"):
        assert 0 < rows[name]["vision->proprioception"].mae < 1


PICTURES = torch.rand(4, 64, 64, generator=torch.Generator().manual_seed(0))


def test_the_words_of_version_0_1_still_name_a_baseline(small_data: Dataset, tmp_path: Path):
    words = ["--data", str(small_data.path), "--run", str(tmp_path), "--epochs", "1", "--device", "cpu"]
    assert cli.main(["train-baseline", *words[:4], "--method", "mvae", *words[4:]]) == 0
    before = (tmp_path / "mvae.safetensors").stat().st_mtime_ns
    assert cli.main(["train-baseline", "mvae", *words]) == 0
    assert cli.main(["train-baseline", "--method=mvae", *words]) == 0
    assert (tmp_path / "mvae.safetensors").stat().st_mtime_ns == before
