import json
from pathlib import Path
from typing import Any

import pytest
import torch

from agents.networks.autoencoder import ConvAutoencoder
from training.data.dataset import Dataset
from training.data.latents import LATENTS, load_latents
from training.runs.config import option
from training.runs.distributed import Place
from training.train import autoencoder as train_autoencoder
from training.train.autoencoder import ReconstructionErrors, Training, joint_reader
from training.train.network import one_cycle

pytestmark = pytest.mark.usefixtures("one_thread")

TRAINING = "autoencoder.training.safetensors"
CHECKPOINT = "autoencoder.safetensors"


def config(data: Dataset, run: Path, **changes: Any) -> train_autoencoder.Config:
    settings = {"width": 8, "epochs": 4, "batch_size": 4, "device": "cpu"} | changes
    return train_autoencoder.Config(data=data.path, run=run, **settings)


@pytest.fixture(scope="module")
def finished(small_data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder after an uninterrupted training."""
    folder = tmp_path_factory.mktemp("autoencoder")
    train_autoencoder.run(config(small_data, folder))
    return folder


def stop_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills the next training right after it has sealed this epoch."""
    save = Training.save

    def save_and_die(self: Training, *args: Any) -> None:
        save(self, *args)
        if len(self.curve) == epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(Training, "save", save_and_die)


@torch.inference_mode()
@pytest.mark.parametrize("shape", [(64, 64), (3, 64, 64)])
def test_a_picture_s_error_is_the_mean_over_all_its_numbers_also_in_color(shape: tuple[int, ...]):
    model, images = ConvAutoencoder(torch.zeros(shape), width=4), torch.rand(2, *shape)
    told_nothing = torch.zeros(2, 0)
    errors, joint_errors = ReconstructionErrors(model, joint_reader(8, 5))(images[None], torch.rand(2, 5), told_nothing)
    assert errors.tolist() == pytest.approx([float(each.square().mean()) for each in model(images) - images], rel=1e-5)
    assert joint_errors.shape == (2,)


def test_equal_seeds_give_equal_bytes(finished: Path, small_data: Dataset, tmp_path: Path):
    train_autoencoder.run(config(small_data, tmp_path))
    assert (tmp_path / CHECKPOINT).read_bytes() == (finished / CHECKPOINT).read_bytes()
    train_autoencoder.run(config(small_data, tmp_path, seed=1))
    assert (tmp_path / CHECKPOINT).read_bytes() != (finished / CHECKPOINT).read_bytes()


@pytest.mark.parametrize("epochs", [1, 3, 4])
def test_a_killed_training_ends_as_if_it_had_not_been_killed(
    finished: Path, small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int
):
    with monkeypatch.context() as patch:
        stop_after(epochs, patch)
        with pytest.raises(KeyboardInterrupt):
            train_autoencoder.run(config(small_data, tmp_path))
    assert not (tmp_path / CHECKPOINT).exists()
    torch.manual_seed(7)
    train_autoencoder.run(config(small_data, tmp_path))
    assert (tmp_path / CHECKPOINT).read_bytes() == (finished / CHECKPOINT).read_bytes()
    assert not (tmp_path / TRAINING).exists()


def test_what_is_trained_is_not_trained_again(finished: Path, small_data: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Training, "epoch", None)
    autoencoder = train_autoencoder.run(config(small_data, finished))
    assert isinstance(autoencoder, ConvAutoencoder)


def test_another_config_is_trained_anew_even_over_an_unfinished_one(
    finished: Path, small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        stop_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            train_autoencoder.run(config(small_data, tmp_path, width=4))
    train_autoencoder.run(config(small_data, tmp_path))
    assert (tmp_path / CHECKPOINT).read_bytes() == (finished / CHECKPOINT).read_bytes()


@pytest.mark.parametrize("keep", [0, 50, -100])
def test_a_truncated_checkpoint_is_trained_again(finished: Path, small_data: Dataset, tmp_path: Path, keep: int):
    (tmp_path / CHECKPOINT).write_bytes((finished / CHECKPOINT).read_bytes()[:keep])
    train_autoencoder.run(config(small_data, tmp_path))
    assert (tmp_path / CHECKPOINT).read_bytes() == (finished / CHECKPOINT).read_bytes()


def test_a_truncated_training_gives_one_clear_line(finished: Path, small_data: Dataset, tmp_path: Path):
    (tmp_path / TRAINING).write_bytes((finished / CHECKPOINT).read_bytes()[:-100])
    with pytest.raises(ValueError, match="is damaged.*train it again") as caught:
        train_autoencoder.run(config(small_data, tmp_path))
    assert "\n" not in str(caught.value)


def test_only_a_checkpoint_of_the_finished_training_is_removed(finished: Path, small_data: Dataset, tmp_path: Path):
    (tmp_path / CHECKPOINT).write_bytes((finished / CHECKPOINT).read_bytes())
    for seed, stays in ((0, False), (1, True)):
        killed = config(small_data, tmp_path, seed=seed)
        training = Training(killed, small_data, Place(torch.device("cpu")))
        training.save(tmp_path / TRAINING, train_autoencoder.STAGE.identity(killed, small_data))
        train_autoencoder.run(config(small_data, tmp_path))
        assert (tmp_path / TRAINING).exists() == stays


def test_a_loss_that_explodes_is_told(small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match="has in epoch 1 the train .*, expected finite numbers.*lower --learning-rate"):
        train_autoencoder.run(config(small_data, tmp_path, learning_rate=1e6))


def test_training_stops_when_validation_has_not_improved_for_long(small_data: Dataset, tmp_path: Path):
    training = Training(config(small_data, tmp_path, epochs=50, patience=2), small_data, Place(torch.device("cpu")))
    training._validate = iter({"validation_mse": e, "arm_mae": 0.1} for e in (0.5, 0.3, 0.4, 0.3, 0.1)).__next__  # type: ignore[method-assign]
    training.fit(tmp_path / TRAINING, {})
    assert [entry["validation_mse"] for entry in training.curve] == [0.5, 0.3, 0.4, 0.3]


def test_the_best_epochs_weights_are_kept(small_data: Dataset, tmp_path: Path):
    training = Training(config(small_data, tmp_path), small_data, Place(torch.device("cpu")))
    training._validate = iter({"validation_mse": e} for e in (0.5, 0.3, 0.4)).__next__  # type: ignore[method-assign]
    weights = []
    for _ in range(3):
        training.epoch()
        weights.append(training.model.encoder[1].weight.detach().clone())
    training.finish()
    assert torch.equal(training.model.encoder[1].weight, weights[1])


def test_the_curve_stands_in_the_metrics(finished: Path):
    report = json.loads((finished / "metrics.json").read_text())
    assert [entry["epoch"] for entry in report["autoencoder"]["epochs"]] == [1, 2, 3, 4]
    assert {"train_mse", "validation_mse", "mae", "arm_mae", "seconds"} <= report["autoencoder"]["epochs"][0].keys()
    assert report["timing_s"]["train-ae"] > 0


def test_the_latents_of_all_pictures_are_cached_and_standardised_over_the_training_set(
    finished: Path, small_data: Dataset
):
    latents = load_latents(finished, small_data)
    assert latents.shape == (32, 8)
    train = latents[torch.from_numpy(small_data.split("train"))]
    torch.testing.assert_close(train.mean(dim=0), torch.zeros(8), atol=1e-3, rtol=0)
    torch.testing.assert_close(train.std(dim=0), torch.ones(8), atol=1e-3, rtol=0)
    encoder = ConvAutoencoder.load(finished / CHECKPOINT)
    with torch.inference_mode():
        torch.testing.assert_close(
            latents, encoder.encode(torch.from_numpy(small_data.pictures))
        )  # in the same batch: same bits


def test_a_damaged_cache_of_latents_is_made_anew(finished: Path, small_data: Dataset):
    latents = load_latents(finished, small_data)
    (finished / LATENTS).write_bytes(b"half")
    assert torch.equal(load_latents(finished, small_data), latents)


def test_another_autoencoder_has_other_latents(finished: Path, small_data: Dataset, tmp_path: Path):
    for name in (CHECKPOINT, LATENTS):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    train_autoencoder.run(config(small_data, tmp_path, seed=1))
    assert not torch.equal(load_latents(tmp_path, small_data), load_latents(finished, small_data))


def test_the_learning_rate_rises_then_falls_to_nothing():
    assert one_cycle(0.0) < 0.02
    assert one_cycle(0.1) == pytest.approx(1)
    assert one_cycle(0.55) == pytest.approx(0.5)
    assert one_cycle(1.0) == pytest.approx(0)


@pytest.mark.parametrize(("setting", "value"), [("epochs", 0), ("latent_size", 0), ("learning_rate", float("nan"))])
def test_impossible_settings_are_refused(small_data: Dataset, tmp_path: Path, setting: str, value: float):
    with pytest.raises(ValueError, match=f"got {option(setting)} "):
        config(small_data, tmp_path, **{setting: value})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_trains_on_cuda_and_equal_seeds_give_equal_bytes_there_too(small_data: Dataset, tmp_path: Path):
    for name in ("a", "b"):
        train_autoencoder.run(config(small_data, tmp_path / name, device="cuda"))
    assert (tmp_path / "a" / CHECKPOINT).read_bytes() == (tmp_path / "b" / CHECKPOINT).read_bytes()
    assert load_latents(tmp_path / "a", small_data).shape == (32, 8)
