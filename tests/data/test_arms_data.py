"""Data sets of the left arm, of both arms, and of wrists: what is recorded, and what is made of it again."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from infant_env.errors import UserError
from infant_env.senses.camera import HAND_IN_VIEW, EyeCamera
from training import cli
from training.act import reach
from training.act.goals import Goal, GoalConfig, each_hand, goals_of
from training.act.true_eye import looks_of
from training.data import collect
from training.data.dataset import Dataset
from training.data.info import collect_line
from training.measure import metrics
from training.measure.probabilities import right_ones
from training.rl.config import Config as LearningConfig
from training.runs import folder as runs

SIZE: dict[str, Any] = {"samples": 24, "eye_size": (60, 100), "shard_size": 10, "seed": 3, "workers": 1}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return collect.run(collect.Config(tmp_path_factory.mktemp("both") / "data", arms="both", **SIZE))


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """60 poses of both arms: 12 test pictures, some with each hand."""
    folder = tmp_path_factory.mktemp("more") / "data"
    return collect.run(collect.Config(folder, arms="both", **{**SIZE, "samples": 60}))


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("left") / "data"
    collect.run(collect.Config(folder, arms="left", wrist=True, **SIZE))
    return Dataset.open(folder)


def config_in(data: Dataset) -> dict[str, Any]:
    return json.loads((data.path / "dataset.json").read_text())["config"]


def test_arms_and_wrists_are_recorded_only_if_they_differ_from_the_usual(
    both: Dataset, left: Dataset, small_data: Dataset
):
    assert not {"arms", "wrist", "eyes"} & config_in(small_data).keys()
    assert {name: config_in(both)[name] for name in ("arms", "wrist", "eyes") if name in config_in(both)} == {
        "arms": "both"
    }
    assert {name: config_in(left).get(name) for name in ("arms", "wrist", "eyes")} == {
        "arms": "left", "wrist": True, "eyes": "left",
    }  # fmt: skip
    with h5py.File(small_data.path / "index.h5") as file:
        assert "left_hand_position" not in file


def test_the_body_is_made_again_from_the_data_set(both: Dataset, left: Dataset):
    assert list(both.arm.hands) == ["right", "left"]
    assert both.joints.shape == (24, 10)
    assert left.arm.joint_names == left.joint_names
    assert left.joint_names[-1] == "left_wrist_radial_deviation"
    assert left.arm.eye_camera == "left_eye"


def test_both_hands_are_recorded_where_they_are(both: Dataset):
    data, eye = both.arm.new_data(), EyeCamera(both.arm, both.eye_size)
    with h5py.File(both.path / "index.h5") as file:
        assert np.array_equal(file["left_hand_position"][:], both.left_hand_position)
        assert np.array_equal(file["left_hand_in_view"][:], both.hands_in_view[:, 1])
    for i in range(5):
        both.arm.pose(data, both.joints[i])
        np.testing.assert_allclose(both.hand_positions[i], both.arm.hand_positions(data), atol=1e-6)
        assert both.hands_in_view[i] == pytest.approx(eye.in_view(data)[1:])
        assert np.array_equal(eye.render(data), both.eye(i))
    eye.close()
    assert np.array_equal(both.shows_hands, both.hands_in_view >= HAND_IN_VIEW)
    assert np.array_equal(both.shows_hand, both.shows_hands[:, 0] | both.shows_hands[:, 1])


def test_one_hand_has_no_left_hand_beside_it(left: Dataset):
    assert left.hand_positions.shape == (24, 1, 3)
    assert np.array_equal(left.shows_hand, left.column("hand_in_view") >= HAND_IN_VIEW)
    with pytest.raises(UserError, match="has one hand, expected a data set of `infant-arm collect --arms both`$"):
        _ = left.left_hand_position


@pytest.mark.parametrize("named", [(), ("--eyes", "left")])
def test_a_collection_goes_on_whether_its_own_eye_is_named_or_not(left: Dataset, named: tuple[str, ...]):
    size = ["--samples", "24", "--eye-size", "60", "100", "--shard-size", "10", "--seed", "3", "--workers", "1"]
    assert cli.main(["collect", "--out", str(left.path), *size, "--arms", "left", "--wrist", *named]) == 0


def test_the_line_that_collects_again_names_the_arms(left: Dataset):
    line = collect_line(left.path, left.info)
    assert "--arms left" in line
    assert "--wrist" in line
    assert cli.main(line.split()[1:]) == 0


def test_another_arm_is_another_data_set(both: Dataset):
    with pytest.raises(UserError, match="holds another data set: .*arms both"):
        collect.run(collect.Config(both.path, **SIZE))


def test_the_arms_of_another_body_are_refused_by_the_name_that_the_user_gave(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "arm.xml").write_text("<mujoco/>")
    other = ["--mjcf", str(tmp_path / "arm.xml"), "--arm-joints", "elbow"]
    for option in (["--arms", "both"], ["--wrist"]):
        assert cli.main(["collect", "--out", str(tmp_path / "data"), *other, *option]) == 2
        error = capsys.readouterr().err
        assert str(tmp_path / "arm.xml") in error
        assert "name its joints" in error


def test_goals_of_both_arms_know_both_hands_and_which_are_shown(both: Dataset, tmp_path: Path):
    for goal in goals_of(GoalConfig(tmp_path, goals=3), both, both.arm, None):
        assert goal.hands is not None
        assert goal.shown is not None
        assert goal.shown.any()
        assert goal.hand_error(goal.hands) == 0
        moved = goal.hands + 0.05 * goal.shown[:, None] + 9.0 * ~goal.shown[:, None]
        assert goal.hand_error(moved) == pytest.approx(0.05 * 3**0.5, rel=1e-4)


def test_a_hypothesis_about_two_arms_is_right_if_those_are_right_whose_hands_are_shown(both: Dataset):
    rows = np.arange(len(both))
    wrong_left = both.joints[:, None].copy()
    wrong_left[..., wrong_left.shape[2] // 2 :] += 0.3
    right, left = both.shows_hands.T
    assert right_ones(both.joints[:, None], rows, both).all()
    assert (right & ~left).any()
    assert (right_ones(wrong_left, rows, both)[:, 0] == (right & ~left)).all()


def test_the_distance_of_two_hands_is_the_mean_of_those_that_are_shown():
    here, there = np.zeros((4, 2, 3)), np.tile([[[0.03, 0, 0], [0, 0.01, 0]]], (4, 1, 1))
    shown = np.array([[True, False], [False, True], [True, True], [False, False]])
    assert metrics.hand_distances(here, there, shown) == pytest.approx([0.03, 0.01, 0.02, 0.02])
    assert metrics.hand_distances(here, there) == pytest.approx([0.02] * 4)
    assert metrics.hand_distances(here[:, :1], there[:, :1], shown[:, :1]) == pytest.approx([0.03] * 4)
    assert Goal(np.zeros((64, 64), np.float32)).hand_error(here[0]) is None


def test_scores_count_the_hands_in_view(both: Dataset):
    truth = metrics.Truth({}, {}, both.shows_hands, both.background, both.arm)
    swapped = np.concatenate([both.normalized_joints[:, :5], both.normalized_joints[::-1, 5:]], axis=1)
    errors = metrics.hand_errors(swapped, both.normalized_joints, both.arm, truth.shows_hands)
    only_right = both.shows_hands[:, 0] & ~both.shows_hands[:, 1]
    assert only_right.any()
    np.testing.assert_array_equal(errors[only_right], 0)
    assert (errors[both.shows_hands[:, 1]] > 0).all()
    assert len(metrics.joint_scores(swapped, both.normalized_joints, truth).joint_error_deg) == 10


def test_the_true_eye_looks_once_for_each_joint_and_once_more(both: Dataset, left: Dataset, small_data: Dataset):
    assert [looks_of(data.arm) for data in (small_data, left, both)] == [60, 80, 110]


def test_the_world_model_of_two_hands_is_refused_in_one_line(both: Dataset, tmp_path: Path):
    from training.train import world_model
    from training.train.skeleton import Work

    work: Any = Work(world_model.Config(run=tmp_path), both, torch.device("cpu"), {}, tmp_path / "world")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="--arms both, expected one arm: .* collect with --arms right or --arms left$"):
        world_model.STAGE.fit(work)


@pytest.mark.parametrize(("hand", "reaching"), [("right", [True, False]), ("left", [False, True])])
def test_a_hand_that_is_told_is_in_every_goal_and_its_error_alone_counts(
    more: Dataset, tmp_path: Path, hand: Any, reaching: list[bool]
):
    goals = goals_of(GoalConfig(tmp_path, hand=hand), more, more.arm, None)
    shown = more.shows_hands[more.split("test")][:, reaching.index(True)]
    assert len(goals) == shown.sum() > 0
    for goal in goals:
        assert goal.hands is not None
        assert goal.hand_error(goal.hands + 0.05 * np.array(reaching)[:, None]) == pytest.approx(
            0.05 * 3**0.5, rel=1e-4
        )
        assert goal.hand_error(goal.hands + 0.05 * ~np.array(reaching)[:, None]) == 0
        assert goal.error_in_words(goal.hands, more.arm) == f"{hand} 0.0 cm off"


def test_goals_of_both_hands_show_both(both: Dataset, tmp_path: Path):
    test = both.split("test")
    if not both.shows_hands[test].all(axis=1).any():
        with pytest.raises(UserError, match="has no test picture that shows both hands: it covers at most"):
            goals_of(GoalConfig(tmp_path, hand="both"), both, both.arm, None)
    posed = goals_of(GoalConfig(tmp_path, hand="both", goal_joints=(60.0, 0, 0, 60, 0) * 2), both, both.arm, None)
    assert posed[0].reaching is not None
    assert posed[0].reaching.tolist() == [True, True]


def test_a_hand_that_does_not_move_is_refused(both: Dataset, left: Dataset, tmp_path: Path):
    with pytest.raises(
        UserError, match="got --hand right, but the infant of this run moves one hand, 'left'; leave out"
    ):
        goals_of(GoalConfig(tmp_path, hand="right"), left, left.arm, None)
    assert goals_of(GoalConfig(tmp_path, hand="left", hidden_hands=True), left, left.arm, None)
    with pytest.raises(UserError, match="got --goal with --hand left, expected one of them"):
        GoalConfig(tmp_path, hand="left", goal=tmp_path / "picture.png")
    with pytest.raises(UserError, match="got --goal joints with --hand left, expected --goal hand or image"):
        LearningConfig(tmp_path, goal="joints", hand="left")


def test_each_of_two_hands_has_its_errors_over_the_pictures_that_show_it(both: Dataset, left: Dataset):
    there, shown = np.zeros((3, 2, 3)), np.array([[True, False], [True, False], [False, False]])
    here = there + np.array([0.01, 0.04])[:, None]  # each coordinate of the right and of the left hand, m
    here[1, 0] = [0.03, 0, 0]
    found = metrics.each_hand(here, there, shown, both.arm)
    assert list(found) == ["right"]  # no picture shows the left one
    assert found["right"].mean == pytest.approx(50 * (0.01 * 3**0.5 + 0.03))
    goals = [Goal(np.zeros((64, 64)), hands=hands) for hands in there]
    assert each_hand(goals, list(here), both.arm)["left"].mean == pytest.approx(4 * 3**0.5)  # unknown: all count
    assert metrics.each_hand(here[:, :1], there[:, :1], shown[:, :1], left.arm) == {}


def test_reaching_with_the_left_of_two_hands_tells_each_hand_in_its_own_column(more: Dataset, tmp_path: Path):
    run, data = ["--run", str(tmp_path)], ["--data", str(more.path)]
    for command in (
        ["train-ae", *run, *data, "--epochs", "1", "--width", "4"],
        ["train-som", *run, "--rows", "8", "--columns", "7"],
        ["evaluate", *run],
        ["reach", *run, "--goals", "3", "--hand", "left"],
        ["train-rl", *run, "--algorithm", "oracle", "--hand", "left", "--goals", "3", "--no-video"],
    ):
        assert cli.main(command) == 0, command
    found = runs.metrics_of(tmp_path)
    row = found.reach["test, left hand"]["som_ae"]
    assert row.hands_cm["left"] == row.hand_error_cm
    assert list(found.details["som_ae"]["vision->proprioception"]["all"].hands_cm) == ["right", "left"]
    header, _ = reach.table(found.reach["test, left hand"])
    assert "left mean cm" in header
    assert (tmp_path / "rl" / "oracle_hand_left" / "seed0" / "result.json").exists()
