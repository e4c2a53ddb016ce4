"""The geometry of maps: places, distances and neighbors by hand, and what follows from them for quality and plots."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from minisom import MiniSom
from torch import Tensor

from agents.mind.familiarity import remembered
from agents.som.grid import TOPOLOGIES, Grid
from agents.som.quality import (
    least_stretched,
    on_fold,
    remembered_neurons,
    topographic_error,
    trustworthiness,
    u_matrix,
)
from agents.som.som import MultiModalSom

topologies = st.sampled_from(TOPOLOGIES)
shapes = st.tuples(st.integers(1, 7), st.integers(1, 7))


def neighbors(grid: Grid, neuron: int, **kind: bool) -> set[int]:
    return set(grid.neighbors(torch.tensor([neuron]), **kind)[0].tolist()) - {neuron}


def every(grid: Grid) -> Tensor:
    return torch.arange(grid.shape[0] * grid.shape[1])


@pytest.mark.parametrize(
    ("topology", "neuron", "expected"),
    [
        # 3x4 neurons:  0 1 2 3 / 4 5 6 7 / 8 9 10 11
        ("plane", 5, {0, 1, 2, 4, 6, 8, 9, 10}),
        ("plane", 0, {1, 4, 5}),
        ("torus", 5, {0, 1, 2, 4, 6, 8, 9, 10}),
        ("torus", 0, {3, 1, 8, 4, 11, 9, 7, 5}),
        # hexagonal: the second row is half a neuron further right
        ("hexagonal", 5, {4, 6, 1, 2, 9, 10}),
        ("hexagonal", 1, {0, 2, 4, 5}),
        ("hexagonal", 4, {5, 0, 1, 8, 9}),
        ("hexagonal", 7, {6, 3, 11}),
        ("hexagonal", 9, {8, 10, 4, 5}),
    ],
)
def test_neighbors_by_hand(topology, neuron, expected):
    assert neighbors(Grid((3, 4), topology), neuron) == expected


def test_direct_neighbors_of_a_square_grid_are_four():
    assert neighbors(Grid((3, 4)), 5, diagonals=False) == {1, 4, 6, 9}
    assert neighbors(Grid((3, 4), "torus"), 0, diagonals=False) == {3, 1, 8, 4}
    assert neighbors(Grid((1, 5), "torus"), 0, diagonals=False) == {1, 4}
    assert neighbors(Grid((2, 2), "torus"), 0, diagonals=False) == {1, 2}


def test_a_neuron_of_a_hexagonal_map_has_six_neighbors_at_distance_one():
    grid = Grid((7, 6), "hexagonal")
    distances = grid.squared_distances(every(grid)[:, None], every(grid))
    for neuron in (8, 13, 14, 20, 27):
        assert neighbors(grid, neuron) == set((distances[neuron] == 1).nonzero().flatten().tolist())
        assert len(neighbors(grid, neuron)) == 6
    assert distances[distances > 0].min() == 1


def test_places_and_distances_by_hand():
    hexagonal = Grid((3, 4), "hexagonal")
    assert hexagonal.places(torch.tensor([1, 5, 9])).tolist() == [
        [0, 1],
        [pytest.approx(math.sqrt(0.75)), 1.5],
        [pytest.approx(math.sqrt(3)), 1],
    ]
    corners = torch.tensor([0]), torch.tensor([7, 8, 11])  # from the first neuron to (1, 3), (2, 0) and (2, 3)
    assert Grid((3, 4)).squared_distances(*corners).tolist() == [1 + 9, 4, 4 + 9]
    assert Grid((3, 4), "torus").squared_distances(*corners).tolist() == [1 + 1, 1, 1 + 1]
    assert hexagonal.squared_distances(*corners).tolist() == [0.75 + 3.5**2, 3, 3 + 9]


@given(shape=shapes, topology=topologies)
def test_distances_are_those_of_the_places(shape, topology):
    grid = Grid(shape, topology)
    places = grid.places(every(grid))
    gaps = (places[:, None] - places).abs()
    if topology == "torus":
        gaps = torch.minimum(gaps, torch.tensor(shape) - gaps)
    found = grid.squared_distances(every(grid)[:, None], every(grid))
    assert torch.allclose(found.float(), gaps.square().sum(2), atol=1e-4)


@given(shape=shapes, topology=topologies)
def test_pairs_are_the_direct_neighbors_each_once(shape, topology):
    grid = Grid(shape, topology)
    numbers = every(grid).view(shape)
    pairs = [
        frozenset(pair)
        for first, second in grid.pairs()
        for pair in zip(numbers[first].flatten().tolist(), numbers[second].flatten().tolist(), strict=True)
    ]
    expected = {frozenset((n, other)) for n in every(grid).tolist() for other in neighbors(grid, n, diagonals=False)}
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected


@given(shape=shapes, topology=topologies, neuron=st.integers(0, 48), reach=st.integers(1, 5))
def test_a_window_holds_all_neurons_within_reach_once(shape, topology, neuron, reach):
    grid = Grid(shape, topology)
    neuron %= shape[0] * shape[1]
    window = grid.window(neuron, reach).tolist()
    near = (grid.squared_distances(torch.tensor(neuron), every(grid)) <= reach**2).nonzero().flatten().tolist()
    assert len(window) == len(set(window))
    assert set(near) <= set(window)


def test_an_unknown_topology_is_refused():
    with pytest.raises(ValueError, match=r"got topology='sphere', expected one of \['plane', 'torus', 'hexagonal'\]"):
        MultiModalSom({"a": torch.zeros(2, 2, 1)}, topology="sphere")


# What follows for the quality of a map


def random_map(shape: tuple[int, int], topology: str, seed: int = 0) -> MultiModalSom:
    generator = torch.Generator().manual_seed(seed)
    return MultiModalSom({"a": torch.rand((*shape, 3), generator=generator)}, distance="l2", topology=topology)


@given(shape=shapes, topology=topologies, seed=st.integers(0, 99))
def test_the_u_matrix_is_the_mean_distance_to_the_direct_neighbors(shape, topology, seed):
    som = random_map(shape, topology, seed)
    weights = som.weights("a")
    for neuron, found in enumerate(u_matrix(som).flatten().tolist()):
        others = sorted(neighbors(som.grid, neuron, diagonals=False))
        gaps = (weights[others] - weights[neuron]).square().mean(1)
        assert found == pytest.approx(float(gaps.mean()) if others else 0.0, abs=1e-6)


@given(shape=shapes, topology=topologies, seed=st.integers(0, 99))
def test_the_least_stretched_neurons_are_below_all_their_neighbors(shape, topology, seed):
    grid = Grid(shape, topology)
    stretch = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    flat, found = stretch.flatten().tolist(), least_stretched(stretch, grid).flatten().tolist()
    for neuron in every(grid).tolist():
        least = min([flat[other] for other in neighbors(grid, neuron)], default=math.inf)
        assert found[neuron] == (flat[neuron] <= min(least, flat[neuron]) * (1 + 1e-4))


def test_what_a_torus_remembers_has_no_edge():
    som = random_map((6, 5), "torus")
    rolled = MultiModalSom({"a": som.weights("a").view(6, 5, 3).roll((2, 3), (0, 1))}, distance="l2", topology="torus")
    at = torch.zeros(30, dtype=torch.bool)
    at[remembered_neurons(som)] = True
    moved = torch.zeros(30, dtype=torch.bool)
    moved[remembered_neurons(rolled)] = True
    assert torch.equal(at.view(6, 5).roll((2, 3), (0, 1)), moved.view(6, 5))
    assert torch.equal(remembered(som, "a").sort(0).values, remembered(rolled, "a").sort(0).values)


def test_the_two_ends_of_a_ring_are_neighbors():
    ends = {"a": torch.tensor([[0.1]])}  # between the first neuron and the last
    ring = torch.tensor([0.0, 1.0, 2.0, 3.0, 1.5, 0.5]).view(1, 6, 1)
    assert topographic_error(MultiModalSom({"a": ring}), ends) == 1
    assert topographic_error(MultiModalSom({"a": ring}, topology="torus"), ends) == 0


def test_neurons_across_a_corner_are_no_neighbors_on_a_hexagonal_map():
    corner = torch.tensor([[1.0, 9.0], [9.0, 0.0]]).view(2, 2, 1)
    samples = {"a": torch.tensor([[0.1]])}
    assert on_fold(MultiModalSom({"a": corner}), samples).tolist() == [False]
    assert on_fold(MultiModalSom({"a": corner}, topology="hexagonal"), samples).tolist() == [True]
    other = corner.flip(1)  # (0, 1) and (1, 0): the second row is shifted right, so these touch
    assert on_fold(MultiModalSom({"a": other}, topology="hexagonal"), samples).tolist() == [False]


def test_trustworthiness_goes_around_a_ring():
    turn = torch.arange(8) * (math.pi / 4)
    ring = torch.stack([turn.cos(), turn.sin()], 1)[None]  # (1, 8, 2)
    samples = {"a": ring[0]}
    assert trustworthiness(MultiModalSom({"a": ring}, distance="l2", topology="torus"), samples, k=2) == 1
    assert trustworthiness(MultiModalSom({"a": ring}, distance="l2"), samples, k=2) < 1


@pytest.fixture(scope="module")
def beehive() -> tuple[MiniSom, MultiModalSom]:
    """A hexagonal map of MiniSom and the same map here: its y are rows here; an odd number of them, so that odd rows shift."""
    oracle = MiniSom(6, 7, 3, topology="hexagonal", random_seed=0)
    weights = torch.tensor(oracle.get_weights(), dtype=torch.float32).transpose(0, 1)
    return oracle, MultiModalSom({"a": weights.contiguous()}, distance="l2", topology="hexagonal")


def test_places_of_a_hexagonal_map_are_those_of_minisom(beehive):
    oracle, som = beehive
    x, y = (torch.tensor(part.T.copy(), dtype=torch.float32) for part in oracle.get_euclidean_coordinates())  # (7, 6)
    assert torch.allclose(som.grid.places(torch.arange(42)).view(7, 6, 2), torch.stack([y, x + 0.5], 2))


def test_folds_of_a_hexagonal_map_are_those_of_minisom(beehive):
    oracle, som = beehive
    samples = torch.rand((200, 3), generator=torch.Generator().manual_seed(1)) - 0.5
    samples = samples / samples.norm(dim=1, keepdim=True)
    assert topographic_error(som, {"a": samples}) == pytest.approx(oracle.topographic_error(samples.numpy()), abs=1e-6)


def test_a_hexagonal_distance_map_is_that_of_minisom(beehive):
    oracle, som = beehive
    weights = som.weights("a")
    euclid = [
        float((weights[sorted(neighbors(som.grid, n))] - weights[n]).norm(dim=1).mean()) for n in range(len(weights))
    ]
    expected = torch.tensor(oracle.distance_map(scaling="mean").T.copy(), dtype=torch.float32)
    assert torch.allclose(torch.tensor(euclid).view(7, 6) / max(euclid), expected, atol=1e-5)


@settings(max_examples=20)
@given(topology=topologies, seed=st.integers(0, 99))
def test_winners_do_not_depend_on_the_topology(topology, seed):
    som = random_map((30, 20), topology, seed)
    query = {"a": torch.rand((50, 3), generator=torch.Generator().manual_seed(seed + 1))}
    assert torch.equal(som.winners(query), som.activity(query).flatten(1).argmax(1))


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_topology_is_saved_and_goes_to_other_devices(topology, tmp_path):
    som = random_map((3, 4), topology)
    som.save(tmp_path / "som.safetensors")
    loaded = MultiModalSom.load(tmp_path / "som.safetensors")
    assert (loaded.topology, loaded.shape) == (topology, (3, 4))
    assert som.to("cpu").topology == topology
    tensors, header = som.as_file()
    del header["topology"]  # as in a file of version 0.1
    assert MultiModalSom.of_file(tensors, header, "cpu").topology == "plane"
