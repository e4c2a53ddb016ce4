"""A map in tiles: winners are those of a full search, and a step that leaves tiles out is the whole step, bit for
bit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.som.distances import DISTANCES, Distance, Groups, all_distances
from agents.som_training.neighborhoods import Neighborhood, bubble, exponential, gaussian
from agents.som_training.tiled_map import TiledMap

SPANS = [slice(0, 3), slice(3, 5)]
"""Two modalities, of three and two dimensions."""
sides = st.integers(1, 40)


def a_map(shape: tuple[int, int], seed: int = 0, distance: Distance = "l1") -> TiledMap:
    """Smooth over the map, with some noise; values have two digits, so that many neurons are equal."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.cartesian_prod(*(torch.linspace(0, 1, side) for side in shape)).view(-1, 2)
    weights = places @ torch.randn((2, 5), generator=generator)
    weights += 0.1 * torch.randn(weights.shape, generator=generator)
    return TiledMap((weights * 20).round() / 20, shape, SPANS, distance)


def a_batch(seed: int, count: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Samples (B, 5), of which some lack a modality; which they have (B, 2); and their factors (B, 5)."""
    generator = torch.Generator().manual_seed(seed)
    known = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])[torch.arange(count) % 4]
    samples = (torch.randn((count, 5), generator=generator) * 10).round() / 20
    widths = torch.tensor([3, 2])
    factors = known / known.sum(1, keepdim=True) / widths
    return samples * known.repeat_interleave(widths, 1), known, factors.repeat_interleave(widths, 1)


def full_search(tiled: TiledMap, samples: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """Winners and distances by comparing all neurons, sample by sample."""
    neurons, found = tiled.flat().T.contiguous(), []
    for sample, factor in zip(samples, factors, strict=True):
        groups = [(range(span.start, span.stop), float(factor[span.start])) for span in SPANS if factor[span.start] > 0]
        distances = all_distances(sample[None], neurons, Groups(groups, tiled.distance))[0]
        found.append((int((distances == distances.min()).nonzero()[0]), distances.min()))
    return torch.tensor([winner for winner, _ in found]), torch.stack([distance for _, distance in found])


@settings(max_examples=60)
@given(
    shape=st.tuples(sides, sides),
    seed=st.integers(0, 1000),
    sigma=st.floats(0.3, 10),
    distance=st.sampled_from(DISTANCES),
)
def test_winners_are_those_of_a_full_search_before_and_after_steps(shape, seed, sigma, distance):
    tiled = a_map(shape, seed, distance)
    for number in range(3):
        samples, known, factors = a_batch(seed + number)
        winners, distances = tiled.winners(samples, factors)
        expected, nearest = full_search(tiled, samples, factors)
        assert torch.equal(winners, expected)
        assert torch.equal(distances, nearest)
        tiled.step(winners, samples, known, 0.7, gaussian, sigma)


@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_winners_stay_exact_while_few_tiles_change_at_a_time(sigma):
    tiled = a_map((64, 64))
    for number in range(150):
        samples, known, factors = a_batch(number, count=1)
        winners, _ = tiled.winners(samples, factors)
        assert torch.equal(winners, full_search(tiled, samples, factors)[0])
        tiled.step(winners, samples, known, 1.0, gaussian, sigma)


@given(shape=st.tuples(sides, sides))
def test_a_map_of_any_shape_comes_out_as_it_went_in(shape):
    weights = torch.rand((shape[0] * shape[1], 5))
    assert torch.equal(TiledMap(weights, shape, SPANS).flat(), weights)


@pytest.mark.parametrize("sigma", [20.0, 6.0, 2.0, 1.0, 0.5])
def test_a_pruned_step_is_the_plain_dense_step_bit_for_bit(sigma):
    rows, columns = 64, 48
    tiled = a_map((rows, columns))
    x, y = torch.arange(float(rows)), torch.arange(float(columns))
    for number in range(5):
        samples, known, factors = a_batch(number)
        winners, _ = tiled.winners(samples, factors)
        down, across = ((x - winners[:, None] // columns) ** 2), ((y - winners[:, None] % columns) ** 2)
        mu = (gaussian(down, sigma)[:, :, None] * gaussian(across, sigma)[:, None]).flatten(1)  # (B, X*Y)
        sums = ((torch.cat([samples, known], 1) * (0.7 / 10)).T @ mu).T  # (X*Y, 5 + 2)
        held = torch.stack([sums[:, 5]] * 3 + [sums[:, 6]] * 2, 1)
        expected = tiled.flat() * (1 - held) + sums[:, :5]
        tiled.step(winners, samples, known, 0.7, gaussian, sigma)
        assert torch.equal(tiled.flat(), expected)


@settings(max_examples=60)
@given(
    shape=st.tuples(sides, sides),
    seed=st.integers(0, 1000),
    sigma=st.floats(0.3, 10),
    chosen=st.sampled_from([gaussian, exponential, bubble]),
)
def test_what_a_reach_leaves_out_would_not_have_changed(shape, seed, sigma, chosen):
    pruned, whole = a_map(shape, seed), a_map(shape, seed)
    everywhere = Neighborhood(chosen.mu, separable=chosen.separable)
    for number in range(3):
        samples, known, factors = a_batch(seed + number)
        winners, _ = whole.winners(samples, factors)
        pruned.step(winners, samples, known, 0.7, chosen, sigma)
        whole.step(winners, samples, known, 0.7, everywhere, sigma)
        assert torch.equal(pruned.flat(), whole.flat())


@settings(max_examples=40)
@given(shape=st.tuples(sides, sides), seed=st.integers(0, 1000), sigma=st.floats(0.3, 10))
def test_a_step_is_eq_4_summed_over_the_batch_as_in_eq_5(shape, seed, sigma):
    tiled = a_map(shape, seed)
    places = torch.cartesian_prod(*(torch.arange(side) for side in shape)).view(-1, 2).double()
    samples, known, factors = a_batch(seed)
    winners, _ = tiled.winners(samples, factors)
    before, change = tiled.flat().double(), torch.zeros((len(places), 5), dtype=torch.float64)
    for winner, sample, has in zip(winners, samples.double(), known, strict=True):
        mu = torch.exp(-((places - places[winner]) ** 2).sum(1) / (2 * sigma**2))
        knows = has.repeat_interleave(torch.tensor([3, 2]))
        change += (before - sample) * 0.7 * mu[:, None] * knows
    tiled.step(winners, samples, known, 0.7, gaussian, sigma)
    assert torch.allclose(tiled.flat().double(), before - change / 10, atol=1e-5)
