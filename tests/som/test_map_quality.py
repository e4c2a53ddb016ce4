"""Measures of a map, worked out by hand on small ones and compared with a full search on large ones."""

import pytest
import torch
from sklearn.manifold import trustworthiness as oracle

from agents.som import quality as map_quality
from agents.som.quality import (
    component_planes,
    hit_histogram,
    on_fold,
    quantization_error,
    topographic_error,
    trustworthiness,
    u_matrix,
)
from agents.som.som import MultiModalSom


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


def test_of_several_second_best_neurons_one_beside_the_winner_is_enough():
    assert topographic_error(line([2.0, 2.0, 2.0, 2.0, 0.0]), {"a": torch.zeros(1, 1)}) == 0.0
    assert topographic_error(line([2.0, 2.0, 2.5, 0.0, 2.5]), {"a": torch.zeros(1, 1)}) == 1.0


def test_a_corner_has_three_neurons_around_it():
    corner = torch.tensor([[9.0, 9.0, 1.0], [9.0, 9.0, 2.0], [9.0, 9.0, 0.0]])
    fold = on_fold(MultiModalSom({"a": corner[..., None]}), {"a": torch.tensor([[0.0], [1.9]])})
    assert fold.tolist() == [True, False]  # 0 is at the lower corner and 1 two rows above; 2 and 1 are neighbors


def test_folds_are_those_of_a_full_search(noise):
    samples = {"a": torch.rand((40, 3)), "b": torch.rand((40, 2))}
    samples["b"][:20] = torch.nan
    best, second = noise.activity(samples).flatten(1).topk(2).indices.unbind(1)
    steps = torch.stack([best // 50 - second // 50, best % 50 - second % 50])
    assert torch.equal(on_fold(noise, samples), steps.abs().amax(0) > 1)


def test_trustworthiness_by_hand():
    samples = {"a": torch.tensor([[0.0], [1.0], [3.0], [7.0]])}
    # on the map 0 1 3 7: beside 0 is 1, its first; beside 1 are 0 and 3, its first and second; beside 3 are 1 and 7, its
    # first and third; beside 7 is 3, its first. Of two on the map that tie, each counts half.
    assert trustworthiness(line([0.0, 1.0, 3.0, 7.0]), samples, k=1) == pytest.approx(1 - (0 + 0.5 + 1 + 0) / 8)
    # on the map 0 3 1 7: beside 0 is 3, its second; beside 3 are 0 and 1, its second and first; beside 1 are 3 and 7, its
    # second and third; beside 7 is 1, its second.
    assert trustworthiness(line([0.0, 3.0, 1.0, 7.0]), samples, k=1) == pytest.approx(1 - (1 + 1.5 + 0.5 + 1) / 8)


@pytest.fixture(scope="module")
def noise() -> MultiModalSom:
    """A map without order: the winners lie anywhere."""
    generator = torch.Generator().manual_seed(0)
    weights = {name: torch.rand((400, 50, width), generator=generator) for name, width in {"a": 3, "b": 2}.items()}
    return MultiModalSom(weights, c={"a": 1.0, "b": 3.0})


@pytest.fixture(scope="module")
def scattered(noise) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Samples whose winners' places, (N, 2), are at distances that differ, seen from each of them."""
    generator = torch.Generator().manual_seed(1)
    samples = {name: torch.rand((300, width), generator=generator) for name, width in noise.modalities.items()}
    winners = noise.winners(samples)
    kept = list(range(2))
    for row in range(2, 300):
        tried = winners[[*kept, row]]
        gaps = [(tried // 50)[:, None] - tried // 50, (tried % 50)[:, None] - tried % 50]
        if all(len(set(line)) == len(tried) for line in (gaps[0] ** 2 + gaps[1] ** 2).tolist()):
            kept.append(row)
    winners = winners[kept]
    return {name: rows[kept] for name, rows in samples.items()}, torch.stack([winners // 50, winners % 50], 1)


@pytest.mark.parametrize("k", [1, 5, 11])
@pytest.mark.parametrize("pairs", [1, 200, 2**18])
def test_trustworthiness_equals_scikit_learn_where_nothing_ties(noise, scattered, k, pairs, monkeypatch):
    samples, places = scattered
    assert len(places) > 30
    monkeypatch.setattr(map_quality, "PAIRS", pairs)
    scaled = torch.cat([samples["a"] / 3, samples["b"] * 3 / 2], 1)  # c / width
    expected = oracle(scaled.numpy(), places.numpy(), n_neighbors=k, metric="cityblock")
    assert trustworthiness(noise, samples, k) == pytest.approx(expected, abs=1e-6)


def test_trustworthiness_does_not_depend_on_the_order_of_the_samples():
    samples = torch.rand((200, 1), generator=torch.Generator().manual_seed(0))
    som = line(torch.linspace(0, 1, 20).tolist())  # ten samples per neuron: nearly all tie
    values = [trustworthiness(som, {"a": rows}, k=7) for rows in (samples, samples.flip(0), samples.sort(0).values)]
    assert values == pytest.approx([values[0]] * 3)
    assert 0.9 < values[0] < 1


def test_trustworthiness_needs_samples_that_can_be_compared(noise):
    samples = {"a": torch.rand((9, 3)), "b": torch.rand((9, 2))}
    with pytest.raises(ValueError, match="k=5 neighbors among 9 samples"):
        trustworthiness(noise, samples, k=5)
    samples["b"][4] = torch.nan
    with pytest.raises(ValueError, match="sample 4 has other modalities than sample 0"):
        trustworthiness(noise, samples, k=2)
    samples["b"][:] = torch.nan
    assert trustworthiness(noise, samples, k=2) == trustworthiness(noise, {"a": samples["a"]}, k=2)


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
    assert u_matrix(MultiModalSom(weights, c={"a": 3.0})).tolist() == [[1.125, 1.5], [1.5, 1.875]]


def test_component_planes_are_the_weights_as_pictures():
    weights = torch.rand((2, 3, 4))
    planes = component_planes(MultiModalSom({"a": weights}), "a")
    assert torch.equal(planes[3], weights[..., 3])
