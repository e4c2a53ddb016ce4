"""Touching one's own skin with closed eyes, by what the map remembers."""

from pathlib import Path

import imageio.v2 as iio
import numpy as np
import pytest

from infant_env import ArmModel
from infant_env.errors import UserError
from infant_env.senses.skin.touch import Touch
from training.act import self_touch
from training.data import collect
from training.runs.folder import metrics_of
from training.show.touch_film import SkinView
from training.train import autoencoder, som


def run_with(folder: Path, **options: bool) -> Path:
    settings = collect.Config(
        folder / "dataset", 60, (36, 60), 30, workers=1, min_arm_in_view=0.0, touch=True, **options
    )
    data = collect.run(settings)
    autoencoder.run(autoencoder.Config(folder, data=data.path, epochs=1, device="cpu"))
    som.run(som.Config(folder, rows=8, columns=8, device="cpu"))
    return folder


def test_the_hand_reaches_for_each_patch_and_equal_seeds_give_equal_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = run_with(tmp_path, touching=True)
    first = self_touch.run(self_touch.Config(run, device="cpu"))
    names = ("map, winner", "map, local linear", "nearest contact")
    assert list(first) == [f"{name}, {tries}" for name in names for tries in ("one try", "at most 3")]
    for row in first.values():
        assert 50 < row.patches < 525
        assert row.within == sorted(row.within)
        assert row.within[2] > 0.05, "even 36 contacts bring the hand near some patches"
    for name in names:
        assert first[f"{name}, at most 3"].felt >= first[f"{name}, one try"].felt
    assert metrics_of(run).self_touch == first
    assert self_touch.run(self_touch.Config(run, device="cpu")) == first
    assert self_touch.run(self_touch.Config(run, device="cpu", video=True, video_patches=1, tries=1)) == {
        f"{name}, {tries}": first[f"{name}, one try"] for name in names for tries in ("one try", "at most 1")
    }
    with iio.get_reader(run / "videos" / "self_touch.mp4") as film:
        assert film.count_frames() == 12 + 25  # one reach
    assert "patches that a hand can reach" in capsys.readouterr().out


def test_a_data_set_without_contacts_is_refused(tmp_path: Path):
    run = run_with(tmp_path)
    with pytest.raises(
        UserError, match="has no babbled contacts, expected a data set of `infant-arm collect --touch --touching`"
    ):
        self_touch.run(self_touch.Config(run, device="cpu"))


def test_the_picture_of_the_skin_shows_the_wanted_patch_and_those_that_are_touched(arm: ArmModel):
    touch, data, view = Touch(arm), arm.new_data(), SkinView(arm, (288, 480))
    arm.place(data, np.zeros(5))
    nose, knee = touch.names.index("nose"), touch.names.index("left_thigh_top_3")
    assert view.name_of(knee) == "left thigh top 3"
    first, second = (view.render(data, patch).astype(int) for patch in (nose, knee))
    ring = np.argwhere((first != second).any(axis=2))
    for patch in (nose, knee):
        row, column = view._camera.pixels(data, touch.centers(data)[[patch]])[0]
        apart = np.linalg.norm(ring - [row, column], axis=1)
        assert (apart < 15).any()
    view.close()
