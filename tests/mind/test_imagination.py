from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.mind.calibration import Calibration
from agents.mind.imagination import Imagination
from agents.mind.search import pose_search
from agents.mind.search.goals import Goals
from agents.mind.search.picture_memory import PictureMemory
from agents.mind.search.pose_search import PoseSearch
from agents.mind.search.trials import cost, draw, refine
from agents.mind.search.tried import Tried
from agents.networks.expectation import Expectation
from agents.networks.generator import PictureGenerator
from infant_env.senses.vision import COLOR
from training.data.dataset import Dataset
from training.measure.probabilities import calibration_error, reliability_bins


class Ramp(PictureGenerator):
    """Pictures that are linear in the joints: the best pose is known in closed form."""

    def __init__(self) -> None:
        super().__init__(torch.zeros(64, 64), joint_count=2, width=1, points=1)
        self.slopes = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))

    def forward(self, joints: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bj,jxy->bxy", joints, self.slopes)


@pytest.fixture(scope="module")
def imagination(tiny_run: Path) -> Imagination:
    return Imagination.load(tiny_run)


@pytest.fixture(scope="module")
def pictures(tiny_run: Path) -> np.ndarray:
    return Dataset.open(tiny_run / "dataset").squeezed_to(COLOR).pictures[:5]


def test_trying_in_the_head_finds_the_pose_of_a_linear_picture():
    ramp, true = Ramp(), torch.tensor([[0.3, 0.8], [0.9, 0.1]])
    for redraw in (1, 3, 12):  # followed slopes are exact if the picture is linear
        joints, errors = refine(ramp, Goals.of(draw(ramp, true)), torch.full((2, 2), 0.5), 12, redraw=redraw)
        assert torch.allclose(joints, true, atol=1e-3)
        assert errors.max() < 1e-4


@given(
    st.lists(st.floats(0, 1, width=32), min_size=2, max_size=2),
    st.lists(st.floats(-1, 2, width=32), min_size=2, max_size=2),
)
@settings(max_examples=25)
def test_trying_stays_within_the_joint_ranges_and_never_makes_it_worse(start: list[float], wanted: list[float]):
    ramp, joints = Ramp(), torch.tensor([start])
    goal = draw(ramp, torch.tensor([wanted]))
    goals = Goals.of(goal)
    found, errors = refine(ramp, goals, joints, 3)
    assert 0 <= found.min() <= found.max() <= 1
    assert errors[0] <= goals.errors(goals.misfits(draw(ramp, joints)))[0] + 1e-6


def test_what_is_guessed_at_a_glance_is_imagined_too(imagination: Imagination, pictures: np.ndarray):
    assert imagination.glance is not None
    (goals,) = imagination._goals(pictures)
    recalled = imagination._recalled(goals)
    without = PoseSearch(imagination.generator, None, imagination._search.memory)
    first, with_guess = (next(search.rounds(goals, recalled)).joints for search in (without, imagination._search))
    expected = imagination.glance.guess(torch.from_numpy(pictures))
    guessed = torch.cat([recalled, expected.guesses, expected.samples(pose_search._GUESSED)], 1)
    assert torch.equal(first, recalled)
    assert torch.allclose(with_guess, guessed, atol=1e-5)


def test_what_is_hidden_does_not_count_and_what_was_cut_may_be_brighter():
    goals = Goals(
        torch.tensor([[0.5, 0.5]]), torch.tensor([[torch.inf, 0.5]]), torch.tensor([[0.0, 1.0]]), torch.empty(1, 0)
    )
    assert float(goals.errors(goals.misfits(torch.tensor([[0.9, 0.8]])))[0]) == 0
    assert float(goals.errors(goals.misfits(torch.tensor([[0.5, 0.4]])))[0]) == pytest.approx(0.01, rel=0.02)
    assert goals.weights(torch.tensor([[0.1, 0.1]])).tolist() == [[0, pytest.approx(1, abs=0.03)]]


def test_the_memory_finds_a_remembered_pose_also_if_a_part_is_hidden():
    ramp, poses = Ramp(), torch.rand((300, 2), generator=torch.Generator().manual_seed(1))
    ramp.slopes = ramp.slopes.abs() / 2  # pictures within [0, 1]
    memory = PictureMemory(ramp, poses, (64, 64))
    pictures = draw(ramp, poses[[7, 70]]).clamp(0, 1)
    counted = torch.ones(2, 64, 64)
    counted[:, :, 20:41] = 0
    hidden = torch.where(counted.flatten(1) > 0, pictures, 0.5)
    goals = replace(Goals.of(hidden), counted=counted.flatten(1))
    assert torch.equal(memory.nearest(goals, 4)[:, 0], poses[[7, 70]])


def test_what_a_picture_leaves_open_is_held_to_what_was_expected():
    ramp = Ramp()
    ramp.slopes[1] = 0  # the second joint does not show
    goal, start = draw(ramp, torch.tensor([[0.3, 0.8]])), torch.tensor([[0.5, 0.1]])
    expected = Expectation(torch.tensor([[[[0.9, 0.6]]]]), torch.tensor([[[[0.1, 0.1]]]]), torch.zeros(1, 1, 1))
    joints, _ = refine(ramp, Goals.of(goal), start, 30, expected)
    assert torch.allclose(joints, torch.tensor([[0.3, 0.6]]), atol=1e-2)
    assert torch.allclose(refine(ramp, Goals.of(goal), start, 30)[0], torch.tensor([[0.3, 0.1]]), atol=1e-2)


def test_the_cost_of_a_pose_is_its_pictures_error_and_how_little_it_was_expected():
    expected = Expectation(torch.tensor([[[[0.5, 0.5]]]]), torch.tensor([[[[0.1, 0.2]]]]), torch.zeros(1, 1, 1))
    errors, poses = torch.tensor([[1e-3, 2e-3, 1e-3]]), torch.tensor([[[0.5, 0.5], [0.5, 0.5], [0.6, 0.9]]])
    there, blurred, far = cost(errors, poses, expected)[0]
    assert float(blurred - there) == pytest.approx(np.log(2e-3 + 1e-5) - np.log(1e-3 + 1e-5))
    assert float(far - there) == pytest.approx(0.02 * 7 / 2 * np.log(1 + 5 / 5), abs=1e-5)


def tried(poses: list[float], costs: list[float]) -> Tried:
    """Poses of one joint for one goal."""
    worth = torch.tensor([costs])
    return Tried(torch.tensor(poses)[None, :, None], worth.exp(), worth, torch.zeros_like(worth, dtype=torch.bool))


def test_the_best_poses_that_lie_apart_are_kept():
    found = tried([0.1, 0.15, 0.9, 0.5], [2.0, 1.0, 3.0, 4.0]).best(3, apart=0.1)
    assert found.costs.tolist() == [[1, 3, 4]]  # the first is like the second, which is better
    assert found.joints[0, :, 0].tolist() == pytest.approx([0.15, 0.9, 0.5])
    assert not found.repeated.any()
    few = tried([0.1, 0.15], [2.0, 1.0]).best(3, apart=0.1)
    assert few.costs.tolist() == [[1, 1, 1]]
    assert few.repeated.tolist() == [[False, True, True]]


def test_probabilities_are_shared_and_leave_some_for_none(imagination: Imagination, pictures: np.ndarray):
    found = imagination.hypotheses(pictures, 4)
    assert found.joints.shape == (5, 4, 5)
    total = found.probabilities.sum(1)
    assert ((total > 0) & (total < 1)).all()
    assert (found.probabilities.masked_fill(found.repeated, 0) == found.probabilities).all()
    low, high = imagination.mind.joint_ranges.T
    assert ((found.joints >= low - 1e-5) & (found.joints <= high + 1e-5)).all()


def test_equal_pictures_give_equal_thoughts_alone_or_together(imagination: Imagination, pictures: np.ndarray):
    together, again = imagination.hypotheses(pictures), imagination.hypotheses(pictures)
    assert torch.equal(together.joints, again.joints)
    alone = imagination.hypotheses(pictures[2:3])
    assert torch.allclose(alone.joints[0, 0], together.joints[2, 0], atol=1e-2)
    assert torch.equal(together.of(2).joints, together.joints[2:3])


def test_noise_and_an_empty_view_are_stranger_than_the_arm(imagination: Imagination, pictures: np.ndarray):
    noise = np.random.default_rng(0).random(pictures.shape[1:], np.float32)
    strange = np.stack([noise, imagination.generator.background.numpy()])
    assert imagination.hypotheses(strange).strangeness.min() > imagination.hypotheses(pictures).strangeness.max()


@pytest.mark.parametrize("broken", [np.zeros((64, 64)), np.full((1, 64, 64), np.nan), np.zeros((1, 32, 64))])
def test_broken_pictures_are_refused(imagination: Imagination, broken: np.ndarray):
    with pytest.raises(ValueError, match="expected"):
        imagination.hypotheses(broken)


def test_broken_questions_are_refused(imagination: Imagination, pictures: np.ndarray):
    with pytest.raises(ValueError, match="got 9 hypotheses, expected 1 to 5"):
        imagination.hypotheses(pictures, 9)
    for joints in (np.zeros(5), np.full((1, 5), np.nan)):
        with pytest.raises(ValueError, match="expected finite angles in rad"):
            imagination.draw(joints)


def test_a_generator_of_another_body_is_refused(imagination: Imagination):
    for other in (
        PictureGenerator(torch.rand(64, 64)),
        PictureGenerator(imagination.generator.background, joint_count=2),
    ):
        with pytest.raises(ValueError, match="expected both of one run"):
            Imagination(imagination.mind, other)


def test_calibrated_probabilities_are_as_often_right_as_they_say():
    generator = torch.Generator().manual_seed(0)
    costs = (torch.rand((4000, 3), generator=generator) * 1e-3 + 1e-5).log()
    shares = (-2 * costs).softmax(1)
    signs = torch.randn((4000, 1), generator=generator)
    some = torch.rand(4000, generator=generator) < torch.sigmoid(1 - 2 * signs[:, 0])
    right = torch.nn.functional.one_hot(shares.multinomial(1, generator=generator)[:, 0], 3).bool() & some[:, None]
    fitted = Calibration.fit(costs, signs, right)
    assert fitted.sharpness == pytest.approx(2, rel=0.15)
    told = fitted.probabilities(costs, fitted.strangeness(signs))
    assert calibration_error(told.numpy(), right.numpy()) < 0.03


def test_the_calibration_error_of_a_hand_made_case():
    told, right = np.array([0.95, 0.95, 0.15, 0.15]), np.array([True, False, False, False])
    assert reliability_bins(told, right) == [(2, pytest.approx(0.15), 0), (2, pytest.approx(0.95), 0.5)]
    assert calibration_error(told, right) == pytest.approx((0.15 + 0.45) / 2)


def test_costs_that_mislead_do_not_count_and_give_no_probability_that_is_no_number():
    right = torch.tensor([[True, False, False]] * 20)
    signs = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
    fitted = Calibration.fit(torch.tensor([[3.0, 1.0, 2.0]] * 20), signs, right)  # the right one of three costs most
    assert fitted.sharpness == 0
    told = fitted.probabilities(torch.tensor([[1.0, 2.0, torch.inf]]), torch.zeros(1))[0]
    assert told[0] == told[1] > 0 == told[2]


def test_a_calibration_survives_the_disk(tmp_path: Path):
    mine = Calibration(2.0, 1.0, 0.5, (0.0, 1.0, 2.0), (1.0, 2.0, 3.0))
    mine.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == mine
    Calibration(usual=(0.0,), rare=(1.0,)).save(tmp_path / "calibration.json")
    with pytest.raises(
        ValueError,
        match=r"length.* at `\$\.usual`; calibrate again",
    ):
        Calibration.load(tmp_path / "calibration.json")


@pytest.mark.parametrize("light", [0.8, 0.9, 1.05])
def test_another_light_makes_no_difference(imagination: Imagination, pictures: np.ndarray, light: float):
    def usual(shown: np.ndarray) -> np.ndarray:
        return imagination.in_usual_view(shown).pictures.view(shown.shape).numpy()

    assert np.allclose(usual(pictures), pictures, atol=1e-6)
    kept = pictures * light < 1  # what is overexposed stays so
    assert np.allclose(usual((light * pictures).clip(0, 1))[kept], pictures[kept], atol=1e-5)
    dimmed, usual = (imagination.hypotheses(shown) for shown in (0.9 * pictures, pictures))
    assert torch.allclose(dimmed.errors[:, 0], usual.errors[:, 0], rtol=1e-2)  # of poses alike another may come first


def test_the_first_hypothesis_is_the_best_pose_of_the_last_round(
    imagination: Imagination, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    *_, (last, errors) = rounds = list(imagination.rounds(pictures[0]))
    monkeypatch.setattr(pose_search, "_EXPLAINED", 0.0)
    found = imagination.hypotheses(pictures[:1])
    assert len(rounds) == 4
    assert torch.equal(errors[0], found.errors[0, 0])
    assert torch.equal(last[0], found.joints[0, 0])


def test_a_goal_that_the_first_round_explains_is_not_thought_over(
    imagination: Imagination, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(PictureMemory, "nearest", None)
    monkeypatch.setattr(pose_search, "_EXPLAINED", torch.inf)
    assert imagination.hypotheses(pictures).joints.shape == (5, 5, 5)


def test_only_the_goals_that_need_it_are_thought_over(
    imagination: Imagination, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    left = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0])
    monkeypatch.setattr(pose_search, "_EXPLAINED", torch.inf)
    quick = imagination.hypotheses(pictures)
    monkeypatch.setattr(pose_search, "_EXPLAINED", -1.0)
    whole = imagination.hypotheses(pictures)
    monkeypatch.setattr(pose_search, "_EXPLAINED", 0.5)
    monkeypatch.setattr(PoseSearch, "_unexplained", lambda *_: left)
    some = imagination.hypotheses(pictures)
    wanted = torch.where((left > 0.5)[:, None], whole.costs, quick.costs)
    assert torch.allclose(some.costs, wanted, atol=1e-3)


def test_the_others_are_of_all_that_were_refined(
    imagination: Imagination, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    polished = [0.21], [-2.9]
    rounds = iter((([0.2, 0.7], [-3.0, -2.0]), polished, ([0.5, 0.51], [-5.0, -4.0]), ([0.51], [-4.0])))

    def refined(*_: object) -> Tried:
        each = tried(*next(rounds))
        return Tried(each.joints.expand(-1, -1, 5), each.errors, each.costs, each.repeated)

    monkeypatch.setattr(PoseSearch, "_refined", refined)
    monkeypatch.setattr(pose_search, "_EXPLAINED", -1.0)
    found = imagination.hypotheses(pictures[:1], 4)
    assert found.costs.tolist() == [[-5, -3, -2, -2]]  # neither what was merely recalled, nor what is nearly the best
    assert found.repeated.tolist() == [[False, False, False, True]]
    assert torch.allclose(imagination.mind.normalize(found.joints)[0, :3, 0], torch.tensor([0.5, 0.2, 0.7]), atol=1e-6)
