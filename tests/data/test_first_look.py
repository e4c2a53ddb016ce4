"""An eye that does not see arm or hand is said before the collection; with the advice of that line the collection works."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infant_env.errors import UserError
from infant_env.senses.camera import HAND_IN_VIEW
from training import cli
from training.data.collect import Config
from training.data.dataset import Dataset

TINY_HAND = """
<mujoco>
  <compiler angle="degree"/>
  <worldbody>
    <light pos="0 0 2"/>
    <geom type="plane" size="2 2 .1" rgba=".8 .8 .8 1"/>
    <camera name="eye" pos=".1 0 1" fovy="60"/>
    <camera name="sky" pos="0 0 3" xyaxes="1 0 0 0 -1 0"/>
    <body name="upper" pos="0 0 .3">
      <joint name="shoulder" axis="0 0 1" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03" rgba=".2 .3 .6 1"/>
      <body name="lower" pos=".2 0 0">
        <joint name="elbow" axis="0 0 1" range="0 150"/>
        <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" rgba=".9 .5 .2 1" contype="0"/>
        <body name="tool" pos=".18 0 0"><geom size=".008" contype="0"/></body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
COMMON = ["--arm-joints", "shoulder", "elbow", "--arm-bodies", "upper", "lower", "--samples", "40", "--workers", "1"]


@pytest.fixture
def mjcf(tmp_path: Path) -> Path:
    path = tmp_path / "arm.xml"
    path.write_text(TINY_HAND)
    return path


def collect(mjcf: Path, out: Path, *more: str, size: tuple[str, str] = ("60", "100")) -> int:
    return cli.main(["collect", "--out", str(out), "--mjcf", str(mjcf), *COMMON, "--eye-size", *size, *more])


def test_a_hand_that_is_never_seen_is_said_before_any_work_and_the_advice_works(
    mjcf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert collect(mjcf, tmp_path / "data", "--hand-bodies", "tool") == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert re.search(r"the hand \['tool'\] covers at most 0\.\d+% of the pixels, expected 0\.30% or more", line)
    assert not (tmp_path / "data").exists()
    advice = re.search(r"(--min-hand-in-view [\d.]+)\n", line)
    assert advice is not None
    assert collect(mjcf, tmp_path / "data", "--hand-bodies", "tool", *shlex.split(advice[1])) == 0
    assert Dataset.open(tmp_path / "data").shows_hand.any()


def test_a_camera_that_looks_away_is_said(mjcf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert collect(mjcf, tmp_path / "data", "--eye-camera", "sky") == 2
    assert "covers at most 0.00% of the pixels of the camera 'sky', expected 1.00% or more" in capsys.readouterr().err


def test_an_arm_that_is_too_small_is_said_and_the_advice_works(
    mjcf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert collect(mjcf, tmp_path / "data", "--min-arm-in-view", ".5") == 2
    advice = re.search(r"(--min-arm-in-view [\d.]+)\n", capsys.readouterr().err)
    assert advice is not None
    assert collect(mjcf, tmp_path / "data", *shlex.split(advice[1])) == 0


def test_the_limit_is_a_part_of_the_recipe_only_if_it_is_not_the_usual_one(mjcf: Path, tmp_path: Path):
    assert collect(mjcf, tmp_path / "usual") == 0
    assert collect(mjcf, tmp_path / "lower", "--min-hand-in-view", "0.006") == 0
    usual, lower = (Dataset.open(tmp_path / name) for name in ("usual", "lower"))
    assert "min_hand_in_view" not in usual.info.identity()["config"]
    assert lower.info.identity()["config"]["min_hand_in_view"] == 0.006
    assert np.array_equal(usual.joints, lower.joints)
    assert np.array_equal(usual.shows_hand, usual.column("hand_in_view") >= HAND_IN_VIEW)
    assert np.array_equal(lower.shows_hand, lower.column("hand_in_view") >= 0.006)
    assert 0 < lower.shows_hand.mean() < usual.shows_hand.mean()


@pytest.mark.parametrize("limit", [-0.1, 1.0, float("nan")])
def test_a_limit_that_is_no_share_is_refused(tmp_path: Path, limit: float):
    with pytest.raises(UserError, match="got --min-hand-in-view .*, expected a finite number from 0 below 1"):
        Config(tmp_path / "data", min_hand_in_view=limit)


def test_where_no_picture_shows_the_hand_every_command_ends_well_or_with_one_line(
    mjcf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """So are data sets of 0.1, which were collected without a look beforehand."""
    data, run = tmp_path / "data", tmp_path / "run"
    monkeypatch.setattr("training.data.collect.check_view", lambda *_: None)
    assert collect(mjcf, data, "--samples", "60", "--min-hand-in-view", "0.9") == 0
    assert not Dataset.open(data).shows_hand.any()

    def ends(*words: Any) -> int:
        return cli.main([*map(str, words), "--run", str(run)])

    assert ends("train-ae", "--data", data, "--epochs", 1, "--width", 4) == 0
    assert ends("train-som", "--rows", 5, "--columns", 4) == 0
    assert ends("train-generator", "--data", data, "--epochs", 1, "--width", 4) == 0
    assert ends("train-glance", "--data", data, "--epochs", 1) == 0
    assert ends("calibrate", "--samples", 4) == 0
    assert ends("evaluate") == 0
    assert ends("imagery", "--goals", 3) == 0
    assert ends("plan", "--pairs", 2) == 0
    assert ends("reach", "--hidden-hands", "--goals", 1, "--steps", 2, "--looks", 1) == 0
    assert ends("report") == 0
    details = json.loads((run / "metrics.json").read_text())["details"]
    assert all(set(subsets) == {"all"} for mappings in details.values() for subsets in mappings.values())
    for refused in (["reach"], ["train-rl", "--algorithm", "random", "--goal", "image", "--goals", "2", "--no-video"]):
        capsys.readouterr()
        assert ends(*refused) == 2
        line = capsys.readouterr().err.strip().splitlines()[-1]
        assert "show the hand" in line or "shows the hand" in line
        assert "min" in line
