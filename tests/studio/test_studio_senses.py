"""The studio with an infant with both eyes, which move, both arms, wrists, touch, and imperfect senses: `make test-studio`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest

from infant_env.body.model import ArmModel
from training import cli
from training.show.film import as_seen

pytestmark = pytest.mark.studio
pytest.importorskip("viser", reason="make test-studio installs it")

from training.studio.mind_view import SIZE  # noqa: E402
from training.studio.page import Page  # noqa: E402
from training.studio.pictures import TestPictures  # noqa: E402

FREE = np.deg2rad([35, 25, -35, 95, 0, 0, 0] * 2)
HAND_ON_THIGH = np.concatenate([np.deg2rad([-6, 2, -20, 93, -11, 0, 0]), FREE[7:]])
SENSED = [
    "--eyes",
    "both",
    "--arms",
    "both",
    "--wrist",
    "--touch",
    *["--gaze", "eyes"],
    "--senses",
    *["joints", "3", "20", "eye", "0.02", "40"],
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 60 poses with the smallest models."""
    run = tmp_path_factory.mktemp("sensed") / "run"
    data, of = ["--data", run / "dataset"], ["--run", run]
    size = ["--samples", 60, "--eye-size", 60, 100, "--shard-size", 20, "--workers", 1]
    for command in (
        ["collect", "--out", run / "dataset", *size, *SENSED],
        ["train-ae", *data, *of, "--epochs", 1, "--width", 4],
        ["train-som", *of, "--rows", 8, "--columns", 7],
        ["train-generator", *data, *of, "--epochs", 1, "--width", 1, "--points", 2],
        ["train-glance", *data, *of, "--epochs", 1],
        ["calibrate", *of, "--samples", 5],
    ):
        assert cli.main([str(word) for word in command]) == 0, command
    return run


@pytest.fixture(scope="module")
def page(run: Path) -> Iterator[Page]:
    page = Page(run, "127.0.0.1", 8790, seed=0, device="cpu")
    yield page
    page.close()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, f"waited in vain for {seconds} s"
        sleep(0.05)


def rest_in(page: Page, joints: np.ndarray) -> None:
    page.infant.do(lambda: page.infant.move_to(joints))
    until(lambda: np.array_equal(page.infant.targets, joints) and page.infant.at_rest)
    shown = Event()
    page.infant.do(shown.set)  # the views have shown the last moment, too
    assert shown.wait(60)


def test_the_left_picture_is_that_of_the_left_eye(page: Page):
    rest_in(page, page.infant.arm.joint_ranges.mean(axis=1))
    left, right = (page.infant.moment.observation[name] for name in ("eye_left", "eye"))
    assert (left != right).any()
    assert np.array_equal(page.mind.left, as_seen(left, (60, 100), SIZE))
    assert np.array_equal(page.mind.pictures[0], as_seen(right, (60, 100), SIZE))


def test_a_touched_place_has_a_ball_that_goes_when_the_touch_ends(page: Page):
    balls = page.body.touched.balls
    rest_in(page, HAND_ON_THIGH)
    thigh = page.infant.touch.centers(page.infant.data)[page.infant.touch.names.index("right_thigh_top_4")]
    shown = [ball.position for ball in balls if ball.visible]
    assert min(np.linalg.norm(np.array(place) - thigh) for place in shown) < 0.03
    rest_in(page, FREE)
    assert not any(ball.visible for ball in balls)


def test_an_infant_with_noisy_joints_comes_to_rest(page: Page):
    rest_in(page, page.infant.arm.joint_ranges.mean(axis=1) + 0.1)
    felt = page.infant.moment.observation["joints"] - page.infant.data.qpos[page.infant.arm.qpos_ids]
    assert 0 < np.abs(felt).max() < np.deg2rad(3) * 6


def test_another_age_keeps_all_senses(page: Page):
    younger = ArmModel.of(replace(page.infant.arm.body, age_months=6.0))
    page.infant.do(lambda: page.infant.change_body(younger))
    until(lambda: page.infant.arm is younger)
    rest_in(page, page.infant.arm.joint_ranges.mean(axis=1))
    assert {"eye", "eye_left", "touch"} <= set(page.infant.moment.observation)
    assert len(page.infant.arm.joint_names) == 14


def test_the_eye_turns_and_the_mind_is_told(page: Page):
    rest_in(page, page.infant.arm.joint_ranges.mean(axis=1))
    straight, wanted = page.mind.pictures, np.deg2rad([20.0, -10.0])
    page.infant.do(lambda: page.infant.look(wanted))
    until(lambda: np.array_equal(page.infant.gaze, wanted) and page.infant.at_rest)
    np.testing.assert_allclose(page.infant.moment.gaze, wanted, atol=np.deg2rad(0.5))
    seen, imagined, *_ = zip(page.mind.pictures, straight, strict=True)
    assert (seen[0] != seen[1]).mean() > 0.1
    assert (imagined[0] != imagined[1]).mean() > 0.1
    assert [slider.value for slider in page.body.gaze_sliders] == [20, -10]


def test_it_looks_where_the_picture_was_seen_that_it_reaches_for(page: Page):
    chosen, failed = TestPictures(page.studio.data, page.studio.agent.imagination.format)[1], list[Exception]()
    page.infant.do(lambda: page.infant.perform(page.reach.reach(chosen), failed.append))
    until(lambda: bool(failed) or np.abs(page.infant.moment.gaze - chosen.goal.gaze).max() < np.deg2rad(0.5))
    assert not failed
    page.infant.do(page.infant.stop)
