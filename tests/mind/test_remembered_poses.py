import numpy as np
import pytest
import torch

from agents.mind import remembered_poses
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.autoencoder import ConvAutoencoder
from agents.som.som import MultiModalSom

LOW, HIGH = np.array([-1.0, 0.0]), np.array([1.0, 2.0])


@pytest.fixture(scope="module")
def mind() -> SomAutoencoder:
    """A 2x3 map of two joints: normalized, row by row, (0, 0) (0, .5) (0, 1) and (1, 0) (1, .5) (1, 1)."""
    joints = torch.tensor([[[i, j / 2] for j in range(3)] for i in range(2)], dtype=torch.float32)
    torch.manual_seed(0)
    autoencoder = ConvAutoencoder(torch.zeros(64, 64), latent_size=4, width=2)
    som = MultiModalSom({"vision": torch.zeros(2, 3, 4), "proprioception": joints}, {"vision": 1, "proprioception": 1})
    return SomAutoencoder(autoencoder, som, np.stack([LOW, HIGH], 1))


def test_a_neuron_s_pose_is_its_weights_in_radians(mind: SomAutoencoder):
    assert remembered_poses.of_neurons(mind, np.array([[1, 2], [0, 1]])).tolist() == [[1.0, 2.0], [-1.0, 1.0]]


@pytest.mark.parametrize("neurons", [[[2, 0]], [[0, -1]], [0, 1]])
def test_a_neuron_outside_of_the_map_is_refused(mind: SomAutoencoder, neurons: list):
    with pytest.raises(ValueError, match=r"expected \(row, column\) pairs on a 2x3 map"):
        remembered_poses.of_neurons(mind, np.array(neurons))


def test_random_poses_are_remembered_ones_and_equal_for_equal_seeds(mind: SomAutoencoder):
    held = {
        tuple(pose)
        for pose in remembered_poses.of_neurons(mind, torch.cartesian_prod(*map(torch.arange, (2, 3)))).tolist()
    }
    first, again, other = (remembered_poses.at_random(mind, 20, seed) for seed in (0, 0, 1))
    assert {tuple(pose) for pose in first.tolist()} <= held
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_blend_without_share_is_the_picture_s_own_recall(mind: SomAutoencoder):
    pictures = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)
    for share in (0.0, 1.0):
        blended = remembered_poses.between(mind, *pictures, share)
        assert torch.allclose(blended, mind.recall(pictures[int(share)], "local_linear"), atol=1e-5)
    with pytest.raises(ValueError, match="expected a number from 0"):
        remembered_poses.between(mind, *pictures, share=1.5)
