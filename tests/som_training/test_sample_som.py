"""The map that keeps its samples instead of weights: equal to the stored map, exact winners, and clear errors."""

import pytest
import torch
from torch import Tensor

from agents.som_training.sample_som import SampleSom
from agents.som_training.sample_training import train_sample_som

PICTURES = {"vision": (16, 24)}


def views(count: int, seed: int) -> dict[str, Tensor]:
    """Pictures (16 x 24) of a soft blob at a place that two "joints" tell."""
    joints = torch.rand((count, 2), generator=torch.Generator().manual_seed(seed))
    rows, columns = torch.linspace(0, 1, 16)[:, None], torch.linspace(0, 1, 24)[None]
    gaps = (rows - joints[:, :1, None]) ** 2 + (columns - joints[:, 1:, None]) ** 2  # (N, 16, 24)
    return {"vision": torch.exp(-gaps / 0.02).flatten(1), "proprioception": joints}


@pytest.fixture(scope="module")
def trained() -> SampleSom:
    return train_sample_som(views(600, seed=0), PICTURES, shape=(90, 75))


def test_weights_are_means_of_the_samples_around_their_winners():
    samples = {"vision": torch.rand(2, 64), "proprioception": torch.tensor([[0.0], [1.0]])}
    som = SampleSom(samples, torch.tensor([[0, 0], [0, 3]]), 1.0, (1, 4), {"vision": (8, 8)})
    # distances on the map: 0 1 2 3 from the first winner, 3 2 1 0 from the second
    near, far = 1 / (1 + 2.718281828**-4.5), 1 / (1 + 2.718281828**-1.5)
    expected = torch.tensor([1 - near, 1 - far, far, near])
    assert torch.allclose(som.weights("proprioception").flatten(), expected, atol=1e-6)
    pixels = som.weights("vision")
    assert torch.allclose(pixels[1], far * samples["vision"][0] + (1 - far) * samples["vision"][1], atol=1e-6)


def test_neurons_far_from_every_winner_repeat_the_nearest_sample():
    samples = {"vision": torch.rand(2, 64), "proprioception": torch.tensor([[0.0], [1.0]])}
    som = SampleSom(samples, torch.tensor([[0, 0], [0, 99]]), 0.5, (1, 100), {"vision": (8, 8)})
    assert torch.allclose(som.weights("vision")[40], samples["vision"][0])
    assert som.weights("proprioception")[[40, 60]].flatten().tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("asked", [("vision",), ("proprioception",), ("vision", "proprioception")])
@pytest.mark.parametrize("c", [None, {"vision": 20.0}])
def test_winners_equal_those_of_all_pixels(trained, asked, c):
    query = {name: rows for name, rows in views(40, seed=1).items() if name in asked}
    distances, winners = trained.nearest(query, c)
    activity = trained.activity(query, c).flatten(1)
    assert torch.allclose(activity.amax(1), -distances, atol=1e-6)
    assert torch.allclose(activity.gather(1, winners[:, None]).squeeze(1), -distances, atol=1e-6)


def test_rows_may_know_different_modalities(trained):
    query = views(6, seed=1)
    mixed = {name: rows.clone() for name, rows in query.items()}
    mixed["vision"][:3] = torch.nan
    assert torch.equal(trained.winners(mixed)[:3], trained.winners({"proprioception": query["proprioception"][:3]}))
    assert torch.equal(trained.winners(mixed)[3:], trained.winners({name: rows[3:] for name, rows in query.items()}))
    assert torch.isfinite(trained.recall(mixed, "vision", "local_linear")).all()


@pytest.mark.parametrize("readout", ["winner", "tiles", "local_linear"])
def test_every_modality_recalls_every_other(trained, readout):
    truth = views(60, seed=1)
    for known in truth:
        for wanted in truth:
            error = (trained.recall({known: truth[known]}, wanted, readout, k=8) - truth[wanted]).abs().mean()
            assert error < 0.3 * (truth[wanted] - truth[wanted].mean(0)).abs().mean()


def test_equal_seeds_give_the_same_map(trained):
    again = train_sample_som(views(600, seed=0), PICTURES, shape=(90, 75))
    assert torch.equal(again.sample_winners, trained.sample_winners)


def test_samples_that_do_not_fit_are_refused():
    samples = views(5, seed=0)
    with pytest.raises(ValueError, match=r"384 dimensions as pictures of 8x8 pixels, expected 64 dimensions"):
        train_sample_som(samples, {"vision": (8, 8)}, shape=(4, 4))
    samples["proprioception"][1] = torch.nan
    with pytest.raises(ValueError, match="expected all modalities of each"):
        train_sample_som(samples, PICTURES, shape=(4, 4))
    with pytest.raises(ValueError, match="4x4 map"):
        SampleSom(views(5, seed=0), torch.full((5, 2), 4), 1.0, (4, 4), PICTURES)
