import json
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from agents.mind.som_autoencoder import SomAutoencoder
from training.compare import ablate
from training.compare.variants import VARIANTS, What
from training.data.dataset import Dataset
from training.runs import folder as runs
from training.train import autoencoder


@pytest.fixture(scope="module")
def run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("ablated") / "run"))


def ablated(run: Path, what: What) -> dict:
    return ablate.run(ablate.Config(run, what=what, workers=1))


def test_everything_that_can_be_asked_for_has_variants_of_different_names(tiny_run: Path):
    assert set(get_args(What)) == set(VARIANTS)
    data = Dataset.open(runs.data_of(tiny_run))
    for variants in VARIANTS.values():
        labels = [variant.label for variant in variants(tiny_run, data)]
        assert len(set(labels)) == len(labels) > 1


def test_the_run_s_own_size_scores_as_the_run_did(run: Path):
    rows = ablated(run, "map_size")
    assert list(rows) == ["2x2", "5x5", "10x10", "20x20"]
    own = runs.metrics_of(run).table1["som_ae"]
    assert rows["20x20"]["som_ae"].table1 == own
    assert (
        rows["2x2"]["som_ae"].table1["proprioception->proprioception"].mae
        > 2 * own["proprioception->proprioception"].mae
    )
    assert (run / "figures" / "ablation_map_size.png").stat().st_size > 5_000


def test_an_autoencoder_of_its_own_is_trained(run: Path):
    rows = ablated(run, "joint_weight")
    assert list(rows) == ["0", "0.05", "0.2", "0.5"]
    errors = [row["som_ae"].table1["vision->vision"].mae for row in rows.values()]
    assert len(set(errors)) == 4
    config = json.loads((run / "ablations" / "joint_weight" / "0.2" / "config.json").read_text())
    assert config["train-ae"]["joint_weight"] == 0.2


def test_pictures_of_other_formats_are_drawn_and_judged_as_such(run: Path):
    rows = ablated(run, "picture")
    assert list(rows) == ["16x16", "32x32", "64x64", "128x128", "64x64 in color"]
    assert rows["64x64"]["som_ae"].table1 == runs.metrics_of(run).table1["som_ae"]
    mind = SomAutoencoder.load(run / "ablations" / "picture" / "64x64_in_color")
    assert mind.imagine(mind.joint_ranges.mean(1)[None]).shape == (1, 3, 64, 64)
    with pytest.raises(ValueError, match=r"got pictures of shape \(1, 64, 64\), expected \(B, 3, 64, 64\)"):
        mind.recall(np.zeros((1, 64, 64)))


def test_other_ages_are_tested_on_poses_of_their_own(run: Path):
    rows = ablated(run, "age")
    assert list(rows) == ["9 months", "12 months", "18 months"]
    other = Dataset.open(run / "ablations" / "age" / "18_months" / "tested")
    assert (other.body.age_months, len(other)) == (18, 8)


def test_fewer_samples_are_other_poses_than_those_it_is_tested_on(run: Path, monkeypatch: pytest.MonkeyPatch):
    all_of_them = VARIANTS["samples"]
    monkeypatch.setitem(VARIANTS, "samples", lambda *given: list(all_of_them(*given))[3:4])
    assert list(ablated(run, "samples")) == ["32"]
    few, own = Dataset.open(run / "ablations" / "samples" / "32" / "dataset"), Dataset.open(runs.data_of(run))
    assert len(few.split("train")) == 32
    third, whole = (autoencoder.STAGE.config_in(each).epochs for each in (few.path.parent, run))
    assert third == 3 * whole  # as many steps
    assert not {tuple(row) for row in few.joints.tolist()} & {tuple(row) for row in own.joints.tolist()}
