"""A run and a data set of version 0.1 still open, give what they gave, and go on where they stopped."""

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import Imagination, WorldModel
from agents.tools import checkpoints
from infant_env.senses.vision import GRAY
from training import cli
from training.data.dataset import Dataset
from training.runs import folder as runs
from training.studio.studio import Studio

TRAINING = "autoencoder.training.safetensors"
ARCHIVE = Path(__file__).with_name("run_of_0_1.tar.xz")
FINGERPRINT = "6ef69dddd5ba724647db0cefaf65d8c52681ff433cc2ff9eaad065d4d96e4399"
"""Of the data set, by version 0.1."""
THIRD_EPOCH = 0.019827786833047867
"""Validation error to which version 0.1 went on from the training that was stopped after two epochs."""


def command(*arguments: Any) -> None:
    assert cli.main([str(argument) for argument in arguments]) == 0


def metrics(run: Path) -> dict[str, Any]:
    return json.loads((run / "metrics.json").read_text())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of one's own."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "run"


def test_the_data_set_opens_with_the_same_fingerprint(run: Path):
    data = Dataset.open(run / "dataset")
    assert data.fingerprint == FINGERPRINT
    assert data.info.as_json() == json.loads((run / "dataset" / "dataset.json").read_text())
    assert data.eye_size == (60, 100)
    assert (data.body.age_months, data.body.mjcf) == (12.0, None)
    assert data.arm.fingerprint == data.info.body.fingerprint
    assert data.pictures.shape == (60, 64, 64)


def test_a_half_collected_data_set_is_completed_to_the_same_poses(run: Path):
    folder, whole = run / "dataset", Dataset.open(run / "dataset").joints
    content = json.loads((folder / "dataset.json").read_text())
    for count in ("accepted", "rejected"):
        del content[count]
    (folder / "dataset.json").write_text(json.dumps(content))
    (folder / "shards" / "shard-00001.h5").unlink()
    (folder / "index.h5").unlink()
    command(
        "collect", "--out", folder, "--samples", 60, "--eye-size", 60, 100, "--shard-size", 20, "--seed", 5, "--workers", 1
    )  # fmt: skip
    data = Dataset.open(folder)
    assert np.array_equal(data.joints, whole)
    assert data.fingerprint == FINGERPRINT
    assert data.info.versions["infant-arm"] == "0.1.0"


def test_what_is_there_is_not_made_again(run: Path, capsys: pytest.CaptureFixture[str]):
    data = ["--data", run / "dataset", "--run", run]
    before = {path.name: path.stat().st_mtime_ns for path in run.glob("*.safetensors")}
    command("train-ae", *data, "--epochs", 4, "--width", 4)
    command("train-som", "--run", run, "--rows", 8, "--columns", 7)
    command("train-generator", *data, "--epochs", 2, "--width", 1, "--points", 2)
    command("train-glance", *data, "--epochs", 2)
    command("train-regressor", *data, "--epochs", 2)
    command("train-pixel-som", *data, "--rows", 8, "--columns", 7)
    command("calibrate", "--run", run, "--samples", 10)
    command("train-world-model", "--run", run, "--steps", 50, "--check", 50, "--pictures", 2)
    assert capsys.readouterr().out.count("is there already") == 8
    assert {path.name: path.stat().st_mtime_ns for path in run.glob("*.safetensors")} == before


def test_a_training_that_was_stopped_goes_on(run: Path):
    _, header = checkpoints.read(run / TRAINING, "autoencoder training")
    command("train-ae", "--data", run / "dataset", "--run", run, "--epochs", 3, "--width", 4, "--device", "cpu")
    curve = metrics(run)["autoencoder"]["epochs"]
    assert curve[:2] == header["curve"]
    assert curve[2]["validation_mse"] == pytest.approx(THIRD_EPOCH, rel=0.02)  # in bfloat16
    assert not (run / TRAINING).exists()


