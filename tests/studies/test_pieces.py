"""What the studies share: the eye with a displaced arm, targets behind a prism, readouts, and fits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.som.som import MultiModalSom
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.seen.seen import Seen
from training.studies import touch, whose
from training.studies.frame.fits import exponential
from training.studies.pieces import prism
from training.studies.pieces.continual import Csom, Fading, SatSom
from training.studies.pieces.eye import Eye, azimuth, turned_about
from training.studies.pieces.readouts import Asked, noisy, robust_spread
from training.studies.pieces.skin import Memory, Skin


@pytest.fixture(scope="module")
def eye(small_data) -> Eye:
    return Eye(small_data)


def test_the_eye_sees_what_the_data_set_holds(eye, small_data):
    assert np.array_equal(eye(small_data.joints[:5]), small_data.pictures[:5])
    assert np.allclose(eye.hands(small_data.joints[:5]), small_data.hand_positions[:5, 0], atol=1e-6)
    assert eye.shows_hand(small_data.joints[:5]).tolist() == small_data.shows_hands[:5, 0].tolist()


def test_an_arm_turned_about_the_eye_is_seen_where_it_is_computed(eye, small_data):
    pose = small_data.joints[int(np.argmax(small_data.shows_hand))][None].astype(float)
    turned = turned_about(eye.place, eye.hands(pose), 17.0)
    assert azimuth(eye.place, turned) - azimuth(eye.place, eye.hands(pose)) == pytest.approx(17.0)
    assert not np.array_equal(eye(pose, Seen(turn=17.0, about="eye")), eye(pose))


def test_the_pose_that_looks_like_the_own_arm_is_the_own_pose(eye, small_data):
    for pose in small_data.joints[:5].astype(float):
        start = np.clip(pose + 0.1, *eye.arm.joint_ranges.T)
        assert np.allclose(eye.arms(eye.looking_as(eye.arms(pose), start)), eye.arms(pose), atol=1e-3)
        assert np.allclose(prism.behind(eye, pose, 0.0), pose)


def test_targets_are_seen_and_reached_behind_the_prism(eye, tiny_run):
    from agents.mind.som_autoencoder import SomAutoencoder

    goals = prism.targets(2, (17.0,), eye, SomAutoencoder.load(tiny_run), np.random.default_rng(0))
    assert eye.shows_hand(goals.joints).all()
    for pose, place in zip(goals.joints, goals.places, strict=True):
        hand = eye.hands(prism.behind(eye, pose, 17.0)[None])
        assert np.linalg.norm(turned_about(eye.place, hand, 17.0) - place) < prism.ON_TARGET


def test_a_single_offset_changes_by_a_tenth_of_the_error_and_the_map_learns_the_pair():
    joints = torch.tensor([[0.25], [0.75]])
    som = MultiModalSom({VISION: joints[:, None], PROPRIOCEPTION: joints[:, None]})  # a column of two neurons
    goal, felt = torch.tensor([[0.25]]), torch.tensor([[0.45]])
    offset, literal = (prism.Learner(kind, som) for kind in (prism.OFFSET, prism.LITERAL))
    for learner in (offset, literal):
        learner.learn(learner.reach(goal), goal, felt)
        assert learner.reach_before(goal).item() == pytest.approx(0.25)
    assert offset.reach(goal).item() == pytest.approx(0.27)
    assert literal.reach(goal).item() == pytest.approx(0.45)


def test_felt_joints_have_the_noise_that_was_asked_for(eye):
    felt = noisy(eye, np.full((20_000, len(eye.arm.joint_names)), 0.5), 4.0, np.random.default_rng(0)).numpy()
    degrees = np.degrees(eye.arm.denormalize(felt) - eye.arm.denormalize(np.full(len(eye.arm.joint_names), 0.5)))
    assert degrees.std(0) == pytest.approx(4.0, rel=0.03)
    assert robust_spread(degrees, 0) == pytest.approx(4.0, rel=0.05)


def test_the_influence_decides_between_two_senses_that_disagree():
    joints = torch.tensor([0.0, 1.0])[:, None, None]
    som = MultiModalSom({VISION: joints, PROPRIOCEPTION: joints})
    seen, felt = torch.tensor([[0.0]]), torch.tensor([[1.0]])
    for vision, found in ((4.0, 0.0), (0.25, 1.0)):
        asked = Asked(som, c={VISION: vision, PROPRIOCEPTION: 1.0})
        assert asked(vision=seen, proprioception=felt).item() == found


@given(st.floats(2, 100), st.floats(-5, 5), st.floats(1, 50))
def test_an_exponential_is_found_again(time: float, end: float, drop: float):
    found = exponential(end + drop * np.exp(-np.arange(60) / time))
    assert found.time == pytest.approx(time, rel=0.05)
    assert found.r2 > 0.999


def test_values_that_stay_the_same_are_no_exponential():
    assert exponential(np.full(20, 3.0)).r2 == 0


def test_errors_of_clips_are_those_of_their_pictures():
    told, seen = torch.zeros((2, 3, 4)), torch.ones((2, 3, 4))
    assert whose.errors(told, seen).tolist() == [[1.0] * 3] * 2
    rows = list(whose.scored("winner", 4.0, "another's", whose.errors(told, told), whose.errors(told, seen)))
    assert [row["value"] for row in rows] == [1.0] * len(whose.WINDOWS)


def test_a_remembered_contact_is_found_again_and_a_map_of_it_brings_the_hand_back(arm):
    skin = Skin(arm)
    memory, random = Memory(skin), np.random.default_rng(0)
    skin.reset(0)
    while len(memory.contacts) < 4:
        memory.add(skin.move(skin.valid_pose(random), skin.any_pose(random)))
    contact = memory.contacts[0]
    assert memory.nearest(skin.places[contact.patch]).patch == contact.patch
    patches = np.array([each.patch for each in memory.contacts])
    assert set(patches) <= set(skin.patches)
    assert memory.successes(patches, 8, 0).mean() >= 0.5


def test_progress_is_the_change_of_the_error():
    assert touch.progress([0.5] * 20) == 0
    assert touch.progress([0.5] * 10 + [0.2] * 10) == pytest.approx(0.3)
    assert touch.progress([0.1] * 19) == 1  # too few goals to know


def test_a_patch_belongs_to_the_region_of_its_name():
    named = {"left_mouth_1": "face", "right_ear": "head", "belly_low_right_2": "trunk", "right_shank_top_3": "leg"}
    assert {name: touch.region(name) for name in named} == named
    assert (
        touch.region("right_forearm_front_1") == "rest"
    )  # "ear" is no word of it, though its name holds these letters


def four_neurons(kind: type[Fading]) -> Fading:
    """A map of 2x2 neurons with the weights 0, 2, 4 and 6 of one sense."""
    som = kind({"touch": torch.zeros((2, 1))}, 2, {}, 0)
    som.weights = torch.tensor([[0.0], [2.0], [4.0], [6.0]])
    return som


def test_csom_learns_a_sample_as_computed_by_hand():
    som = four_neurons(Csom)
    som.learn({"touch": torch.tensor([[0.5]])})
    far = 0.05 * math.exp(-1 / 4.5)  # one neuron away, radius 1.5
    corner = 0.05 * math.exp(-2 / 4.5)
    expected = [0.025, 2 - 1.5 * far, 4 - 3.5 * far, 6 - 5.5 * corner]
    assert som.weights[:, 0].tolist() == pytest.approx(expected, abs=1e-6)
    assert som.variances[0].item() == pytest.approx(0.9 * 0.5 + 0.1 * 0.475**2)
    assert som.rates.tolist() == pytest.approx([0.05 * math.exp(-1 / 25), 0.05, 0.05, 0.05])
    assert som.radii.tolist() == pytest.approx([1.5 * math.exp(-1 / 15), 1.5, 1.5, 1.5])


def test_csom_prefers_the_neuron_that_varied_more():
    som = four_neurons(Csom)
    som.variances = torch.tensor([[0.25], [4.0], [0.25], [0.25]])
    som.learn({"touch": torch.tensor([[0.9]])})  # .81 / .5 for the first neuron, 1.21 / 2 for the second
    assert som.wins.tolist() == [0, 1, 0, 0]


def test_satsom_learns_a_sample_as_computed_by_hand():
    som = four_neurons(SatSom)
    som.learn({"touch": torch.tensor([[0.5]])})
    h = [1.2 * math.exp(-d / 5000) for d in (0, 1, 1, 2)]  # radius 50, no neuron saturated
    moved = [w + 0.5 * near * (0.5 - w) for w, near in zip((0, 2, 4, 6), h, strict=True)]
    assert som.weights[:, 0].tolist() == pytest.approx(moved, abs=1e-6)
    assert som.rates.tolist() == pytest.approx([0.5 * math.exp(-0.01 * near) for near in h])
    assert som.radii.tolist() == pytest.approx([50 * math.exp(-0.05 * near) for near in h])


@pytest.mark.parametrize("kind", [Csom, SatSom])
def test_a_neuron_that_has_learned_much_hardly_moves(kind: type[Fading]):
    som = four_neurons(kind)
    som.learn({"touch": torch.full((500, 1), 0.5)})
    before = som.weights[0].clone()
    som.learn({"touch": torch.tensor([[-0.5]])})
    assert (som.weights[0] - before).abs() < 0.01
