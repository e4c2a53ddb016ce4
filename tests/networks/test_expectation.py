import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from agents.networks.expectation import Expectation

TWO = Expectation(
    joints=torch.tensor([[[0.2, 0.3], [0.8, 0.6]]]),
    doubts=torch.tensor([[[0.1, 0.2], [0.05, 0.1]]]),
    shares=torch.tensor([[0.25, 0.75]]).log(),
)


def by_scipy(pose: list[float]) -> float:
    """The same mixture, from scipy's own densities."""
    parts = zip(TWO.joints[0].numpy(), TWO.doubts[0].numpy(), TWO.shares[0].exp().numpy(), strict=True)
    return float(np.log(sum(s * multivariate_t(m, np.diag(d**2), df=5).pdf(pose) for m, d, s in parts)))


def test_the_density_is_that_of_a_mixture_of_students_t_but_for_a_constant():
    poses = [[0.2, 0.3], [0.5, 0.5], [0.8, 0.55], [1.0, 0.0]]
    ours = TWO.log_density(torch.tensor([poses]))[0].double().numpy()
    assert np.ptp(ours - [by_scipy(pose) for pose in poses]) < 1e-5


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=2))
@settings(max_examples=25)
def test_a_pose_is_pulled_along_the_slope_of_the_log_density(pose: list[float]):
    joints = torch.tensor([pose], requires_grad=True)
    (slope,) = torch.autograd.grad(TWO.log_density(joints).sum(), joints)
    strength, towards = TWO.pull(joints.detach())
    assert torch.allclose(strength * (towards - joints), slope, rtol=1e-3, atol=1e-3)


def test_samples_lie_where_poses_are_expected_and_hang_on_nothing_but_that():
    samples = TWO.samples(2000)[0]
    near_second = ((samples - TWO.joints[0, 1]).abs() < 5 * TWO.doubts[0, 1]).all(1)
    assert float(near_second.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert 0 <= samples.min() <= samples.max() <= 1
    assert torch.equal(TWO.repeated(3).samples(2000)[2], samples)


def test_the_likeliest_guess_has_the_largest_share():
    assert torch.equal(TWO.likeliest, torch.tensor([[0.8, 0.6]]))
