import dataclasses

import numpy as np
import pytest

from infant_env.body.built_in.anthropometry import JOINT_NAMES, Anthropometry

AGES = (1, 3, 6, 9, 12, 18, 24)


@pytest.mark.parametrize(
    ("age", "length", "head_circumference", "mass"),
    [(3, 0.606, 0.400, 6.105), (12, 0.7485, 0.455, 9.30), (24, 0.871, 0.477, 11.81)],
)
def test_growth_is_the_mean_of_the_who_medians_of_boys_and_girls(age, length, head_circumference, mass):
    infant = Anthropometry.at(age)
    assert (infant.length, infant.head_circumference, infant.mass) == pytest.approx((length, head_circumference, mass))


@pytest.mark.parametrize(
    ("age", "upper_arm", "elbow_to_fingertip", "forearm", "hand", "girth", "upper_arm_mass", "forearm_mass"),
    [
        (1, 0.112, 0.152, 0.084, 0.068, 0.119, 0.126, 0.090),
        (6, 0.129, 0.176, 0.096, 0.080, 0.138, 0.195, 0.135),
        (12, 0.145, 0.196, 0.108, 0.089, 0.145, 0.247, 0.171),
        (24, 0.169, 0.225, 0.126, 0.099, 0.153, 0.321, 0.224),
    ],
)
def test_segments_are_those_of_anthrokids(
    age, upper_arm, elbow_to_fingertip, forearm, hand, girth, upper_arm_mass, forearm_mass
):
    infant = Anthropometry.at(age)
    assert infant.upper_arm_length == pytest.approx(upper_arm)
    assert infant.elbow_to_fingertip == pytest.approx(elbow_to_fingertip)
    assert infant.forearm_length == pytest.approx(forearm)
    assert infant.hand_length == pytest.approx(hand)
    assert infant.upper_arm_girth == pytest.approx(girth)
    assert infant.upper_arm_mass == pytest.approx(upper_arm_mass)
    assert infant.forearm_mass == pytest.approx(forearm_mass)


def test_ages_between_the_tabulated_ones_are_interpolated():
    assert Anthropometry.at(15).upper_arm_length == pytest.approx((0.145 + 0.158) / 2)


def test_forearm_and_hand_make_up_the_elbow_to_fingertip_length():
    for age in AGES:
        infant = Anthropometry.at(age)
        assert infant.forearm_length + infant.hand_length == pytest.approx(infant.elbow_to_fingertip, abs=0.0015)


def test_every_measure_grows_with_age():
    ages = np.linspace(1, 24, 47)
    table = np.array([dataclasses.astuple(Anthropometry.at(age)) for age in ages])
    assert (np.diff(table, axis=0) > 0).all()
    assert (np.diff([Anthropometry.at(age).torque_limits for age in ages], axis=0) > 0).all()


def test_torques_at_18_months_are_the_sourced_ones_and_younger_infants_can_lift_their_arm():
    assert Anthropometry.at(18).torque_limits == pytest.approx([1.8, 2.75, 1.6, 3.0, 0.7])
    for age in AGES:
        infant = Anthropometry.at(age)
        weight = 9.81 * (infant.upper_arm_mass + infant.forearm_mass + infant.hand_mass)
        center = 0.5 * (infant.upper_arm_length + infant.elbow_to_fingertip)
        assert infant.torque_limits[0] > weight * center


def test_joint_ranges_lie_within_the_sourced_ones():
    low, high = np.rad2deg(Anthropometry.at(12).joint_ranges).T
    assert len(JOINT_NAMES) == len(low) == 5
    assert (-low[0], high[0]) == pytest.approx(
        (78 * 2 / 3, 172 * 2 / 3), abs=0.5
    )  # the shoulder blade's third is missing
    assert 0 <= low[1] < high[1] <= 177 * 2 / 3
    assert 118 <= -low[2] <= 134
    assert 72 <= high[2] <= 90
    assert low[3] == 0
    assert 148 <= high[3] <= 158
    assert 81 <= -low[4] <= 93
    assert 90 <= high[4] <= 96


def test_young_infants_cannot_straighten_their_elbow():
    assert np.rad2deg(Anthropometry.at(1).joint_ranges[3, 0]) == pytest.approx(19 * 2 / 3)


@pytest.mark.parametrize("age", [0, 0.99, 24.01, -3, float("nan")])
def test_ages_without_data_are_refused(age):
    with pytest.raises(ValueError, match="from 1 to 24"):
        Anthropometry.at(age)
