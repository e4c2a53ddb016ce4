"""The place on the skin that is pressed most, as three numbers."""

import numpy as np
import pytest

from infant_env import ArmModel
from infant_env.senses.skin.touched_place import TouchedPlace


@pytest.fixture(scope="module")
def place() -> TouchedPlace:
    return TouchedPlace(ArmModel.infant())


def test_the_place_is_that_of_the_patch_that_is_pressed_most(place: TouchedPlace):
    left, head = (
        next(i for i, name in enumerate(place.names) if name.startswith(part)) for part in ("left_thigh", "forehead")
    )
    forces = np.zeros((3, len(place.names)), np.float32)
    forces[0, left], forces[0, head], forces[1, head] = 2.0, 1.0, 0.5
    found = place.of(forces)
    np.testing.assert_array_equal(found[:2], place.places[[left, head]])
    assert np.isnan(found[2]).all()
    assert place.nearest(found[:2]).tolist() == [left, head]


def test_places_lie_within_0_and_1_and_keep_the_order_of_the_body(place: TouchedPlace):
    assert 0 <= place.places.min() < 1e-6
    assert 1 - 1e-6 < place.places.max() <= 1
    heights = {
        part: place.places[[n.startswith(part) for n in place.names], 2].mean() for part in ("forehead", "left_thigh")
    }
    assert heights["forehead"] > heights["left_thigh"] + 0.3


def test_the_skin_of_the_arm_that_moves_does_not_count(place: TouchedPlace):
    forces = np.zeros((1, len(place.names)), np.float32)
    forces[0, [name.startswith("right_palm") or name.startswith("right_forearm") for name in place.names]] = 5.0
    assert np.isnan(place.of(forces)).all()
    both = TouchedPlace(ArmModel.infant(arms="both"))
    forces = np.zeros((1, len(both.names)), np.float32)
    forearm = next(i for i, name in enumerate(both.names) if name.startswith("left_forearm"))
    forces[0, forearm] = 5.0
    np.testing.assert_array_equal(both.of(forces)[0], both.places[forearm])
