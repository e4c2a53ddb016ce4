"""Neighborhood contracts: 1 at the winner, exactly 0 beyond its reach, separable where it says so."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.som_training.neighborhoods import bubble, exponential, gaussian

radii = st.floats(0.1, 1000)


@pytest.mark.parametrize("neighborhood", [gaussian, exponential, bubble])
@given(sigma=radii, times=st.floats(1, 100, exclude_min=True))
def test_beyond_its_reach_a_neighborhood_is_exactly_zero(neighborhood, sigma, times):
    squared = torch.tensor([0.0, (neighborhood.reach(sigma) * 1.000001 * times) ** 2])
    assert neighborhood(squared, sigma).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("neighborhood", [gaussian, exponential, bubble])
@given(sigma=radii)
def test_a_reach_is_no_longer_than_it_must_be(neighborhood, sigma):
    assert neighborhood(torch.tensor([(0.98 * neighborhood.reach(sigma)) ** 2]), sigma).item() > 0


@given(sigma=radii, row=st.floats(0, 10), column=st.floats(0, 10))
def test_a_gaussian_is_the_product_of_its_rows_and_columns(sigma, row, column):
    down, across = torch.tensor([(row * sigma) ** 2, (column * sigma) ** 2])
    assert torch.allclose(gaussian(down + across, sigma), gaussian(down, sigma) * gaussian(across, sigma), rtol=1e-4)
