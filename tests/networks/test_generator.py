from pathlib import Path

import pytest
import torch

from agents.networks.generator import PictureGenerator
from training.data.dataset import Dataset
from training.runs.distributed import Place
from training.train import generator as train_generator


def config(data: Dataset, run: Path, epochs: int = 2) -> train_generator.Config:
    return train_generator.Config(run, data=data.path, epochs=epochs, batch_size=8, width=4, points=3, device="cpu")


def test_poses_become_pictures_and_keep_their_gradient():
    generator = PictureGenerator(torch.full((64, 64), 0.5), width=4, points=3)
    joints = torch.rand(2, 5, requires_grad=True)
    generator(joints).square().sum().backward()
    assert joints.grad.abs().min() > 0
    pictures = generator.draw(joints)
    assert pictures.shape == (2, 64, 64)
    assert 0 <= pictures.min() <= pictures.max() <= 1


def test_it_survives_the_disk(tmp_path: Path):
    generator = PictureGenerator(torch.rand(64, 64), joint_count=2, width=4, points=3)
    generator.save(tmp_path / "generator.safetensors")
    joints = torch.rand(3, 2)
    assert torch.equal(PictureGenerator.load(tmp_path / "generator.safetensors").draw(joints), generator.draw(joints))
    with pytest.raises(ValueError, match="expected 1 or more each"):
        PictureGenerator(torch.rand(64, 64), points=0)


def test_the_layer_of_an_arm_depends_on_that_arm_alone_and_the_nearer_one_hides_the_other(tmp_path: Path):
    background = torch.rand(3, 64, 64)
    generator = PictureGenerator(background, joint_count=4, width=4, points=3, arms=2)
    generator.save(tmp_path / "generator.safetensors")
    joints = torch.rand(2, 4)
    assert torch.equal(PictureGenerator.load(tmp_path / "generator.safetensors").draw(joints), generator.draw(joints))
    layers = torch.zeros(2, 2, 4, 64, 64)
    layers[:, 0, :3], layers[:, 1, :3] = 0.2, -0.1
    layers[:, 0, 3], layers[:, 1, 3] = 100.0, 50.0  # the first arm is nearer
    layers[:, :, 3, 32:] = -100.0  # no arm below
    generator._painted = lambda inputs: layers.flatten(0, 1)  # type: ignore[method-assign]
    expected = background.clone()
    expected[:, :32] += 0.2
    assert torch.allclose(generator(joints)[0], expected)
    with pytest.raises(ValueError, match="joint_count=5 for 2 arms, expected as many joints for each"):
        PictureGenerator(background, joint_count=5, arms=2)


def test_equal_seeds_give_equal_bytes_also_when_stopped_between(small_data: Dataset, tmp_path: Path, one_thread: None):
    whole = train_generator.run(config(small_data, tmp_path / "a"))
    halfway = train_generator.Training(config(small_data, tmp_path / "b"), small_data, Place(torch.device("cpu")))
    identity = {"some": "training"}
    path = tmp_path / "halfway.safetensors"
    stop = RuntimeError("killed")

    def killed() -> None:
        if halfway.curve:
            raise stop
        train_generator.Training.epoch(halfway)

    halfway.epoch = killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="killed"):
        halfway.fit(path, identity)
    resumed = train_generator.Training(config(small_data, tmp_path / "b"), small_data, Place(torch.device("cpu")))
    resumed.fit(path, identity)
    assert [entry["epoch"] for entry in resumed.curve] == [1, 2]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.generator.state_dict()[name]), name


def test_it_learns_and_is_not_trained_twice(small_data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train_generator.run(config(small_data, tmp_path, epochs=8))
    assert "is there already" not in capsys.readouterr().out
    train_generator.run(config(small_data, tmp_path, epochs=8))
    assert "is there already" in capsys.readouterr().out
    with pytest.raises(ValueError, match="got --epochs 0"):
        config(small_data, tmp_path, epochs=0)


def test_a_picture_that_shows_half_as_much_counts_nearly_twice():
    images = torch.zeros(4, 64, 64)
    images[1], images[2], images[3] = 0.1, 0.1 * 2**0.5, 0.2  # shown: 0, .01, .02, .04; mean .0175
    generator = PictureGenerator(torch.zeros(64, 64))
    counts = train_generator.importance(images, generator, torch.zeros(4, 5))
    assert counts.mean() == pytest.approx(1)
    assert (counts[2] / counts[1]).item() == pytest.approx((0.01 + 0.05 * 0.0175) / (0.02 + 0.05 * 0.0175), rel=1e-4)
    assert counts[0] == counts.max()
    assert torch.isfinite(train_generator.importance(torch.zeros(2, 64, 64), generator, torch.zeros(2, 5))).all()
