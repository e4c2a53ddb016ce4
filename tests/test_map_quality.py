"""Measures of a map, worked out by hand on small ones and compared with a full search on large ones."""

import pytest
import torch

from agents.map_quality import component_planes, hit_histogram, quantization_error, topographic_error, u_matrix
from agents.som import MultiModalSom


def line(values: list[float]) -> MultiModalSom:
    return MultiModalSom({"a": torch.tensor(values).view(1, -1, 1)})


def test_hit_histogram_counts_every_sample_once():
    histogram = hit_histogram(torch.tensor([0, 3, 3, 5]), shape=(2, 3))
    assert histogram.tolist() == [[1, 0, 0], [2, 0, 1]]


def test_winner_of_another_map_is_refused():
    with pytest.raises(ValueError, match="2x3 map"):
        hit_histogram(torch.tensor([6]), shape=(2, 3))


def test_quantization_error_is_the_mean_distance_to_the_winner():
    assert quantization_error(line([0.0, 4.0]), {"a": torch.tensor([[1.0], [4.5]])}) == 0.75


def test_a_fold_is_a_topographic_error():
    ordered, folded = line([0.0, 1.0, 2.0, 3.0]), line([0.0, 2.0, 3.0, 1.0])
    samples = {"a": torch.tensor([[0.1], [2.9]])}
    assert topographic_error(ordered, samples) == 0.0
    assert topographic_error(folded, samples) == 0.5  # 0.1 lies between neurons 0 and 3


def test_two_nearest_neurons_equal_a_full_search():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.linspace(0, 3, 90)[:, None, None], torch.linspace(0, 2, 75)[None, :, None]
    weights = torch.sin(x * torch.tensor([1.0, 2.0, 3.0]) + y * torch.tensor([3.0, -1.0, 0.5]))
    for som in (MultiModalSom({"a": weights}), MultiModalSom({"a": torch.rand((90, 75, 3), generator=generator)})):
        query = {"a": torch.rand((50, 3), generator=generator)}
        expected = som.activity(query).flatten(1).topk(2, 1).indices
        assert torch.equal(som.two_nearest(query), expected)


def test_a_map_of_one_neuron_has_no_second():
    with pytest.raises(ValueError, match="single neuron"):
        topographic_error(line([0.0]), {"a": torch.zeros(1, 1)})


def test_u_matrix_is_the_mean_distance_to_direct_neighbors():
    assert u_matrix(line([0.0, 1.0, 4.0])).tolist() == [[1.0, 2.0, 3.0]]
    weights = {"a": torch.tensor([[[0.0], [1.0]], [[2.0], [4.0]]]), "b": torch.zeros(2, 2, 3)}
    assert u_matrix(MultiModalSom(weights)).tolist() == [[0.75, 1.0], [1.0, 1.25]]


def test_component_planes_are_the_weights_as_pictures():
    weights = torch.rand((2, 3, 4))
    planes = component_planes(MultiModalSom({"a": weights}), "a")
    assert torch.equal(planes[3], weights[..., 3])
