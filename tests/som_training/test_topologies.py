"""Training on a plane, a torus and a hexagonal map: the rules by hand, against plain sums, and what a torus is good for."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from minisom import MiniSom
from torch import Tensor

from agents.som.grid import ROW, TOPOLOGIES, Grid, Topology
from agents.som.quality import quantization_error, topographic_error
from agents.som.som import MultiModalSom
from agents.som_training import LiteralProgress, OnlineSom, TrainingProgress, train, train_literal
from agents.som_training.neighborhoods import Neighborhood, bubble, exponential, gaussian
from agents.som_training.schedule import enlarged, enlarged_places, smooth
from agents.som_training.tiled_map import TiledMap
from agents.som_training.window import winners_around

CLOSED: tuple[Topology, ...] = ("torus", "hexagonal")
topologies = st.sampled_from(TOPOLOGIES)
shapes = st.tuples(st.integers(1, 25), st.integers(1, 25))


def two_angles(count: int, seed: int = 0, second: float = 1.0) -> dict[str, Tensor]:
    """Samples of a torus: two angles, each as cosine and sine; the second circle is so large."""
    turn = 2 * math.pi * torch.rand((count, 2), generator=torch.Generator().manual_seed(seed))
    both = torch.stack([turn.cos(), turn.sin()], 2) * torch.tensor([1.0, second])[:, None]
    return {"a": both.flatten(1)}


def squared_distances(shape: tuple[int, int], topology: Topology) -> Tensor:
    grid = Grid(shape, topology)
    every = torch.arange(shape[0] * shape[1])
    return grid.squared_distances(every[:, None], every).float()


@pytest.mark.parametrize(
    ("topology", "squared"),
    [
        # 3x4 neurons, the winner is the first; squared distances by hand
        ("plane", [[0, 1, 4, 9], [1, 2, 5, 10], [4, 5, 8, 13]]),
        ("torus", [[0, 1, 4, 1], [1, 2, 5, 2], [1, 2, 5, 2]]),
        ("hexagonal", [[0, 1, 4, 9], [1, 3, 7, 13], [3, 4, 7, 12]]),
    ],
)
def test_a_literal_step_by_hand(topology, squared):
    start = torch.ones(3, 4, 1)
    start[0, 0] = 0.0
    settings = {"epochs": 1, "batch_size": 1, "learning_rate": 0.5, "sigma": 1.0, "initial": {"a": start}}
    som = train_literal({"a": torch.tensor([[-1.0]])}, (3, 4), topology=topology, **settings)
    mu = torch.exp(-torch.tensor(squared) / 2.0).flatten()
    expected = start.flatten() + 0.5 * mu * (-1 - start.flatten())
    assert torch.allclose(som.weights("a").flatten(), expected)
    assert som.topology == topology


def test_minisom_takes_the_same_steps_on_a_hexagonal_map():
    data = torch.rand((60, 3), generator=torch.Generator().manual_seed(0))
    hexagonal = {"topology": "hexagonal", "decay_function": "asymptotic_decay", "random_seed": 0}
    oracle = MiniSom(6, 7, 3, sigma=2.0, learning_rate=0.4, **hexagonal)  # its y are rows here
    start = torch.tensor(oracle.get_weights().copy(), dtype=torch.float32).transpose(0, 1)
    oracle.train(data.double().numpy(), 60, random_order=False)
    som = train_literal(
        {"a": data},
        (7, 6),
        epochs=1,
        batch_size=1,
        learning_rate=lambda done: 0.4 / (1 + 2 * done),
        sigma=lambda done: 2.0 / (1 + 2 * done),
        shuffle=False,
        initial={"a": start},
        distance="l2",
        topology="hexagonal",
    )
    expected = torch.tensor(oracle.get_weights(), dtype=torch.float32).transpose(0, 1).reshape(42, 3)
    assert torch.allclose(som.weights("a"), expected, atol=1e-4)


@settings(max_examples=60)
@given(
    shape=shapes,
    topology=topologies,
    seed=st.integers(0, 99),
    sigma=st.floats(0.3, 8),
    kind=st.sampled_from([gaussian, exponential, bubble]),
)
def test_a_step_in_tiles_is_eq_4(shape, topology, seed, sigma, kind: Neighborhood):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand((shape[0] * shape[1], 3), generator=generator)
    samples = torch.rand((4, 3), generator=generator)
    tiled = TiledMap(weights, shape, [slice(0, 3)], topology=topology)
    winners, _ = tiled.winners(samples, torch.full((4, 3), 1 / 3))
    tiled.step(winners, samples, torch.ones(4, 1), 0.5, kind, sigma)
    mu = kind(squared_distances(shape, topology)[winners], sigma)[..., None]  # (4, X*Y, 1)
    expected = weights - 0.5 / 4 * (mu * (weights - samples[:, None])).sum(0)
    assert torch.allclose(tiled.flat(), expected, atol=1e-5)


@settings(max_examples=100)
@given(
    shape=shapes,
    topology=topologies,
    sigma=st.floats(0.3, 9),
    reach=st.sampled_from([2.0, 4.5]),
    block=st.sampled_from([3, 8, 32]),
)
def test_smoothing_is_the_plain_sum_over_all_neurons(shape, topology, sigma, reach, block):
    planes = torch.rand((2, *shape), generator=torch.Generator().manual_seed(0))
    grid, every = Grid(shape, topology), torch.arange(shape[0] * shape[1])
    down, across = grid.steps(*grid.split(every[:, None]), *grid.split(every))
    down = down * ROW if topology == "hexagonal" else down
    radius = max(1, math.ceil(reach * sigma))
    mu = torch.exp(-(down**2 + across**2) / (2 * sigma**2)) * (down <= radius) * (across <= radius)
    expected = (planes.flatten(1) @ mu).view_as(planes)
    assert torch.allclose(smooth(planes, sigma, reach, block, topology), expected, rtol=1e-4)


def relative(grid: Grid) -> Tensor:
    """Where each neuron lies between 0 and 1 along both axes, (X*Y, 2)."""
    rows, columns = grid.places(torch.arange(grid.shape[0] * grid.shape[1])).unbind(1)
    if grid.topology == "hexagonal":
        rows, columns = rows / ROW, columns - 0.25  # from the middle of both kinds of rows
    return (torch.stack([rows, columns], 1) + 0.5) / torch.tensor(grid.shape)


@given(shape=st.tuples(st.integers(2, 9), st.integers(2, 9)), topology=st.sampled_from(["plane", "hexagonal"]))
def test_a_map_that_grows_keeps_what_is_linear_in_its_places(shape, topology):
    """Inside; beyond the outermost neurons, the weights of these go on."""
    old, new = Grid(shape, topology), Grid((2 * shape[0], 2 * shape[1]), topology)
    grown = enlarged(relative(old).T.view(2, *shape), old, new.shape)
    inside = (slice(None), slice(2, -2), slice(2, -2))
    assert torch.allclose(grown[inside], relative(new).T.view(2, *new.shape)[inside], atol=1e-5)


@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9)), by=st.tuples(st.integers(0, 8), st.integers(0, 8)))
def test_a_torus_that_grows_has_no_edge(shape, by):
    planes = torch.rand((2, *shape), generator=torch.Generator().manual_seed(0))
    larger, grid = (2 * shape[0], 2 * shape[1]), Grid(shape, "torus")
    moved = enlarged(planes.roll(by, (1, 2)), grid, larger)
    assert torch.allclose(moved, enlarged(planes, grid, larger).roll((2 * by[0], 2 * by[1]), (1, 2)), atol=1e-6)


@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9)), topology=topologies, odd=st.booleans())
def test_winners_keep_their_places_when_a_map_grows(shape, topology, odd):
    larger = (max(2 * shape[0] - odd, 1), max(2 * shape[1] - odd, 1))
    old, new = Grid(shape, topology), Grid(larger, topology)
    every = torch.arange(shape[0] * shape[1])
    places = torch.stack(old.split(every), 1)
    moved = enlarged_places(places, old, larger)
    assert ((moved >= 0) & (moved < torch.tensor(larger))).all()
    gaps = (relative(new)[new.at(*moved.unbind(1))] - relative(old)).abs() * torch.tensor(larger)
    assert (gaps <= 1.01).all()  # neurons


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_window_search_finds_the_best_neuron_nearby(topology):
    som = MultiModalSom({"a": torch.rand((9, 7, 2))}, topology=topology)
    samples, winners = torch.rand((40, 2)), torch.randint(63, (40,))
    found, distances = winners_around(
        winners, som.grid, lambda near: som.weights_at("a", near), samples, torch.full((40, 2), 0.5), "l1"
    )
    steps = som.grid.steps(*som.grid.split(winners[:, None]), *som.grid.split(torch.arange(63)))
    near = (
        torch.cat([part[None] for part in steps]) < 2.5 if topology == "hexagonal" else torch.stack(steps) <= 2
    ).all(0)
    activity = som.activity({"a": samples}).flatten(1)
    assert (distances <= -activity.masked_fill(~near, -torch.inf).amax(1) + 1e-6).all()
    assert torch.allclose(-activity.gather(1, found[:, None])[:, 0], distances)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 2), (30, 20), (33, 65), (20, 45)])
@pytest.mark.parametrize("topology", CLOSED)
def test_any_shape_can_be_trained(shape, topology):
    samples = {"a": torch.rand((60, 4)), "b": torch.rand((60, 1))}
    som = train(samples, shape, topology=topology)
    assert (som.shape, som.topology) == (shape, topology)
    assert train_literal(samples, shape, epochs=1, topology=topology).topology == topology


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("shape", "second"), [((25, 25), 1.0), ((40, 30), 1.0), ((30, 40), 0.6)])
def test_a_torus_shows_samples_of_a_torus_without_a_fold(shape, second, seed):
    samples, others = two_angles(3000, seed, second), two_angles(500, 7 + seed, second)
    turn = torch.linalg.qr(torch.randn((4, 4), generator=torch.Generator().manual_seed(seed))).Q
    samples, others = {"a": samples["a"] @ turn}, {"a": others["a"] @ turn}  # no angle has dimensions of its own
    plane, torus = (train(samples, shape, distance="l2", topology=topology) for topology in ("plane", "torus"))
    assert topographic_error(torus, others) < 0.02
    assert topographic_error(plane, others) > 0.05
    assert quantization_error(torus, others) < quantization_error(plane, others)


def test_a_ring_of_neurons_lies_on_a_ring_of_samples():
    turn = 2 * math.pi * torch.rand((1000, 1), generator=torch.Generator().manual_seed(0))
    samples = {"a": torch.cat([turn.cos(), turn.sin()], 1)}
    ring = train(samples, (1, 40), distance="l2", topology="torus")
    assert topographic_error(ring, samples) == 0
    assert topographic_error(train(samples, (1, 40), distance="l2"), samples) > 0


@pytest.mark.parametrize("fit", ["batch", "literal"])
def test_where_a_torus_begins_does_not_matter(fit):
    samples = two_angles(300)
    start = torch.rand((12, 20, 4), generator=torch.Generator().manual_seed(0))

    def end(initial: Tensor) -> Tensor:
        if fit == "literal":
            settings = {"epochs": 3, "distance": "l2", "topology": "torus"}
            som = train_literal(samples, (12, 20), initial={"a": initial}, **settings)
        else:
            som = train(
                samples, initial=MultiModalSom({"a": initial}, distance="l2", topology="torus"), first_sigma=3.0
            )
        return som.weights("a").view(12, 20, 4)

    assert torch.allclose(end(start.roll((5, 13), (0, 1))), end(start).roll((5, 13), (0, 1)), atol=1e-4)


@pytest.mark.parametrize("fit", [train, train_literal])
@pytest.mark.parametrize("topology", CLOSED)
def test_a_resumed_training_gives_the_same_bytes_and_knows_its_topology(fit, topology):
    samples = two_angles(200)
    kept: list[LiteralProgress | TrainingProgress] = []
    som = fit(samples, (20, 12), topology=topology, epochs=4, progress=kept.append)
    assert torch.equal(fit(samples, (20, 12), topology=topology, epochs=4).weights("a"), som.weights("a"))
    resumed = fit(samples, (20, 12), topology=topology, epochs=4, resume=kept[1].state)
    assert torch.equal(resumed.weights("a"), som.weights("a"))
    with pytest.raises(ValueError, match="got a state of another training"):
        fit(samples, (20, 12), epochs=4, resume=kept[1].state)


def test_an_initial_map_keeps_its_topology():
    samples = two_angles(200)
    torus = train(samples, (20, 12), topology="torus")
    assert train(samples, initial=torus).topology == "torus"


@pytest.mark.parametrize("fit", [train, train_literal])
def test_an_unknown_topology_is_refused(fit):
    with pytest.raises(ValueError, match="got topology='ring', expected one of"):
        fit(two_angles(20), (4, 4), topology="ring")


# Maps that go on learning

RULES = [{"rule": "batch"}, {"rule": "batch", "replay": 1.0, "forget": 1e-3}, {"rule": "literal", "replay": 1.0}]


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("topology", CLOSED)
def test_online_winners_are_exact_and_a_saved_state_goes_on(kind, topology, tmp_path):
    online = OnlineSom(train(two_angles(100), (30, 21), topology=topology), **kind)
    for seed in range(4):
        online.update(two_angles(1 if seed % 2 else 30, seed))
        query = two_angles(40, 50 + seed)
        activity = online.snapshot().activity(query).flatten(1)
        assert torch.equal(online.winners(query), activity.argmax(1))
    online.save(tmp_path / "online.safetensors")
    resumed = OnlineSom.load(tmp_path / "online.safetensors")
    for each in (online, resumed):
        each.update(two_angles(3, 9))
        each.update(two_angles(300, 10))
    assert resumed.snapshot().topology == topology
    assert torch.equal(resumed.snapshot().weights("a"), online.snapshot().weights("a"))


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 30), st.integers(2, 30)),
    topology=topologies,
    seed=st.integers(0, 99),
    sigma=st.floats(0.3, 6),
)
def test_single_updates_are_the_whole_rule(shape, topology, seed, sigma):
    """The neurons around a sample, computed alone, are those of a computation of the whole map."""
    generator = torch.Generator().manual_seed(seed)
    som = MultiModalSom({"a": torch.rand((*shape, 3), generator=generator)}, topology=topology)
    alone, whole = OnlineSom(som, sigma=sigma), OnlineSom(som, sigma=sigma)
    sample = {"a": torch.rand((1, 3), generator=generator)}
    winner = whole.winners(sample)
    alone.update(sample)
    whole._memory.rearrange(whole._tiled, sample["a"], torch.ones(1, 1, dtype=torch.bool), winner, [sigma], False)
    near = squared_distances(shape, topology)[winner[0]] <= (4.5 * sigma) ** 2
    assert torch.allclose(alone.snapshot().weights("a")[near], whole.snapshot().weights("a")[near], atol=1e-5)


@pytest.mark.parametrize("kind", RULES)
def test_an_online_torus_learns_across_its_seam(kind):
    half = {"a": two_angles(2000)["a"]}
    half["a"] = half["a"][half["a"][:, 0] < 0.3]
    online = OnlineSom(train(half, (40, 30), distance="l2", topology="torus"), **kind)
    before = quantization_error(online.snapshot(), two_angles(300, 5))
    for seed in range(6):
        online.update(two_angles(100, 20 + seed))
    assert quantization_error(online.snapshot(), two_angles(300, 5)) < 0.5 * before
