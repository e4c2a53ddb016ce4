"""The studio with an infant that has both eyes, both arms, wrists, touch, and imperfect senses: `make test-studio`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest

from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from training import cli
from training.data import collect
from training.show.film import as_seen

pytestmark = pytest.mark.studio
pytest.importorskip("viser", reason="make test-studio installs it")

from training.studio.mind_view import SIZE  # noqa: E402
from training.studio.page import Page  # noqa: E402

FREE = np.deg2rad([35, 25, -35, 95, 0, 0, 0] * 2)
HAND_ON_THIGH = np.concatenate([np.deg2rad([-6, 2, -20, 93, -11, 0, 0]), FREE[7:]])
SENSED = [
    "--eyes",
    "both",
    "--arms",
    "both",
    "--wrist",
    "--touch",
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


def test_a_gaze_that_turns_is_refused_with_the_command_that_shows_its_maps(tmp_path: Path):
    run = tmp_path / "run"
    data = collect.run(collect.Config(run / "dataset", samples=5, eye_size=(36, 60), gaze="eyes", workers=1))
    with pytest.raises(UserError, match=r"--gaze eyes, expected a data set of --gaze held.*infant-arm report --run"):
        Page(run, "127.0.0.1", 8791, seed=0, device="cpu")
    assert data.body.gaze == "eyes"
