"""Probabilities of hypotheses are numbers from 0 to 1, and at most 1 in sum, whatever they are made from."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from agents.mind.calibration import Calibration
from infant_env.errors import UserError

ANY = st.floats(width=32)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(st.lists(ANY, min_size=3, max_size=3), min_size=1, max_size=4)


def check(probabilities: Tensor) -> None:
    assert bool(probabilities.isfinite().all())
    assert bool((probabilities >= 0).all())
    assert bool((probabilities.sum(1) <= 1 + 1e-5).all())


@given(ROWS, ANY, st.builds(Calibration, FINITE.map(abs), FINITE, FINITE))
def test_probabilities_of_any_costs_are_probabilities(
    rows: list[list[float]], strange: float, calibration: Calibration
):
    costs = torch.tensor(rows)
    probabilities = calibration.probabilities(costs, torch.full((len(rows),), strange))
    check(probabilities)
    assert bool((probabilities[~costs.isfinite()] == 0).all())


@given(ROWS, st.integers(0, 2**12 - 1))
def test_a_fit_to_any_costs_gives_probabilities(rows: list[list[float]], which: int):
    costs = torch.tensor(rows)
    right = torch.tensor([which >> k & 1 for k in range(costs.numel())]).view(costs.shape).bool()
    signs = torch.linspace(0, 1, costs.numel()).view(costs.shape)
    fitted = Calibration.fit(costs, signs, right)
    assert fitted.sharpness >= 0
    check(fitted.probabilities(costs, fitted.strangeness(signs)))


def test_the_cheapest_hypothesis_is_the_likeliest():
    probabilities = Calibration(sharpness=2.0, trust=40.0).probabilities(
        torch.tensor([[0.0, math.log(2) / 2, torch.inf]]), torch.zeros(1)
    )
    assert probabilities[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


def test_a_picture_without_hypotheses_has_no_probability():
    assert Calibration().probabilities(torch.full((1, 3), torch.inf), torch.zeros(1)).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("numbers", [{"sharpness": -1.0}, {"trust": math.nan}, {"usual": (0.0, math.inf, 0.0)}])
def test_a_calibration_of_other_numbers_is_refused(numbers: dict):
    with pytest.raises(UserError, match="expected finite numbers and a sharpness of 0 or more"):
        Calibration(**numbers)
