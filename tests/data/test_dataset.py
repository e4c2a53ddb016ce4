import dataclasses
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import SMALL
from msgspec import structs

from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses import vision
from infant_env.senses.camera import EyeCamera
from infant_env.senses.vision import to_gray
from training.data import collect, shards
from training.data.collect import Config
from training.data.dataset import Dataset
from training.runs.config import option


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "shards").iterdir())}


@pytest.fixture
def copy(small_data: Dataset, tmp_path: Path) -> Path:
    """A data set of one's own to damage."""
    return Path(shutil.copytree(small_data.path, tmp_path / "copy"))


def test_h5py_alone_opens_the_whole(small_data: Dataset):
    with h5py.File(small_data.path / "index.h5") as file:
        assert file["eye"].shape == (32, 60, 100, 3)
        assert file["joints"].shape == (32, 5)
        assert file["hand_position"].shape == (32, 3)
        eye, joints = file["eye"][25], file["joints"][25]
    with h5py.File(shards.shard_path(small_data.path, 2)) as shard:
        assert np.array_equal(shard["eye"][5], eye)
        assert shard["eye"].fletcher32
        assert shard["eye"].compression == "gzip"
        assert np.array_equal(shard["joints"][5], joints)


def test_a_record_shows_the_pose_that_it_tells(small_data: Dataset, arm: ArmModel):
    import mujoco

    data, eye = mujoco.MjData(arm.model), EyeCamera(arm, (60, 100))
    for i in (0, 17, 31):
        arm.pose(data, small_data.joints[i])
        assert np.array_equal(eye.render(data), small_data.eye(i))
        assert np.array_equal(to_gray(small_data.eye(i)), small_data.pictures[i])
    eye.close()


def test_counts_by_reason_are_kept(small_data: Dataset):
    assert small_data.info.accepted == 32
    assert set(small_data.info.rejected) == {"penetrates", "not_visible"}
    with h5py.File(small_data.path / "index.h5") as file:
        assert file["rejected"][:].sum(axis=0).tolist() == list(small_data.info.rejected.values())


