"""The studio without a browser: its command, the infant's thread, and where a click on the map lands."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from infant_env.body.model import ArmModel
from infant_env.senses.vision import GRAY
from training import cli
from training.act.goals import goal_picture
from training.data.dataset import Dataset
from training.studio.app import Config
from training.studio.board import Board
from training.studio.infant import Behavior, LiveInfant, Moment, retrying
from training.studio.pictures import Cell, TestPictures, grid
from training.studio.studio import spoken


def test_a_missing_extra_is_answered_by_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "mjviser", None)
    assert cli.main(["studio", "--run", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "pip install 'infant-arm[studio]'" in error
    assert error.count("\n") == 1


def test_the_command_loads_nothing_of_the_studio_before_it_runs():
    code = "import sys; from training.studio import app; print({'viser', 'mjviser', 'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_a_senseless_port_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="got --port 0, expected a whole number from 1 up to 65,535"):
        Config(tmp_path, port=0)


BOARD = Board(center=(0.0, 0.0, 1.0), facing=0.0, side=2.0, shape=(4, 8))  # looks along x; y is to its right


def test_joints_are_spoken_of_with_their_side_only_where_there_are_two():
    assert spoken(["left_elbow_flexion", "left_wrist_flexion"]) == ["elbow flexion", "wrist flexion"]
    assert spoken(["right_elbow_flexion", "left_elbow_flexion"]) == ["right elbow flexion", "left elbow flexion"]
    assert spoken(["arm_lift", "arm_turn"]) == ["arm lift", "arm turn"]


def test_a_click_finds_its_neuron():
    assert BOARD.neuron_at((5.0, 0.75, 1.75), (-1.0, 0.0, 0.0)) == (0, 7)
    assert BOARD.neuron_at((5.0, -0.9, 0.1), (-1.0, 0.0, 0.0)) == (3, 0)


def test_a_click_beside_the_map_or_from_behind_finds_none():
    assert BOARD.neuron_at((5.0, 1.1, 1.0), (-1.0, 0.0, 0.0)) is None
    assert BOARD.neuron_at((5.0, 0.0, 2.05), (-1.0, 0.0, 0.0)) is None  # the line of text above
    assert BOARD.neuron_at((-5.0, 0.0, 1.0), (1.0, 0.0, 0.0)) is None


def test_a_neuron_is_found_where_it_is_shown_however_the_board_is_turned():
    board = Board((0.3, -0.2, 0.9), -34.0, 0.6, (800, 500))
    eye = np.array([1.4, -1.0, 0.8])
    for neuron in ((0, 0), (799, 499), (310, 42)):
        assert board.neuron_at(eye, board.place_of(*neuron) - eye) == neuron


@pytest.fixture
def infant(arm: ArmModel) -> Iterator[LiveInfant]:
    infant = LiveInfant(arm, (60, 100), seed=1)
    infant.start()
    yield infant
    infant.close()


def until(infant: LiveInfant, condition: threading.Event) -> None:
    assert condition.wait(timeout=60)


def when_arrived(infant: LiveInfant) -> threading.Event:
    arrived = threading.Event()
    infant.listeners.append(lambda moment: arrived.set() if infant.at_rest else None)
    return arrived


def test_a_target_moves_the_arm_there(infant: LiveInfant):
    wanted = infant.arm.joint_ranges.mean(1) + np.array([0.3, -0.2, 0.3, -0.3, 0.2])
    arrived = when_arrived(infant)
    infant.do(lambda: infant.move_to(wanted))
    until(infant, arrived)
    assert np.abs(infant.moment.joints - wanted).max() < np.radians(1)


def test_nothing_is_simulated_while_nothing_moves(infant: LiveInfant):
    arrived, moments = when_arrived(infant), list[Moment]()
    infant.do(lambda: infant.move_to(infant.targets))
    until(infant, arrived)
    infant.listeners.append(moments.append)
    for _ in range(3):
        done = threading.Event()
        infant.do(done.set)
        until(infant, done)
    assert moments == []


def test_of_jobs_that_wait_the_newest_of_its_kind_is_done(infant: LiveInfant):
    gate, last, done = threading.Event(), threading.Event(), list[int]()
    infant.do(lambda: until(infant, gate))
    for number in (1, 2, 3):
        infant.do(lambda number=number: done.append(number), "slider")
    infant.do(last.set)
    gate.set()
    until(infant, last)
    assert done == [3] or done == [1, 3]  # the first may have begun before the others came


def test_a_behavior_that_fails_is_reported_and_the_infant_lives_on(infant: LiveInfant):
    def fails() -> Behavior:
        yield None
        raise ValueError("no such pose")

    failed, errors = threading.Event(), list[Exception]()
    infant.do(lambda: infant.perform(fails(), lambda error: (errors.append(error), failed.set())))
    until(infant, failed)
    assert str(errors[0]) == "no such pose"
    arrived = when_arrived(infant)
    infant.do(lambda: infant.move_to(infant.targets + 0.1))
    until(infant, arrived)


def test_a_behavior_waits_for_the_user_and_is_ended_by_a_new_target(infant: LiveInfant):
    ended, waits = threading.Event(), threading.Event()

    def behavior() -> Behavior:
        try:
            infant.waiting = True
            waits.set()
            yield None
            raise AssertionError("went on by itself")
        finally:
            ended.set()

    infant.do(lambda: infant.perform(behavior(), lambda error: None))
    until(infant, waits)
    arrived = when_arrived(infant)
    infant.do(lambda: infant.move_to(infant.targets))
    until(infant, ended)
    until(infant, arrived)
    assert infant.behavior is None


def test_it_takes_another_body(infant: LiveInfant):
    grown, bodies = threading.Event(), list[ArmModel]()
    infant.body_listeners.append(bodies.append)
    infant.do(lambda: (infant.change_body(ArmModel.infant(2.0)), grown.set()))
    until(infant, grown)
    assert bodies == [infant.arm]
    low, high = infant.arm.joint_ranges.T
    assert ((infant.moment.joints >= low - 1e-3) & (infant.moment.joints <= high + 1e-3)).all()


def test_a_broken_picture_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^dog\.png cannot be read as a picture; expected a PNG"):
        goal_picture(Path("dog.png"), b"no picture")


def test_a_test_picture_is_as_the_data_set_holds_it(small_data: Dataset):
    pictures = TestPictures(small_data, GRAY)
    test = small_data.split("test")
    sample = test[small_data.shows_hand[test]][len(pictures) - 1]
    chosen = pictures[len(pictures)]
    assert np.array_equal(chosen.goal.picture, small_data.pictures[sample])
    assert np.array_equal(chosen.frame, small_data.eye(int(sample)))
    assert np.array_equal(chosen.goal.hands, small_data.hand_position[[sample]])


def test_a_grid_holds_its_pictures_at_the_eyes_aspect():
    black = np.zeros((60, 100, 3), np.uint8)
    picture = grid([Cell("a", black), Cell("b", None), Cell("c", np.ones((64, 64)))], 2)
    assert picture.shape == (2 * (189 + 30 + 10), 640, 3)
    assert (picture[30 : 30 + 189, :315] == 0).all()


def test_a_browser_that_leaves_at_the_wrong_moment_does_no_harm():
    calls: list[int] = []

    def job() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise RuntimeError("deque mutated during iteration")

    retrying(job)
    assert calls == [0, 1]
    with pytest.raises(RuntimeError, match="something else"):
        retrying(lambda: (_ for _ in ()).throw(RuntimeError("something else")))
