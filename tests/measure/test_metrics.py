import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infant_env.body.model import ArmModel
from training.measure import metrics, paper
from training.measure.metrics import Truth
from training.measure.statistics import table_row
from training.runs.metrics import Error


def truth(count: int, arm: ArmModel) -> Truth:
    return Truth({}, {}, np.full((count, 1), True), np.zeros((1, 64, 64), np.float32), arm)


def test_a_row_of_table_1_is_the_mean_of_its_mappings():
    errors = {
        "vision->vision": np.array([0.0, 0.2], np.float32),
        "vision->proprioception": np.array([0.1, 0.1], np.float32),
        "proprioception->vision": np.array([0.3, 0.5], np.float32),
        "proprioception->proprioception": np.array([0.0, 0.0], np.float32),
    }
    row = table_row(errors)
    assert row["vision->vision"] == Error(pytest.approx(0.1), pytest.approx(0.1))
    assert row["proprioception->vision"].mae == pytest.approx(0.4)
    assert row["overall"].mae == pytest.approx(0.15)
    assert "overall" not in table_row({"vision->proprioception": errors["vision->proprioception"]})


def test_the_paper_s_overall_figures_are_the_means_of_its_four():
    for *four, overall in map(dict.values, paper.ERRORS.values()):
        assert np.mean([mae for mae, _ in four]) == pytest.approx(overall[0], abs=0.0006)


def test_the_error_over_the_arm_counts_the_arm_s_pixels_alone(arm: ArmModel):
    images = np.zeros((1, 64, 64), np.float32)
    images[0, :2, :2] = 0.5  # four pixels of arm
    predicted = np.zeros((1, 64, 64), np.float32)
    predicted[0, :2, :1] = 0.5  # half of it found
    predicted[0, 10, 10] = 0.5  # and a ghost elsewhere
    scores = metrics.picture_scores(predicted, images, truth(1, arm))
    assert scores.mae == pytest.approx(3 * 0.5 / 4096)
    assert scores.arm_mae == pytest.approx(0.25)
    assert scores.arm_iou == pytest.approx(2 / 5)


def test_no_arm_in_either_picture_is_full_agreement():
    empty = np.zeros((1, 64, 64), np.float32)
    assert metrics.arm_iou(empty, empty, empty[0]).tolist() == [1.0]


def test_joint_errors_come_in_degrees_and_centimetres(arm: ArmModel):
    true = np.full((1, 5), 0.5, np.float32)
    predicted = true.copy()
    predicted[0, 3] += 0.1  # the elbow by a tenth of its range
    scores = metrics.joint_scores(predicted, true, truth(1, arm))
    low, high = np.degrees(arm.joint_ranges[3])
    assert scores.joint_error_deg[arm.joint_names[3]] == pytest.approx((high - low) / 10, rel=1e-4)
    assert scores.mae == pytest.approx(0.02)
    data, hands = mujoco.MjData(arm.model), []
    for pose in (true[0], predicted[0]):
        arm.pose(data, arm.denormalize(pose))
        hands.append(arm.hand_position(data))
    assert scores.hand_error_cm.mean == pytest.approx(100 * np.linalg.norm(hands[1] - hands[0]), rel=1e-3)
    assert len(scores.hand_error_cm_percentiles) == 101


def test_shares_within_centimetres():
    spread = metrics.hand_summary(np.array([0.005, 0.015, 0.03, 0.2], np.float32))
    assert (spread.within_1, spread.within_2, spread.within_2_5, spread.within_5) == (0.25, 0.5, 0.5, 0.75)
    assert spread.median == pytest.approx(2.25)
    assert spread.mean == pytest.approx(6.25)


@given(st.integers(0, 2**32 - 1))
def test_sample_errors_average_to_the_mean_absolute_error(seed: int):
    random = np.random.default_rng(seed)
    a, b = random.random((2, 7, 3, 4)).astype(np.float32)
    errors = metrics.sample_errors(a, b)
    assert errors.shape == (7,)
    assert errors.mean() == pytest.approx(np.abs(a - b).mean(), rel=1e-5)
