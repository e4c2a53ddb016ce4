"""Data sets of a body that differs from the built-in one of its age."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infant_env import ArmModel, Body, BodyChange
from training import cli
from training.data import collect
from training.data.dataset import Dataset
from training.data.info import collect_line

SIZE = {"samples": 8, "eye_size": (60, 100), "shard_size": 4, "seed": 3, "workers": 1}
CHANGE = BodyChange(
    forearm=1.3, rod=(0.2, 0.05), locked={"right_elbow_flexion": 1.0}, weak={"right_shoulder_flexion": 0.5}
)
WORDS = "--forearm 1.3 --rod 0.2 0.05 --locked right_elbow_flexion 1.0 --weak right_shoulder_flexion 0.5"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("changed") / "data"
    cli.main(["collect", "--out", str(folder), "--samples", "8", "--eye-size", "60", "100", "--shard-size", "4", "--seed", "3",
              "--workers", "1", *shlex.split(WORDS)])  # fmt: skip
    return Dataset.open(folder)


def test_the_body_is_recorded_and_made_again(changed: Dataset):
    assert changed.body == Body(change=CHANGE)
    assert changed.arm.fingerprint == ArmModel.infant(change=CHANGE).fingerprint
    recorded = json.loads((changed.path / "dataset.json").read_text())["config"]
    assert {name: recorded[name] for name in CHANGE.as_dict()} == CHANGE.as_dict()
    assert not {"upper_arm", "hand", "side"} & set(recorded)


def test_the_poses_have_the_joint_locked_and_the_hand_of_the_new_body(changed: Dataset):
    assert (changed.joints[:, 3] == 1).all()
    data = changed.arm.new_data()
    for joints, place in zip(changed.joints, changed.hand_position, strict=True):
        changed.arm.pose(data, joints)
        np.testing.assert_allclose(changed.arm.hand_position(data), place, atol=1e-6)


def test_the_line_that_goes_on_makes_the_same_data_set(changed: Dataset):
    line = collect_line(changed.path, changed.info)
    assert all(words in line for words in WORDS.split(" --"))
    assert cli.main(shlex.split(line)[1:]) == 0
    assert collect.again(changed, changed.path, 3, 1).recipe == changed.info.recipe


def test_a_body_without_a_change_leaves_no_trace(tmp_path: Path):
    data = collect.run(collect.Config(tmp_path / "data", **SIZE))  # type: ignore[arg-type]
    recorded = json.loads((data.path / "dataset.json").read_text())["config"]
    assert not set(BodyChange.__dataclass_fields__) & set(recorded)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--locked knee 1", "got locked joints ['knee'], expected names among"),
        ("--forearm 9", "got --forearm 9.0, expected a finite number from 0.25 up to 4"),
        ("--rod 3 0.1", "got rod=3.0, expected the length of a rod, m, from 0.02 to 1"),
        ("--side left --hand 1.2", "got a change of side='left', expected an arm that moves, here ['right']"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(
    words: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[Any]
):
    assert cli.main(["collect", "--out", str(tmp_path / "data"), *shlex.split(words)]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
