"""Pieces of the studies of a changing body and of reaching: lengths, the felt length, the damaged joint, movement units."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som.som import MultiModalSom
from infant_env.body.changes.change import BodyChange
from infant_env.body.model import ArmModel
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from training.studies.changes import damage, growth
from training.studies.pieces.changed import Body, FeltLength, Kept, lowest, recalled, seeing
from training.studies.pieces.eye import Eye
from training.studies.pieces.reaching import Reacher, Unit, movement_units
from training.studies.pieces.samples import Samples


@pytest.fixture(scope="module")
def eye(small_data) -> Eye:
    return Eye(small_data)


@pytest.fixture(scope="module")
def body(eye, tiny_run) -> Body:
    return Body(eye, SomAutoencoder.load(tiny_run))


def exact(samples: dict[str, torch.Tensor]) -> MultiModalSom:
    """A column of neurons that holds these samples."""
    return MultiModalSom({name: rows[:, None] for name, rows in samples.items()})


@pytest.mark.parametrize("months", [1, 24])
def test_the_arm_of_an_age_has_its_lengths(eye, small_data, months: int):
    pose = np.zeros(5)
    grown, true = eye.of(growth.of_age(months, 12)), Eye(small_data, ArmModel.infant(months))
    lengths = [np.linalg.norm(np.diff(each.arms(pose), axis=0), axis=1) for each in (grown, true)]
    assert lengths[0][:4] == pytest.approx(lengths[1][:4], abs=1e-3)  # to the palm, the shape of the hand matters too
    assert growth.length_mm(1) == pytest.approx(264)
    assert growth.length_mm(24) == pytest.approx(394)


def test_the_arm_of_the_own_age_is_the_own_arm(eye):
    assert growth.of_age(12, 12) == BodyChange()


def test_new_poses_show_the_arm_and_a_map_of_them_places_the_hand(body):
    poses = body.new(4, np.random.default_rng(0), hand=True)
    assert body.eye.shows_hand(poses.joints).all()
    assert body.error_cm(exact(poses.samples), poses) == pytest.approx(0, abs=1e-3)
    moved = exact({**poses.samples, PROPRIOCEPTION: poses.samples[PROPRIOCEPTION].roll(1, 0)})
    gaps = np.linalg.norm(np.roll(poses.hands, 1, 0) - poses.hands, axis=1)
    assert body.error_cm(moved, poses) == pytest.approx(100 * gaps.mean(), abs=1e-3)


def test_kept_poses_are_read_again_unless_settings_differ_or_the_file_is_damaged(body, tmp_path):
    made: list[int] = []

    def make():
        made.append(1)
        return body.new(2, np.random.default_rng(len(made)))

    first, again = (Kept(tmp_path, "a")("arm", make) for _ in range(2))
    assert len(made) == 1
    assert np.array_equal(first.joints, again.joints)
    assert np.array_equal(first.hands, again.hands)
    assert all(torch.equal(first.samples[name], again.samples[name]) for name in first.samples)
    Kept(tmp_path, "b")("arm", make)
    (tmp_path / "arm.safetensors").write_bytes(b"{")
    Kept(tmp_path, "b")("arm", make)
    assert len(made) == 3


def test_another_eye_knows_its_own_background(eye, body, tiny_run):
    mind, own = SomAutoencoder.load(tiny_run), eye.of(24.0)
    assert np.array_equal(seeing(mind, own).autoencoder.background.numpy(), own.background())
    assert not np.array_equal(mind.autoencoder.background.numpy(), own.background())
    assert np.allclose(eye.background(), mind.autoencoder.background.numpy(), atol=2 / 255)


def test_a_map_that_expects_a_long_arm_feels_it_long():
    felt = torch.tensor([[0.1], [0.9]])
    seen = {length: torch.full((2, 3), length / 100) for length in (100.0, 110.0, 120.0, 130.0)}
    measure = FeltLength(felt, seen)
    for true, found in ((120.0, 120.0), (50.0, 100.0), (200.0, 130.0)):
        som = exact({PROPRIOCEPTION: felt, VISION: torch.full((2, 3), true / 100)})
        assert measure(som) == pytest.approx(found)
        assert measure.of(torch.full((2, 3), true / 100)) == pytest.approx(found)


@given(st.floats(1.01, 3.99), st.floats(0.1, 5))
def test_the_lowest_point_of_a_parabola_is_found(vertex: float, bend: float):
    x = np.arange(6.0)
    assert lowest(x, bend * (x - vertex) ** 2) == pytest.approx(vertex, abs=1e-6)


def test_the_joint_that_does_not_move_is_named(tiny_run):
    samples = Samples.of(tiny_run, "cpu")
    joints = samples.validation[PROPRIOCEPTION]
    wrong = torch.where(joints < 0.5, joints + 0.1, joints - 0.1)  # by .1 in each joint
    namer = damage.Namer(exact({**samples.validation, PROPRIOCEPTION: wrong}), samples)
    gaps = np.full((5, 5), 0.09)
    assert namer(gaps) is None
    gaps[:, 3] = 0.2
    assert namer(gaps) == 3


def test_a_locked_joint_is_commanded_anywhere_and_the_others_are_as_commanded(eye, tiny_run):
    locked = Body(eye.of(BodyChange(locked={"right_elbow_flexion": 1.0})), SomAutoencoder.load(tiny_run))
    poses = locked.new(damage.NUMBERS[-1], np.random.default_rng(0))
    assert np.allclose(poses.joints[:, 3], 1.0)
    gaps = damage.mistaken(exact(poses.samples), locked, 3, np.random.default_rng(0))  # the same poses again
    assert recalled(exact(poses.samples), poses).shape == gaps.shape
    assert np.delete(gaps, 3, 1).max() == pytest.approx(0, abs=1e-6)
    assert gaps[:, 3].mean() > 0.1


BUMP = [0.0, 0.1, 0.2, 0.1]


@pytest.mark.parametrize(
    ("speed", "units"),
    [
        ([*BUMP, 0.0], [(0, 2, 4)]),
        ([*BUMP, 0.05, 0.1, 0.2, 0.1, 0.0], [(0, 2, 4), (4, 6, 8)]),
        ([*BUMP, 0.05, 0.055, 0.05, 0.0], [(0, 2, 7)]),  # half a cm/s is no unit
        ([*BUMP, 0.0, 0.03, 0.0], [(0, 2, 4)]),  # less than a fifth of the highest speed
        ([*BUMP, 0.0, 0.05, 0.1], [(0, 2, 4), (4, 6, 6)]),  # the last one is still under way
        ([0.0, 0.0, 0.0], []),
    ],
)
def test_movement_units_of_a_known_speed(speed: list[float], units: list[tuple[int, int, int]]):
    assert movement_units(np.array(speed)) == [Unit(*unit) for unit in units]


@given(st.integers(1, 6), st.floats(0.05, 2.0))
def test_so_many_bumps_are_so_many_units(count: int, highest: float):
    t = np.arange(count * 10 + 1)
    assert len(movement_units(highest * np.sin(np.pi * t / 10) ** 2)) == count


@pytest.mark.parametrize("light", [True, False])
def test_a_hand_reaches_what_its_map_knows(body, light: bool):
    poses = body.new(6, np.random.default_rng(1), hand=True)
    reacher = Reacher(body, exact(poses.samples), poses, 0)
    found = reacher(poses.samples[VISION][:1], poses.hands[0], poses.joints[1], light, 0)
    assert found.contact
    assert found.units >= 1
    assert math.isnan(found.unit_ms) or found.unit_ms > 0
    assert 0 <= found.in_view <= 1