def test_table_1_is_what_it_was(run: Path):
    before = metrics(run)
    command("evaluate", "--run", run, "--device", "cpu")
    after = metrics(run)
    assert after["table1"].keys() == before["table1"].keys()
    for method, row in before["table1"].items():
        for mapping, entry in row.items():
            if method.endswith("local_linear"):
                continue  # the readouts changed in 0.2
            assert after["table1"][method][mapping] == pytest.approx(entry, abs=1e-6), (method, mapping)
    assert after["hand_error_cm"]["som_ae"]["all"] == pytest.approx(before["hand_error_cm"]["som_ae"]["all"], abs=1e-4)


def test_it_reaches_and_imagines_as_it_did(run: Path):
    before = metrics(run)
    command("reach", "--run", run, "--goals", 2, "--steps", 4, "--device", "cpu")
    command("imagery", "--run", run, "--goals", 4, "--device", "cpu")
    after = metrics(run)
    for method, row in before["reach"]["test"].items():
        if method.endswith("local_linear") or method in ("imagination", "looks"):
            continue  # the readouts and the search changed in 0.2
        assert after["reach"]["test"][method]["hand_error_cm"]["mean"] == pytest.approx(
            row["hand_error_cm"]["mean"], abs=1e-2
        )
    thought = [told["imagery"]["hypotheses"]["all"] for told in (before, after)]
    assert thought[0].keys() == thought[1].keys()
    assert thought[1]["calibration_error"] == pytest.approx(thought[0]["calibration_error"], abs=1e-3)


def test_the_report_shows_all_of_it(run: Path):
    command("report", "--run", run)
    page = (run / "report.html").read_text()
    for title in (
        "Table 1",
        "The paper's two columns",
        "Reaching",
        "The agent's thoughts before it moves",
        "The world model",
    ):
        assert f"<h2>{title}</h2>" in page


def test_the_agent_s_parts_open(run: Path):
    imagination, world = Imagination.load(run), WorldModel.load(run)
    data = Dataset.open(runs.data_of(run))
    found = imagination.hypotheses(data.pictures[:2], 3)
    assert found.joints.shape == (2, 3, 5)
    assert world.poses.shape[1] == 5


@pytest.mark.parametrize("options", [[], ["--observation", "latents"], ["--world-model", "residual"]], ids=str)
def test_reinforcement_learning_begins_on_it(run: Path, options: list[str]):
    small = ["--steps", 30, "--judged-every", 30, "--goals", 2, "--no-video"]
    command("train-rl", "--run", run, *options, *small)
    assert list((run / "rl").glob("*/*"))


class _Page:
    """Stands in for the browser's page: takes every call and attribute; what it is asked to add has the value it starts with."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def __getattr__(self, name: str) -> "_Page":
        return _Page()

    def __call__(self, *_: Any, initial_value: Any = None, **__: Any) -> "_Page":
        return _Page(initial_value)

    def __enter__(self) -> "_Page":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def test_the_studio_shows_it(run: Path):
    from agents import MentalImageryAgent
    from training.studio.infant import LiveInfant
    from training.studio.map_view import MapView
    from training.studio.mind_view import MindView
    from training.studio.pictures import TestPictures
    from training.studio.plan_view import PlanView
    from training.studio.reach_view import ReachView

    data = Dataset.open(runs.data_of(run))
    infant = LiveInfant(data.arm, data.eye_size)
    studio = Studio(_Page(), infant, MentalImageryAgent.load(run), data, _Page(), _Page())
    pictures = TestPictures(data, GRAY)
    mind, reach = MindView(studio), ReachView(studio, pictures)
    MapView(studio, _Page())
    PlanView(studio, pictures)
    infant.start()
    infant.do(lambda: reach._choose(pictures[len(pictures)]))
    infant.close()
    assert all(picture.shape == (168, 280, 3) for picture in mind.pictures)
    assert mind.pictures[0].std() > 0


def test_a_run_that_was_moved_finds_its_data(run: Path, tmp_path: Path):
    moved = Path(shutil.move(run, tmp_path / "elsewhere"))
    assert runs.data_of(moved) == moved / "dataset"
