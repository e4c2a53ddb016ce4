"""`infant-arm tune`: every method gets the same number of trials, on the validation split alone."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from agents.tools import json_files
from agents.tools.files import write_json
from training import cli
from training.compare import evaluate, tune
from training.compare.trials import label
from training.data.dataset import Dataset
from training.methods.registry import METHODS, SIDE
from training.runs import folder as runs

TRIALS = {method.name: method.trials for method in METHODS if method.trials}
FEW = ("som_ae", "som", "regressor", "glance", "dnm", "mmcm", "knn")


@pytest.fixture(scope="module")
def tuned(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run, with the first and the last setting of some methods."""
    run = Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("tuned") / "run"))
    with pytest.MonkeyPatch.context() as patch:
        few = [replace(m, trials=(m.trials[0], m.trials[-1])) for m in METHODS if m.name in FEW]
        patch.setattr(tune, "METHODS", few)
        assert cli.main(["tune", "--run", str(run), "--device", "cpu"]) == 0
    return run


def test_every_method_has_as_many_settings_the_first_as_compared():
    assert {len(settings) for settings in TRIALS.values()} == {6}
    for settings in TRIALS.values():
        assert settings[0] == {}
        assert len({label(changes) for changes in settings}) == 6


def test_every_change_changes_how_something_is_trained(tiny_run: Path):
    attempts = tune.attempts_of(tune.Config(tiny_run, device="cpu"))
    usual = {tried.method: [asdict(stage) | {"run": None} for stage in tried.stages] for tried in reversed(attempts)}
    for tried in attempts:
        stages = [asdict(stage) | {"run": None} for stage in tried.stages]
        for name, value in tried.changes.items():
            if name not in (SIDE, "neighbors"):
                assert any(stage.get(name) == value for stage in stages), (tried.method, name)
        assert (stages == usual[tried.method]) == (not tried.changes or tried.method == "knn")


def test_what_is_found_are_errors_on_the_validation_split(tuned: Path):
    found = json_files.load(tuned / "trials.json", "tune again")
    assert list(found) == list(FEW)
    for method, trials in found.items():
        assert [trial["setting"] for trial in trials] == ["as compared", label(TRIALS[method][-1])]
        assert trials[0]["error"]["overall"] != trials[1]["error"]["overall"]
    assert set(found["regressor"][0]["error"]) == {"vision->proprioception", "overall"}
    data = Dataset.open(runs.data_of(tuned))
    seen, asked = (data.normalized_joints[data.split(split)] for split in ("train", "validation"))
    nearest = np.square(asked[:, None] - seen).sum(2).argsort(1)[:, : evaluate.Config.neighbors]
    error = np.abs(seen[nearest].mean(1) - asked).mean()
    assert found["knn"][0]["error"]["proprioception->proprioception"] == pytest.approx(error, rel=1e-4)


def test_what_was_trained_is_neither_trained_nor_judged_again(tuned: Path):
    before = {path: path.stat().st_mtime_ns for path in tuned.rglob("*/mmcm/*/[a-z]*")}
    assert len(before) == 6  # two checkpoints, their configs and metrics
    (tried,) = (t for t in tune.attempts_of(tune.Config(tuned, device="cpu")) if (t.method, t.changes) == ("mmcm", {}))
    tune.attempt(tried)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_on_another_data_set_or_with_other_defaults_it_is_judged_again(tuned: Path):
    attempts = tune.attempts_of(tune.Config(tuned, device="cpu"))
    (tried,) = (t for t in attempts if (t.method, t.changes) == ("knn", {}))
    path = tried.run / "metrics.json"
    before = path.stat().st_mtime_ns
    tune.attempt(tried)
    assert path.stat().st_mtime_ns == before
    for changed in (replace(tried, fingerprint="another"), replace(tried, neighbors=3)):
        tune.attempt(changed)
        assert path.stat().st_mtime_ns > before
        before = path.stat().st_mtime_ns


def test_a_folder_without_a_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["tune", "--run", str(tmp_path)]) == 2
    assert "holds no trained autoencoder" in capsys.readouterr().err


def test_a_trial_that_is_damaged_is_judged_again(tuned: Path):
    (tried,) = (t for t in tune.attempts_of(tune.Config(tuned, device="cpu")) if (t.method, t.changes) == ("knn", {}))
    tune.attempt(tried)
    before, path = runs.metrics_of(tried.run).trial, tried.run / "metrics.json"
    write_json(path, json.loads(path.read_text()) | {"trial": {"setting": 3}})
    tune.attempt(tried)
    assert runs.metrics_of(tried.run).trial.error == before.error
