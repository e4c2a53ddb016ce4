import pytest
import torch

from agents.baselines.constant import Constant
from agents.baselines.nearest_neighbor import NearestNeighbors

IMAGES = torch.stack([torch.full((64, 64), value) for value in (0.1, 0.2, 0.9)])
JOINTS = torch.tensor([[0.0, 0.0], [0.5, 0.1], [1.0, 0.9]])
SAMPLES = {"vision": IMAGES, "proprioception": JOINTS}


def test_the_constant_answers_the_medians():
    told = Constant(SAMPLES).predict("vision", torch.zeros(4, 64, 64))
    assert told["vision"].shape == (4, 64, 64)
    assert told["vision"][3, 5, 5] == pytest.approx(0.2)
    assert told["proprioception"].tolist() == [[0.5, pytest.approx(0.1)]] * 4


def test_the_nearest_neighbor_answers_what_it_remembers():
    nearest = NearestNeighbors(SAMPLES, k=1)
    told = nearest.predict("vision", torch.full((1, 64, 64), 0.75))
    assert told["proprioception"].tolist() == [JOINTS[2].tolist()]
    told = nearest.predict("proprioception", torch.tensor([[0.4, 0.2]]))
    assert torch.equal(told["vision"][0], IMAGES[1])


def test_several_neighbors_are_averaged():
    told = NearestNeighbors(SAMPLES, k=2).predict("proprioception", torch.tensor([[0.2, 0.0]]), chunk=1)
    assert told["proprioception"][0].tolist() == pytest.approx([0.25, 0.05])
    assert told["vision"][0, 0, 0] == pytest.approx(0.15)


@pytest.mark.parametrize("k", [0, 4])
def test_as_many_neighbors_as_there_are_samples(k: int):
    with pytest.raises(ValueError, match=f"k={k}, expected 1 to the number of training samples, 3"):
        NearestNeighbors(SAMPLES, k)
