"""The numbers behind the map's pictures, worked out by hand; that they are drawn is `test_reproduce`'s."""

from pathlib import Path

import numpy as np
import torch

from agents.mind.som_autoencoder import SomAutoencoder
from training.show.map_figures import block_means, block_sums, joint_angles, tile_pictures


def test_blocks_cover_a_map_that_they_do_not_divide():
    plane = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert block_sums(plane, 3).tolist() == [[0 + 1 + 5 + 6, 2 + 3 + 7 + 8, 4 + 9], [10 + 11, 12 + 13, 14]]
    assert np.array_equal(block_sums(plane, 5), plane)


def test_block_means_are_over_samples_and_nan_where_none_won():
    winners = torch.tensor([0, 5, 5, 3])  # of 2x4 neurons: 0 and 5 lie in the left block, 3 in the right one
    means = block_means(torch.tensor([1.0, 2.0, 6.0, 7.0]), winners, shape=(2, 4), blocks=2)
    assert means.tolist() == [[3.0, 7.0]]
    means = block_means(torch.tensor([5.0]), winners[:1], shape=(2, 4), blocks=2)
    assert means[0, 0] == 5.0
    assert np.isnan(means[0, 1])


def test_a_tile_shows_its_middle_neuron(tiny_run: Path):
    mind = SomAutoencoder.load(tiny_run)
    rows, columns = mind.som.shape
    shown = tile_pictures(mind, 2, 1)[1, 0]
    middle = torch.tensor([int(0.75 * rows) * columns + columns // 2])
    with torch.inference_mode():
        held = mind.autoencoder.decode(mind.som.weights_at("vision", middle))[0].numpy()
    assert np.allclose(shown, held, atol=1e-5)


def test_neurons_hold_angles_in_degrees(tiny_run: Path):
    mind = SomAutoencoder.load(tiny_run)
    held = mind.denormalize(mind.som.weights("proprioception"))[7].rad2deg().numpy()
    assert np.allclose(joint_angles(mind).reshape(len(held), -1)[:, 7], held, atol=1e-3)
