"""The whole paper at the tiny preset: what it leaves behind, and that it goes on where it was stopped."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

from training import report, reproduce
from training.act import reach
from training.compare import evaluate
from training.measure.senses import MAPPINGS
from training.runs.pool import Task, run_all
from training.train import regressor as train_regressor


def metrics(run: Path) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_the_run_s_folder_holds_what_is_promised(tiny_run: Path):
    names = {path.name for path in tiny_run.iterdir()}
    assert names >= {
        "config.json", "autoencoder.safetensors", "som.safetensors", "metrics.json", "report.html", "figures", "videos",
    }  # fmt: skip


def test_the_metrics_are_as_designed(tiny_run: Path):
    result = metrics(tiny_run)
    mappings = set(MAPPINGS)
    for name in ("som_ae", "som_ae_local_linear", "som", "constant", "nearest_neighbor", "knn"):
        row = result["table1"][name]
        assert set(row) == mappings | {"overall"}, name
        assert all(0 < entry["mae"] < 1 and 0 <= entry["std"] < 1 for entry in row.values())
        assert row["overall"]["mae"] == pytest.approx(np.mean([row[m]["mae"] for m in mappings]), rel=1e-5)
        assert result["hand_error_cm"][name]["all"]["mean"] > 0
        assert len(result["joint_error_deg"][name]["all"]) == 5
    assert all(set(result["table1"][name]) == {"vision->proprioception"} for name in ("regressor", "glance"))
    assert set(result["map"]) >= {"quantization_error", "topographic_error", "trustworthiness"}
    assert result["reach"]["test"]["som_ae"]["goals"] == 4
    assert set(result["reach"]["test"]) >= {
        "som_ae_local_linear",
        "nearest_neighbor",
        "regressor",
        "imagination",
        "looks",
    }
    assert result["reach"]["test"]["looks"]["looks"] > 0
    stages = {
        "collect",
        "train-ae",
        "train-som",
        "train-generator",
        "train-glance",
        "train-regressor",
        "train-pixel-som",
    }
    stages |= {"calibrate", "evaluate", "reach"}
    assert set(result["timing_s"]) == set(result["cost"]) >= stages
    assert all(cost["cpu_s"] > 0 for cost in result["cost"].values())


def test_versions_config_and_commands_are_recorded(tiny_run: Path):
    recorded = json.loads((tiny_run / "config.json").read_text())
    assert recorded["versions"]["mujoco"]
    assert recorded["train-som"]["rows"] == 20
    assert recorded["command"]["train-ae"].startswith("infant-arm")


class Links(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attributes if name in ("src", "href", "poster", "data")]


def test_the_report_fetches_nothing(tiny_run: Path):
    page = (tiny_run / "report.html").read_text()
    links = Links()
    links.feed(page)
    assert len(links.found) >= 9
    assert all(link.startswith(("data:image/png;base64,", "data:video/mp4;base64,")) for link in links.found)
    assert "://" not in re.sub(r"base64,[^\"]*", "", page)
    for heading in (
        "Table 1",
        "The paper's two columns",
        "What it recalls",
        "The map",
        "Reaching",
        "Training",
        "Where the time went",
    ):
        assert heading in page


def test_the_film_plays(tiny_run: Path):
    frames = iio.imread(tiny_run / "videos" / "reach.mp4")
    assert len(frames) >= 4 * 5
    assert frames.shape[1:] == (640, 1440, 3)
    assert frames.std() > 10


def test_done_again_nothing_changes(tiny_run: Path):
    before = {path: path.stat().st_mtime_ns for path in tiny_run.glob("*.safetensors")}
    table = metrics(tiny_run)["table1"]
    reproduce.run(reproduce.Config("tiny", tiny_run, workers=1))
    assert {path: path.stat().st_mtime_ns for path in tiny_run.glob("*.safetensors")} == before
    assert metrics(tiny_run)["table1"] == table


def test_killed_and_started_again_it_ends_with_the_same_table(tiny_run: Path, tmp_path: Path):
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "training", "reproduce", "--preset", "tiny", "--out", str(out), "--workers", "1"]
    for landmark in ("dataset/shards/shard-00001.h5", "autoencoder.safetensors", "som.safetensors"):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while not (out / landmark).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (out / landmark).exists()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    reproduce.run(reproduce.Config("tiny", out, workers=1))
    assert metrics(out)["table1"] == metrics(tiny_run)["table1"]
    assert _untimed(metrics(out)["reach"]["test"]) == _untimed(metrics(tiny_run)["reach"]["test"])
    for name in ("autoencoder.safetensors", "som.safetensors", "generator.safetensors", "calibration.json"):
        assert (out / name).read_bytes() == (tiny_run / name).read_bytes()


def _untimed(rows: dict[str, Any]) -> dict[str, Any]:
    return {name: {key: value for key, value in row.items() if key != "ms_per_goal"} for name, row in rows.items()}


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "copy"))


def test_it_reaches_for_a_picture_file(copy: Path):
    rows = reach.run(reach.Config(copy, goal=copy / "dataset" / "background.png", steps=2))
    assert rows["som_ae"].goals == 1
    assert rows["som_ae"].hand_error_cm is None  # nobody knows where the hand should be


def test_it_reaches_for_what_it_imagines(copy: Path):
    rows = reach.run(reach.Config(copy, imagine=True, goals=2, steps=2))
    assert rows["som_ae_local_linear"].goals == 2
    assert set(metrics(copy)["reach"]) == {"test", "imagined"}


def test_it_reaches_for_a_pose(copy: Path):
    rows = reach.run(reach.Config(copy, goal_joints=(20, 30, -20, 60, 10), steps=2, looks=1))
    assert rows["looks"].hand_error_cm.mean > 0
    with pytest.raises(ValueError, match="expected degrees within right_shoulder_flexion -52..115"):
        reach.run(reach.Config(copy, goal_joints=(400, 0, 0, 0, 0)))


def test_a_run_without_a_generator_says_how_to_get_the_agent(copy: Path, capsys: pytest.CaptureFixture[str]):
    (copy / "generator.safetensors").unlink()
    assert "looks" not in reach.run(reach.Config(copy, goals=2, steps=2))
    assert "`infant-arm train-generator`" in capsys.readouterr().out


def test_a_run_without_yardsticks_says_how_to_add_them(copy: Path, capsys: pytest.CaptureFixture[str]):
    (copy / "pixel_som.safetensors").unlink()
    (copy / "regressor.safetensors").unlink()
    assert not {"som", "regressor"} & set(evaluate.run(evaluate.Config(copy)).table1)
    assert "som: not trained; `infant-arm train-pixel-som" in capsys.readouterr().out
    assert "The paper's two columns" not in report.run(report.Config(copy)).read_text()


def test_a_yardstick_that_cannot_be_trained_says_so_here(tmp_path: Path):
    stage = Task("regressor", train_regressor.run, train_regressor.Config(tmp_path, data=tmp_path / "none"))
    with pytest.raises(ValueError, match="none"):
        run_all([stage], tmp_path, 1)


def test_a_file_that_is_no_picture_is_refused(copy: Path, tmp_path: Path):
    (tmp_path / "goal.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"goal\.png cannot be read as a picture"):
        reach.run(reach.Config(copy, goal=tmp_path / "goal.png"))
    iio.imwrite(tmp_path / "square.png", np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(ValueError, match="50x50 pixels, expected the eye's aspect"):
        reach.run(reach.Config(copy, goal=tmp_path / "square.png"))
