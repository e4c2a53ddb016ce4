from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from squares import BACKGROUND, squares
from torch.optim.swa_utils import update_bn

from agents.baselines.regressor import CnnRegressor
from infant_env.body.description import Body
from training.data.dataset import Dataset
from training.methods.readings import JointsReading
from training.runs.distributed import Place
from training.train import regressor as train_regressor

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = Place(torch.device("cpu"))


@dataclass
class Squares:
    """As much of a data set as a regressor needs: 256 squares to train on and 20 to validate."""

    pictures, normalized_felt_joints = (values.numpy() for values in squares(276))
    background, normalized_felt_gaze = BACKGROUND.numpy(), np.empty((276, 0), np.float32)
    body = Body()

    def split(self, name: str) -> Any:
        return np.arange(256) if name == "train" else np.arange(256, 276)


def training(run: Path, seed: int = 0, **changes: Any) -> train_regressor.Training:
    config = train_regressor.Config(run, seed, data=run, **{"epochs": 8, "batch_size": 16, **changes})
    return train_regressor.Training(config, Squares(), CPU)


def trained(run: Path, seed: int = 0) -> train_regressor.Training:
    made = training(run, seed)
    made.fit(run / f"{seed}.safetensors", {})
    return made


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> train_regressor.Training:
    return trained(tmp_path_factory.mktemp("regressor"))


def test_it_learns_what_the_picture_tells(learned: train_regressor.Training):
    images, places = squares(100)
    assert float((learned.regressor.predict(images) - places).abs().mean()) < 0.08  # always answering .5 scores .25
    errors = [entry["validation_mae"] for entry in learned.curve]
    assert len(errors) == 8
    assert errors[-1] < errors[0]


def test_killed_after_an_epoch_it_ends_with_the_same_weights(learned: train_regressor.Training, tmp_path: Path):
    halfway = training(tmp_path)
    for _ in range(3):
        halfway.epoch()
    halfway.save(tmp_path / "0.safetensors", {})
    for name, tensor in trained(tmp_path).regressor.state_dict().items():
        assert torch.equal(tensor, learned.regressor.state_dict()[name]), name


def test_another_seed_gives_other_weights(learned: train_regressor.Training, tmp_path: Path):
    other = trained(tmp_path, seed=1)
    assert not torch.equal(other.regressor.layers[1].weight, learned.regressor.layers[1].weight)


def test_it_ends_with_the_statistics_of_all_training_pictures(learned: train_regressor.Training):
    images, regressor = torch.from_numpy(Squares.pictures[:256]), learned.regressor
    told = regressor.predict(images)
    update_bn([images], regressor)
    assert torch.allclose(regressor.predict(images), told, atol=1e-6)


def test_its_learning_rate_is_that_of_the_one_cycle_schedule(tmp_path: Path):
    rates = training(tmp_path, learning_rate=1e-2).rates
    assert len(rates) == 8 * 16
    assert rates[0] == pytest.approx(1e-2 / 25)
    assert max(rates) == pytest.approx(1e-2, rel=1e-3)
    assert rates.index(max(rates)) == round(0.15 * 8 * 16)


def test_a_saved_regressor_comes_back_the_same(tmp_path: Path):
    regressor, (images, _) = CnnRegressor(BACKGROUND, width=4), squares(3)
    regressor.save(tmp_path / "regressor.safetensors")
    assert torch.equal(CnnRegressor.load(tmp_path / "regressor.safetensors").predict(images), regressor.predict(images))


def test_a_truncated_checkpoint_gives_one_clear_line(tmp_path: Path):
    path = tmp_path / "regressor.safetensors"
    CnnRegressor(BACKGROUND, width=4).save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="is damaged.*train it again"):
        CnnRegressor.load(path)


def test_a_loss_that_explodes_is_told(tmp_path: Path):
    made = training(tmp_path)
    made.images = made.images * float("nan")
    with pytest.raises(ValueError, match=r"has in epoch 1 the train mae nan, expected finite numbers"):
        made.epoch()


def test_the_command_trains_once_and_answers_pictures_only(
    small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = train_regressor.Config(tmp_path, data=small_data.path, epochs=1, device="cpu")
    train_regressor.run(config)
    monkeypatch.setattr(train_regressor.Training, "fit", None)
    train_regressor.run(config)
    method = JointsReading(train_regressor.STAGE.load(tmp_path, small_data, CPU.device))
    joints = method.predict("vision", torch.from_numpy(small_data.pictures[:4]))["proprioception"]
    assert joints.shape == (4, 5)
    assert 0 <= joints.min() <= joints.max() <= 1
    assert method.predict("proprioception", joints) == {}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_works_on_cuda_unchanged(tmp_path: Path):
    config = train_regressor.Config(tmp_path, data=tmp_path, epochs=1, batch_size=16)
    made = train_regressor.Training(config, Squares(), Place(torch.device("cuda")))
    made.epoch()
    assert made.regressor.predict(squares(16)[0]).shape == (16, 2)
