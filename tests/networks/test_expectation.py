import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from agents.networks.expectation import Expectation

TWO = Expectation(
    joints=torch.tensor([[[[0.2, 0.3], [0.8, 0.6]]]]),
    doubts=torch.tensor([[[[0.1, 0.2], [0.05, 0.1]]]]),
    shares=torch.tensor([[[0.25, 0.75]]]).log(),
)


def by_scipy(pose: list[float]) -> float:
    """The same mixture, from scipy's own densities."""
    parts = zip(TWO.joints[0, 0].numpy(), TWO.doubts[0, 0].numpy(), TWO.shares[0, 0].exp().numpy(), strict=True)
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
    near_second = ((samples - TWO.joints[0, 0, 1]).abs() < 5 * TWO.doubts[0, 0, 1]).all(1)
    assert float(near_second.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert 0 <= samples.min() <= samples.max() <= 1
    assert torch.equal(TWO.repeated(3).samples(2000)[2], samples)


def test_the_likeliest_guess_has_the_largest_share():
    assert torch.equal(TWO.likeliest, torch.tensor([[0.8, 0.6]]))


ARMS = Expectation(
    joints=torch.tensor([[[[0.2, 0.3], [0.8, 0.6]], [[0.4, 0.1], [0.9, 0.9]]]]),
    doubts=torch.tensor([[[[0.1, 0.2], [0.05, 0.1]], [[0.1, 0.1], [0.2, 0.05]]]]),
    shares=torch.tensor([[[0.25, 0.75], [0.6, 0.4]]]).log(),
)


def of_arm(number: int) -> Expectation:
    """The expectation of one of the two arms."""
    return Expectation(*(values[:, number : number + 1] for values in vars(ARMS).values()))


@given(st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4))
@settings(max_examples=25)
def test_each_of_two_arms_is_expected_by_itself(pose: list[float]):
    joints = torch.tensor([pose])
    each = [(of_arm(k), joints[:, 2 * k : 2 * k + 2]) for k in (0, 1)]
    assert torch.allclose(ARMS.log_density(joints), sum(one.log_density(own) for one, own in each))
    for ours, theirs in zip(ARMS.pull(joints), zip(*(one.pull(own) for one, own in each), strict=True), strict=True):
        assert torch.allclose(ours, torch.cat(theirs, 1))


def test_guesses_at_two_arms_are_combined_the_likeliest_first():
    expected = [[0.8, 0.6, 0.4, 0.1], [0.8, 0.6, 0.9, 0.9], [0.2, 0.3, 0.4, 0.1], [0.2, 0.3, 0.9, 0.9]]
    assert torch.allclose(ARMS.guesses[0], torch.tensor(expected))
    assert torch.equal(ARMS.likeliest, ARMS.guesses[:, 0])
    assert torch.equal(TWO.guesses, TWO.joints[:, 0])


def test_samples_of_two_arms_are_independent():
    samples = ARMS.samples(4000)[0]
    right, left = samples[:, 0] > 0.5, samples[:, 2] > 0.65
    assert float(right.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert float((right & left).float().mean()) == pytest.approx(
        float(right.float().mean() * left.float().mean()), abs=0.02
    )
