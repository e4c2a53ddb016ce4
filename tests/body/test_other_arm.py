"""Anybody's arm goes through collect, train-ae, train-som and evaluate unchanged."""

import runpy
import sys
from pathlib import Path

import pytest

from training.act import reach
from training.compare import ablate, evaluate
from training.compare.variants import VARIANTS, Variant
from training.data import collect
from training.data.dataset import Dataset
from training.train import autoencoder as train_autoencoder
from training.train import som as train_som


@pytest.fixture(scope="module")
def mjcf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two-joint arm of `examples/another_arm.py`."""
    folder = tmp_path_factory.mktemp("planar")
    arguments, sys.argv = sys.argv, ["another_arm.py", str(folder)]
    try:
        runpy.run_path(str(Path(__file__).parents[2] / "examples" / "another_arm.py"))
    finally:
        sys.argv = arguments
    return folder / "planar.xml"


def test_a_two_joint_arm_goes_all_the_way(mjcf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data, run = tmp_path / "data", tmp_path / "run"
    collect.run(
        collect.Config(
            data, samples=100, eye_size=(60, 100), mjcf=mjcf, arm_joints=("shoulder", "elbow"),
            arm_bodies=("upper", "lower"), workers=1,
        )
    )  # fmt: skip
    train_autoencoder.run(train_autoencoder.Config(data=data, run=run, epochs=2))
    train_som.run(train_som.Config(run, rows=12, columns=10))
    results = evaluate.run(evaluate.Config(run))
    assert set(results.joint_error_deg["som_ae"]["all"]) == {"shoulder", "elbow"}
    assert (
        results.table1["som_ae"]["proprioception->proprioception"].mae
        < results.table1["constant"]["proprioception->proprioception"].mae
    )
    rows = reach.run(reach.Config(run, goals=2, steps=3))
    assert rows["som_ae"].goals == 2
    monkeypatch.setitem(VARIANTS, "visibility", lambda *_: [Variant("any", poses={"min_arm_in_view": 0.0})])
    ablate.run(ablate.Config(run, what="visibility", workers=1))
    other = Dataset.open(run / "ablations" / "visibility" / "any" / "dataset")
    assert other.info.identity()["body"] == Dataset.open(data).info.identity()["body"]  # the same arm, not the infant's
    assert other.info.recipe.min_arm_in_view == 0.0


def test_a_body_without_names_is_refused(mjcf: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="names of its arm's joints"):
        collect.run(collect.Config(tmp_path / "data", mjcf=mjcf))
