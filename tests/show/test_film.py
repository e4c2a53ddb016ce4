"""Pictures at the eye's aspect, and films of them."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from infant_env.senses.vision import to_rgb
from training.show.film import PANEL, Video, as_seen, fit, inside


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
