import math
from pathlib import Path

import pytest
import torch
from squares import BACKGROUND

from agents.networks.expectation import Expectation
from agents.networks.generator import PictureGenerator
from agents.networks.glance import Glance
from training.data.dataset import Dataset
from training.runs.distributed import Place
from training.train import glance as train_glance
from training.train.glance import surprise

CPU = Place(torch.device("cpu"))


def config(run: Path, data: Dataset, epochs: int = 2) -> train_glance.Config:
    return train_glance.Config(run, data=data.path, epochs=epochs, batch_size=16, device="cpu")


@pytest.fixture
def run(tmp_path: Path, small_data: Dataset) -> Path:
    PictureGenerator(torch.from_numpy(small_data.background), width=4, points=3).save(
        tmp_path / "generator.safetensors"
    )
    return tmp_path


def test_it_guesses_joints_within_their_ranges_doubts_above_zero_and_shares_of_one():
    expected = Glance(BACKGROUND, joint_count=3, width=4).guess(torch.rand(7, 64, 64))
    assert expected.joints.shape == expected.doubts.shape == (7, 1, 8, 3)
    assert 0 <= expected.joints.min() <= expected.joints.max() <= 1
    assert expected.doubts.min() > 0
    assert torch.allclose(expected.shares.exp().sum(2), torch.ones(7, 1))


def test_where_two_poses_look_alike_it_learns_to_guess_both():
    torch.manual_seed(0)
    glance, pictures = Glance(BACKGROUND, joint_count=1, width=4).eval(), torch.rand(1, 64, 64).expand(2, 64, 64)
    poses = torch.tensor([[0.2], [0.7]])
    optimizer = torch.optim.Adam(glance.parameters(), 1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        surprise(glance(pictures), poses).mean().backward()
        optimizer.step()
    expected = glance(pictures[:1])
    there, here, between = expected.log_density(torch.tensor([[[0.2], [0.7], [0.45]]]))[0]
    assert min(there, here) > between + 2


def test_the_surprise_is_least_where_the_doubt_is_the_error():
    def at(doubt: float) -> float:
        guess = Expectation(torch.tensor([[[[0.3]]]]), torch.tensor([[[[doubt]]]]), torch.zeros(1, 1, 1))
        return float(surprise(guess, torch.tensor([[0.5]])))

    assert at(0.2) == pytest.approx(math.log(0.2) + 3 * math.log(1 + 1 / 5), abs=1e-5)
    assert at(0.2) < min(at(0.1), at(0.4))


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
    images = torch.from_numpy(small_data.pictures[:8])
    assert torch.equal(whole.guess(images).doubts, resumed.glance.guess(images).doubts)
    assert torch.equal(Glance.load(run / "glance.safetensors").guess(images).joints, whole.guess(images).joints)


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
