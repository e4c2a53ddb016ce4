import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.mind.som_autoencoder import SomAutoencoder
from training.data.dataset import Dataset


@pytest.fixture(scope="module")
def mind(tiny_run: Path) -> SomAutoencoder:
    return SomAutoencoder.load(tiny_run)


@pytest.fixture(scope="module")
def data(tiny_run: Path) -> Dataset:
    return Dataset.open(tiny_run / "dataset")


def test_pictures_become_poses_and_poses_pictures(mind: SomAutoencoder, data: Dataset):
    joints = mind.recall(data.pictures[:5])
    assert joints.shape == (5, 5)
    low, high = data.joint_ranges.T
    assert ((joints.numpy() >= low - 1e-5) & (joints.numpy() <= high + 1e-5)).all()
    images = mind.imagine(joints)
    assert images.shape == (5, 64, 64)
    assert images.min() >= 0
    assert images.max() <= 1


def test_the_winner_s_weights_are_what_is_recalled(mind: SomAutoencoder, data: Dataset):
    query = {"proprioception": torch.from_numpy(data.normalized_joints[:4])}
    winners = mind.som.winners(query)
    told = mind.predict("proprioception", data.normalized_joints[:4])
    assert torch.equal(told["proprioception"], mind.som.weights("proprioception")[winners])
    decoded = mind.autoencoder.decode(mind.som.weights("vision")[winners])
    assert told["vision"] == pytest.approx(decoded.detach(), abs=1e-6)


def test_activity_peaks_at_the_winner(mind: SomAutoencoder, data: Dataset):
    activity = mind.activity("vision", data.pictures[:3])
    assert activity.shape == (3, *mind.som.shape)
    assert activity.max() <= 0
    winners = mind.som.winners({"vision": mind.autoencoder.encode(torch.from_numpy(data.pictures[:3]))})
    assert activity.flatten(1).argmax(dim=1).tolist() == winners.tolist()


@pytest.mark.parametrize("readout", ["winner", "tiles", "local_linear"])
def test_one_by_one_is_as_in_a_batch(mind: SomAutoencoder, data: Dataset, readout: str):
    joints = data.joints[:6]
    together = mind.imagine(joints, readout)
    singly = torch.cat([mind.imagine(joints[i : i + 1], readout) for i in range(6)])
    assert together.numpy() == pytest.approx(singly.numpy(), abs=1e-4)


def test_saved_and_loaded_it_answers_the_same(mind: SomAutoencoder, data: Dataset, tmp_path: Path):
    mind.save(tmp_path / "new" / "folder")
    again = SomAutoencoder.load(tmp_path / "new" / "folder")
    assert torch.equal(mind.recall(data.pictures[:5], "local_linear"), again.recall(data.pictures[:5], "local_linear"))


def test_a_map_of_another_autoencoder_is_refused(mind: SomAutoencoder, tmp_path: Path):
    mind.save(tmp_path)
    torch.manual_seed(0)
    with torch.no_grad():
        next(mind.autoencoder.parameters()).mul_(1.01)
    mind.autoencoder.save(tmp_path / "autoencoder.safetensors")
    with pytest.raises(ValueError, match=r"trained on another autoencoder.*train it again"):
        SomAutoencoder.load(tmp_path)


def test_nothing_there_is_said(tmp_path: Path, tiny_run: Path):
    with pytest.raises(ValueError, match=r"no .*autoencoder\.safetensors"):
        SomAutoencoder.load(tmp_path)
    shutil.copy(tiny_run / "autoencoder.safetensors", tmp_path)
    with pytest.raises(ValueError, match=r"no .*som\.safetensors"):
        SomAutoencoder.load(tmp_path)


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        (np.zeros((300, 500, 3), np.uint8), r"expected \(B, 64, 64\)"),
        (np.zeros((64, 64), np.float32), r"expected \(B, 64, 64\)"),
        (np.full((1, 64, 64), np.nan, np.float32), "NaN"),
    ],
)
def test_broken_pictures_are_refused(mind: SomAutoencoder, images: np.ndarray, wanted: str):
    with pytest.raises(ValueError, match=wanted):
        mind.recall(images)


@pytest.mark.parametrize("joints", [np.zeros((2, 3)), np.full((1, 5), np.nan)])
def test_broken_joints_are_refused(mind: SomAutoencoder, joints: np.ndarray):
    with pytest.raises(ValueError, match=r"proprioception|joints"):
        mind.imagine(joints)


def test_an_unknown_readout_is_refused(mind: SomAutoencoder, data: Dataset):
    with pytest.raises(ValueError, match="'best'.*winner"):
        mind.recall(data.pictures[:1], "best")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_it_answers_the_same_on_cuda(tiny_run: Path, mind: SomAutoencoder, data: Dataset):
    there = SomAutoencoder.load(tiny_run, "cuda")
    assert there.recall(data.pictures[:5]).cpu().numpy() == pytest.approx(
        mind.recall(data.pictures[:5]).numpy(), abs=1e-3
    )
