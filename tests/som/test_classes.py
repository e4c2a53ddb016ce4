"""Class maps and clusters of neurons, worked out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from agents.som.classes import class_map, nearest
from agents.som.grid import TOPOLOGIES, Grid
from agents.som.som import MultiModalSom
from agents.som_estimator import neuron_clusters
from agents.som_training import train


def line(values: list[float], **kind: str) -> MultiModalSom:
    return MultiModalSom({"a": torch.tensor(values).view(1, -1, 1)}, **kind)


def test_a_neuron_has_the_most_frequent_label_of_its_samples():
    samples = {"a": torch.tensor([[0.1], [0.2], [0.0], [3.1], [3.9]])}
    found = class_map(line([0.0, 1.0, 2.0, 3.0, 4.0]), samples, ["cat", "dog", "dog", "cat", "bird"])
    assert found.names.tolist() == ["bird", "cat", "dog"]
    assert found.hits.tolist() == [[3, 0, 0, 1, 1]]
    assert [str(found.names[number]) for number in found.classes[0]] == ["dog", "dog", "cat", "cat", "bird"]
    assert found.share[0].tolist() == pytest.approx([2 / 3, 0, 0, 1, 1])
    assert found.predict(torch.tensor([4, 0])).tolist() == ["bird", "dog"]


def test_of_two_labels_that_tie_the_first_in_order_is_taken():
    assert class_map(line([0.0]), {"a": [[0.0], [0.0]]}, [7, 3]).predict(torch.tensor([0])).tolist() == [3]


def test_on_a_ring_the_nearest_samples_may_lie_beyond_the_end():
    samples, labels = {"a": [[0.0], [3.0]]}, ["first", "fourth"]
    kinds = {kind: class_map(line([0.0, 9, 9, 3, 9, 9], topology=kind), samples, labels) for kind in ("plane", "torus")}
    assert kinds["plane"].classes.tolist() == [[0, 0, 1, 1, 1, 1]]
    assert kinds["torus"].classes.tolist() == [[0, 0, 1, 1, 1, 0]]


@given(
    shape=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    topology=st.sampled_from(TOPOLOGIES),
    chosen=st.sets(st.integers(0, 63), min_size=1),
)
def test_the_nearest_chosen_neuron_is_the_first_of_the_nearest(shape, topology, chosen):
    grid, count = Grid(shape, topology), shape[0] * shape[1]
    some = sorted({number % count for number in chosen})
    for neuron, found in enumerate(nearest(grid, torch.tensor(some)).tolist()):
        distances = [float(grid.squared_distances(torch.tensor(neuron), torch.tensor(other))) for other in some]
        assert found == some[distances.index(min(distances))]


def test_nearest_neurons_are_found_in_parts(monkeypatch):
    grid, chosen = Grid((9, 7), "hexagonal"), torch.tensor([3, 40, 50])
    whole = nearest(grid, chosen)
    monkeypatch.setattr("agents.som.classes.PAIRS", 1)
    assert torch.equal(nearest(grid, chosen), whole)


@pytest.mark.parametrize(("samples", "labels"), [([[0.0], [1.0]], [1]), ([[0.0]], [[1]]), (np.zeros((0, 1)), [])])
def test_labels_that_do_not_fit_are_refused(samples, labels):
    with pytest.raises(ValueError, match=f"for {len(samples)} samples, expected one label per sample"):
        class_map(line([0.0, 1.0]), {"a": samples}, labels)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_a_class_map_and_clusters_know_the_kinds_of_iris(topology, distance):
    iris = load_iris()
    samples = {"flower": (iris.data - iris.data.mean(0)) / iris.data.std(0)}
    som = train(samples, (10, 12), topology=topology, distance=distance)
    winners = som.winners(samples)
    assert (class_map(som, samples, iris.target).predict(winners) == iris.target).mean() > 0.95
    clusters = neuron_clusters(som, 2)
    assert clusters.shape == (10, 12)
    agree = (clusters.ravel()[winners] == (iris.target == 0)).mean()  # setosa lies apart from the two others
    assert max(agree, 1 - agree) > 0.95


def test_clusters_join_neighbors_alone():
    ring = [0.0, 5.0, 5.0, 9.0, 0.1]
    assert len(set(neuron_clusters(line(ring, topology="torus"), 3)[0, [0, 4]].tolist())) == 1
    assert len(set(neuron_clusters(line(ring), 3)[0, [0, 4]].tolist())) == 2


def test_clusters_weigh_modalities_as_the_distance_does():
    weights = {
        "a": torch.tensor([0.0, 0.0, 1.0, 1.0]).view(1, 4, 1),
        "b": torch.tensor([0.0, 3.0, 3.0, 3.0]).view(1, 4, 1),
    }
    for distance in ("l1", "l2"):
        strong = MultiModalSom(weights, c={"a": 100.0}, distance=distance)
        assert np.diff(neuron_clusters(strong, 2)[0]).tolist().count(0) == 2
        assert neuron_clusters(strong, 2)[0, 0] == neuron_clusters(strong, 2)[0, 1]
        weak = MultiModalSom(weights, c={"a": 0.01}, distance=distance)
        assert neuron_clusters(weak, 2)[0, 1] == neuron_clusters(weak, 2)[0, 2]
