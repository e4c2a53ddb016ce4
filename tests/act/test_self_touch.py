"""Touching one's own skin with closed eyes, by what the map remembers."""

from pathlib import Path

import pytest

from infant_env.errors import UserError
from training.act import self_touch
from training.data import collect
from training.runs.folder import metrics_of
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
    assert list(first) == ["map, winner", "map, local linear", "nearest contact"]
    for row in first.values():
        assert 50 < row.patches < 525
        assert row.within == sorted(row.within)
        assert row.within[2] > 0.05, "even 36 contacts bring the hand near some patches"
    assert metrics_of(run).self_touch == first
    assert self_touch.run(self_touch.Config(run, device="cpu")) == first
    assert "patches that a hand can reach" in capsys.readouterr().out


def test_a_data_set_without_contacts_is_refused(tmp_path: Path):
    run = run_with(tmp_path)
    with pytest.raises(
        UserError, match="has no babbled contacts, expected a data set of `infant-arm collect --touch --touching`"
    ):
        self_touch.run(self_touch.Config(run, device="cpu"))
