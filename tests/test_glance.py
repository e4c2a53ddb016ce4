from pathlib import Path

import pytest
import torch
from squares import BACKGROUND

from agents.generator import PictureGenerator
from agents.glance import Glance
from training import train_glance
from training.dataset import Dataset
from training.distributed import Place
from training.train_glance import surprise

CPU = Place(torch.device("cpu"))


def config(run: Path, data: Dataset, epochs: int = 2) -> train_glance.Config:
    return train_glance.Config(data.path, run, epochs=epochs, batch_size=16)


@pytest.fixture
def run(tmp_path: Path, small_data: Dataset) -> Path:
    PictureGenerator(torch.from_numpy(small_data.background), width=4, points=3).save(
        tmp_path / "generator.safetensors"
    )
    return tmp_path


def test_it_guesses_joints_within_their_ranges_and_doubts_above_zero():
    joints, doubts = Glance(BACKGROUND, joint_count=3, width=4).guess(torch.rand(7, 64, 64))
    assert joints.shape == doubts.shape == (7, 3)
    assert 0 <= joints.min() <= joints.max() <= 1
    assert doubts.min() > 0


def test_the_surprise_is_least_where_the_doubt_is_the_error():
    joints, told = torch.tensor([[0.5]]), torch.tensor([[0.3]])
    at = {scale: float(surprise(told, torch.tensor([[scale]]).log(), joints)) for scale in (0.1, 0.2, 0.4)}
    assert at[0.2] == pytest.approx(1 + torch.tensor(0.2).log().item())
    assert at[0.2] < min(at[0.1], at[0.4])


def test_it_learns_where_the_arm_is_and_how_sure_that_is(run: Path, small_data: Dataset, one_thread: None):
    training = train_glance.Training(config(run, small_data, epochs=6), small_data, generator(run), CPU)
    for _ in range(6):
        training.epoch()
    assert training.curve[-1]["train_nll"] < training.curve[0]["train_nll"]
    assert {"validation_nll", "mae"} <= training.curve[-1].keys()


def test_equal_seeds_give_equal_bytes_also_when_stopped_between(run: Path, small_data: Dataset, one_thread: None):
    whole = train_glance.run(config(run, small_data))
    halfway, identity = (
        train_glance.Training(config(run, small_data), small_data, generator(run), CPU),
        {"some": "training"},
    )
    path = run / "halfway.safetensors"
    halfway.epoch()
    halfway.save(path, identity)
    resumed = train_glance.Training(config(run, small_data), small_data, generator(run), CPU)
    resumed.fit(path, identity)
    resumed.glance.load_state_dict(resumed.best)
    images = torch.from_numpy(small_data.gray[:8])
    assert torch.equal(whole.guess(images)[1], resumed.glance.guess(images)[1])
    assert torch.equal(Glance.load(run / "glance.safetensors").guess(images)[0], whole.guess(images)[0])


def test_a_trained_one_is_not_trained_again(
    run: Path, small_data: Dataset, capsys: pytest.CaptureFixture[str], one_thread: None
):
    train_glance.run(config(run, small_data, epochs=1))
    train_glance.run(config(run, small_data, epochs=1))
    assert "is there already" in capsys.readouterr().out


def test_without_a_generator_it_says_so(tmp_path: Path, small_data: Dataset):
    with pytest.raises(ValueError, match="generator"):
        train_glance.run(config(tmp_path, small_data))


def generator(run: Path) -> PictureGenerator:
    return PictureGenerator.load(run / "generator.safetensors")
