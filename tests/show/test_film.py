"""Pictures at the eye's aspect, and films of them."""

from pathlib import Path

import imageio.v3 as iio
import mujoco
import numpy as np
import pytest

from infant_env.body.model import ArmModel
from infant_env.senses.camera import OutsideCamera
from infant_env.senses.skin.touch import Touch
from infant_env.senses.vision import to_rgb
from training.show.film import PANEL, Video, as_seen, fit, inside, what_it_sees
from training.show.outside_view import OutsideView, strongest


@pytest.mark.parametrize(
    ("eye", "wanted"),
    [
        ((300, 500), (288, 480)),
        ((60, 100), (288, 480)),
        ((120, 160), (288, 384)),
        ((64, 64), (288, 288)),
        ((60, 200), (144, 480)),
    ],
)
def test_a_frame_keeps_the_eye_s_aspect_in_a_panel(eye: tuple[int, int], wanted: tuple[int, int]):
    assert inside(eye, (288, 480)) == wanted


def test_pictures_of_the_paper_s_aspect_fill_their_panel():
    gray, frame = (
        np.linspace(0, 1, 64 * 64).reshape(64, 64),
        np.arange(60 * 100 * 3, dtype=np.uint8).reshape(60, 100, 3),
    )
    assert np.array_equal(as_seen(gray, (300, 500), (114, 152)), to_rgb(gray, (114, 152)))
    assert np.array_equal(as_seen(frame, (60, 100)), fit(frame))


def test_a_square_eye_has_white_at_its_sides():
    shown = as_seen(np.zeros((64, 64)), (64, 64), (6, 10))
    assert shown[..., 0].tolist() == [[255, 255, 0, 0, 0, 0, 0, 0, 255, 255]] * 6


def test_a_film_appears_whole(tmp_path: Path):
    video = Video(tmp_path / "videos" / "a.mp4")
    for gray in range(3):
        video.add([("panel", np.full((*PANEL, 3), gray, np.uint8))] * 3)
        assert not (tmp_path / "videos" / "a.mp4").exists()
    video.close()
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["a.mp4"]
    assert len(iio.imread(tmp_path / "videos" / "a.mp4")) == 3


def test_an_infant_with_one_eye_has_its_frame_in_the_whole_panel():
    frame = np.arange(60 * 100 * 3, dtype=np.uint8).reshape(60, 100, 3)
    label, panel = what_it_sees({"eye": frame})
    assert label == "what its eye sees"
    assert np.array_equal(panel, as_seen(frame, (60, 100)))


@pytest.mark.parametrize("eye", [(60, 100), (64, 64), (60, 200)])
def test_of_two_eyes_the_left_frame_is_left_and_both_are_half_as_large(eye: tuple[int, int]):
    black, gray = np.zeros((*eye, 3), np.uint8), np.full((*eye, 3), 100, np.uint8)
    _, panel = what_it_sees({"eye": gray, "eye_left": black})
    assert panel.shape == (*PANEL, 3)
    assert not (panel[:, :236] == 100).any()
    assert not (panel[:, 244:] == 0).any()
    rows, columns = np.nonzero(panel[..., 0] == 0)
    high, wide = inside(eye, (140, 236))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (high, wide)


@pytest.fixture(scope="module")
def finger_on_nose(arm: ArmModel) -> mujoco.MjData:
    data = arm.new_data()
    arm.pose(data, np.deg2rad([60, 48, 13, 142, 3]))
    return data


def test_a_touched_place_has_a_spot_and_a_name(arm: ArmModel, finger_on_nose: mujoco.MjData):
    plain, marked = (OutsideView(arm, PANEL, touch) for touch in (False, True))
    changed = (plain.render(finger_on_nose) != marked.render(finger_on_nose)).any(axis=2)
    rows, columns = np.nonzero(changed[:220])  # below, in the corner, stand the names
    middle = rows.mean(), columns.mean()
    camera = OutsideCamera(arm, PANEL)
    nose = camera.pixels(finger_on_nose, Touch(arm).touched(finger_on_nose).positions)[0]
    assert middle == pytest.approx(nose, abs=1)
    assert changed[220:, :200].any()
    assert not changed[220:, 240:].any()
    assert [line.split(":")[0] for line in strongest(Touch(arm), finger_on_nose)] == ["nose", "right index tip"]
    for view in (plain, marked, camera):
        view.close()


def test_an_infant_that_touches_nothing_looks_as_always(arm: ArmModel):
    data = arm.new_data()
    arm.pose(data, np.deg2rad([35, 25, -35, 95, 0]))
    plain, marked = (OutsideView(arm, PANEL, touch) for touch in (False, True))
    assert np.array_equal(plain.render(data), marked.render(data))
    plain.close()
    marked.close()