def test_splits_are_fixed_and_share_nothing(small_data: Dataset):
    parts = [small_data.split(name) for name in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [19, 7, 6]
    assert sorted(np.concatenate(parts)) == list(range(32))
    assert parts[0].tolist() == Dataset.open(small_data.path).split("train").tolist()
    with pytest.raises(ValueError, match="'dev'.*train"):
        small_data.split("dev")


def test_pictures_come_in_the_order_asked_for(small_data: Dataset):
    asked = np.array([30, 2, 2, 17])
    assert np.array_equal(small_data.eye(asked), np.stack([small_data.eye(int(i)) for i in asked]))


def test_normalized_joints_lie_between_zero_and_one(small_data: Dataset):
    assert small_data.normalized_joints.min() >= 0
    assert small_data.normalized_joints.max() <= 1
    low, high = small_data.joint_ranges.T
    assert small_data.normalized_joints * (high - low) + low == pytest.approx(small_data.joints, abs=1e-5)


def test_several_workers_give_the_same_bytes(small_data: Dataset, tmp_path: Path):
    collect.run(Config(tmp_path / "two", workers=2, **SMALL))
    assert digests(tmp_path / "two") == digests(small_data.path)


def test_a_moved_data_set_still_opens(copy: Path, small_data: Dataset):
    assert np.array_equal(Dataset.open(copy).eye(31), small_data.eye(31))


def test_killed_at_any_moment_it_resumes_to_the_same_bytes(small_data: Dataset, tmp_path: Path):
    out = tmp_path / "killed"
    options = ["--samples", "32", "--eye-size", "60", "100", "--shard-size", "10", "--seed", "3", "--workers", "2"]
    command = [sys.executable, "-m", "training", "collect", "--out", str(out), *options]
    for pause in (0.4, 0.0, 0.05):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 60
        sealed = len(list(out.glob("shards/shard-*.h5")))
        while (
            process.poll() is None
            and time.monotonic() < deadline
            and len(list(out.glob("shards/shard-*.h5"))) <= sealed
        ):
            time.sleep(0.005)
        time.sleep(pause)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    resumed = collect.run(Config(out, workers=1, **SMALL))
    assert digests(out) == digests(small_data.path)
    assert resumed.fingerprint == small_data.fingerprint


def test_workers_end_when_their_parent_is_killed(tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "training",
        "collect",
        "--out",
        str(tmp_path / "orphan"),
        "--eye-size",
        "60",
        "100",
    ]
    process = subprocess.Popen([*command, "--workers", "2"], stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("orphan/shards/shard-*.h5")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()  # the parent alone
    process.wait()
    for _ in range(600):
        if not process_group_lives(process.pid):
            return
        time.sleep(0.05)
    pytest.fail("the workers outlive their parent by 30 s")


def process_group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_truncated_shard_is_named_and_collected_again_alone(copy: Path, small_data: Dataset):
    shard = shards.shard_path(copy, 1)
    shard.write_bytes(shard.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"shard-00001\.h5 is damaged.*it collects only that shard"):
        Dataset.open(copy)
    untouched = shards.shard_path(copy, 2).stat().st_mtime_ns
    collect.run(Config(copy, workers=1, **SMALL))
    assert digests(copy) == digests(small_data.path)
    assert shards.shard_path(copy, 2).stat().st_mtime_ns == untouched


def test_a_flipped_byte_does_not_pass_unseen(copy: Path):
    path = shards.shard_path(copy, 0)
    with h5py.File(path) as file:
        offset = file["joints"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[offset + 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        Dataset.open(copy)


def test_the_cache_is_derived_anew_when_it_is_lost_or_cut(copy: Path, small_data: Dataset):
    shards.cache_path(copy, 0).unlink()
    cut = shards.cache_path(copy, 1)
    cut.write_bytes(cut.read_bytes()[:100])
    assert np.array_equal(Dataset.open(copy).pictures, small_data.pictures)
    assert shards.cache_path(copy, 0).exists()


@pytest.mark.parametrize("change", [{"seed": 4}, {"samples": 40}, {"age_months": 9.0}, {"eye_size": (90, 150)}])
def test_another_data_set_is_not_overwritten(copy: Path, small_data: Dataset, change: dict[str, object]):
    other = dataclasses.replace(Config(copy, workers=1, **SMALL), **change)
    with pytest.raises(ValueError, match=f"holds another data set: .*{next(iter(change))}"):
        collect.run(other)
    assert digests(copy) == digests(small_data.path)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and holds no data set"):
        collect.run(Config(tmp_path, workers=1, **SMALL))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_kill_before_the_first_shard_costs_nothing(copy: Path, small_data: Dataset, tmp_path: Path):
    early = tmp_path / "early"
    early.mkdir()
    (early / ".dataset.json.4194305.tmp").write_text("{")  # no process can have this number
    collect.run(Config(early, workers=1, **SMALL))
    assert digests(early) == digests(small_data.path)
    assert not list(early.rglob(".*"))
    (copy / "background.png").unlink()
    assert np.array_equal(collect.run(Config(copy, workers=1, **SMALL)).background, small_data.background)


def test_too_little_space_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match=r"10\.0kB free, expected about 794kB for 32 samples; free some space"):
        collect.run(Config(tmp_path / "full", workers=1, **SMALL))


def test_a_disk_that_fills_up_costs_nothing_that_was_sealed(
    tmp_path: Path, small_data: Dataset, monkeypatch: pytest.MonkeyPatch
):
    write, full = shards.write_shard, tmp_path / "full"

    def fills_up(folder: Path, shard: int, *rest: Any) -> None:
        if shard == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(folder, shard, *rest)

    monkeypatch.setattr(shards, "write_shard", fills_up)
    with pytest.raises(ValueError, match="shard 2 could not be written.*all sealed shards are kept, free some space"):
        collect.run(Config(full, workers=1, **SMALL))
    assert sorted(digests(full)) == ["shard-00000.h5", "shard-00001.h5"]
    monkeypatch.undo()
    collect.run(Config(full, workers=1, **SMALL))
    assert digests(full) == digests(small_data.path)


def test_an_unfinished_data_set_does_not_open(copy: Path):
    info = json.loads((copy / "dataset.json").read_text())
    del info["accepted"], info["sha256"]
    (copy / "dataset.json").write_text(json.dumps(info))
    with pytest.raises(ValueError, match="not complete"):
        Dataset.open(copy)


@pytest.mark.parametrize(("content", "wanted"), [("{", "is damaged: Expecting"), ('{"schema": 99}', "schema 99")])
def test_a_broken_head_is_said(tmp_path: Path, content: str, wanted: str):
    with pytest.raises(ValueError, match="no dataset.json"):
        Dataset.open(tmp_path)
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(ValueError, match=wanted):
        Dataset.open(tmp_path)


@pytest.mark.parametrize("change", [{"samples": 0}, {"shard_size": 0}, {"workers": 0}, {"min_arm_in_view": 1.5}])
def test_senseless_settings_are_refused(tmp_path: Path, change: dict[str, object]):
    with pytest.raises(ValueError, match=f"got {option(next(iter(change)))} "):
        Config(tmp_path, **{**SMALL, **change})


def test_pictures_of_the_same_format_are_not_read_again(small_data: Dataset):
    assert small_data.squeezed_to(vision.Format()) is small_data
    assert small_data.squeezed_to(vision.Format(16, color=True)).background.shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("samples", "empty"), [(1, "validation"), (2, "test"), (3, "validation"), (4, None), (5, None)]
)
def test_an_empty_split_is_told(small_data: Dataset, samples: int, empty: str | None):
    info = structs.replace(
        small_data.info, recipe=structs.replace(small_data.info.recipe, samples=samples), accepted=None
    )
    data = Dataset(small_data.path, info)
    if empty is None:
        assert sum(len(data.split(name)) for name in ("train", "validation", "test")) == samples
        return
    with pytest.raises(
        UserError, match=f"the {empty} split of .* is empty: it has {samples} samples; collect 5 or more"
    ):
        data.split(empty)


def test_a_description_of_another_data_set_is_told_and_written_again(small_data, tmp_path):
    data, other = tmp_path / "data", tmp_path / "other"
    shutil.copytree(small_data.path, data)
    collect.run(Config(other, workers=1, **SMALL | {"seed": 4}))
    before = {path.name: path.read_bytes() for path in (data / "shards").iterdir()}
    description = (data / "dataset.json").read_bytes()
    shutil.copy(other / "dataset.json", data / "dataset.json")
    with pytest.raises(UserError, match=r"describes another data set than the shards.*--seed 3"):
        Dataset.open(data)
    collect.run(Config(data, workers=1, **SMALL))
    assert (data / "dataset.json").read_bytes() == description
    assert {path.name: path.read_bytes() for path in (data / "shards").iterdir()} == before
    shutil.copy(other / "dataset.json", data / "dataset.json")
    with pytest.raises(UserError, match="holds another data set: seed 4"):
        collect.run(Config(data, workers=1, **SMALL | {"seed": 5}))
