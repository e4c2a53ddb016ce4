import torch

from agents.mind.familiarity import Familiarity, remembered
from agents.som.som import MultiModalSom


def test_a_map_remembers_its_samples_where_it_is_stretched_least():
    steps = torch.tensor([0.0, 0.4, 0.5, 0.6, 1.0])  # neurons crowd around a sample at .5
    joints = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), 2)
    assert remembered(MultiModalSom({"proprioception": joints})).tolist() == [[0.5, 0.5]]


def test_a_map_of_one_neuron_remembers_it():
    assert remembered(MultiModalSom({"proprioception": torch.full((1, 1, 2), 0.3)})).shape == (1, 2)


def test_poses_are_strange_where_none_is_remembered():
    poses = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0))
    familiar = Familiarity(poses[(poses - 0.5).norm(dim=1) > 0.25])
    assert familiar(torch.tensor([0.5, 0.5])) < -1
    assert familiar(torch.tensor([[0.1, 0.1], [0.9, 0.5], [0.02, 0.98]])).abs().max() < 0.5


def test_learning_what_is_familiar_leaves_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    Familiarity(torch.full((4, 2), 0.5), steps=2)
    assert torch.equal(torch.rand(3), expected)


def test_learning_tells_how_far_it_has_come():
    told: list[float] = []
    Familiarity(torch.full((4, 2), 0.5), steps=100, progress=told.append)
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] >= 96
