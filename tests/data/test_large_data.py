"""Data sets that grow, open at once, and exceed the memory."""

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from conftest import SMALL
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from infant_env.errors import UserError
from training.data import collect, pictures, shards
from training.data.dataset import Dataset
from training.data.files import index
from training.data.files.index import PicturesOnDisk
from training.runs import folder as runs
from training.train import autoencoder, generator, regressor, som


@pytest.fixture
def copy(small_data: Dataset, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_data.path, tmp_path / "copy"))


@pytest.fixture
def large(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The smallest data set, as if it had many shards and more pictures than fit into memory."""
    monkeypatch.setattr(index, "MANY", 2)
    monkeypatch.setattr(pictures, "IN_MEMORY", 0)
    return copy


def test_an_enlarged_data_set_has_the_poses_of_one_that_was_collected_at_once(copy: Path, tmp_path: Path):
    kept = shards.shard_path(copy, 2).stat().st_mtime_ns
    mine = collect.run(collect.Config(copy, append=True, workers=1, **SMALL | {"samples": 45}))
    whole = collect.run(collect.Config(tmp_path / "whole", workers=1, **SMALL | {"samples": 45}))
    assert shards.shard_path(copy, 2).stat().st_mtime_ns == kept  # only the last shard was not full
    for name in ("joints", "hand_position", "eye", "rejected"):
        assert np.array_equal(mine.column(name), whole.column(name))
    assert mine.fingerprint == whole.fingerprint
    assert np.array_equal(mine.pictures, whole.pictures)
    assert Dataset.open(copy).info.accepted == 45
    with h5py.File(copy / "index.h5") as file:
        assert np.array_equal(file["joints"][:], whole.joints)


def test_an_enlarged_data_set_keeps_its_cached_pictures(copy: Path):
    collect.run(collect.Config(copy, append=True, workers=1, **SMALL | {"samples": 45}))
    before = shards.cache_path(copy, 1).stat().st_mtime_ns
    _ = Dataset.open(copy).pictures
    assert shards.cache_path(copy, 1).stat().st_mtime_ns == before


def test_an_enlarged_data_set_whose_description_is_lost_is_found_in_its_shards(copy: Path):
    config = collect.Config(copy, append=True, workers=1, **SMALL | {"samples": 45})
    fingerprint = collect.run(config).fingerprint
    (copy / "dataset.json").unlink()
    assert collect.run(config).fingerprint == fingerprint


def test_a_data_set_is_not_made_smaller_and_nothing_is_enlarged(copy: Path, tmp_path: Path):
    with pytest.raises(UserError, match="got --samples 31 with --append, expected more than the 32"):
        collect.run(collect.Config(copy, append=True, workers=1, **SMALL | {"samples": 31}))
    with pytest.raises(UserError, match="holds another data set: seed 3"):
        collect.run(collect.Config(copy, append=True, workers=1, **SMALL | {"seed": 4, "samples": 45}))
    with pytest.raises(UserError, match="got --append, but .* holds no data set"):
        collect.run(collect.Config(tmp_path / "none", append=True, workers=1, **SMALL))
    assert Dataset.open(copy).info.accepted == 32


def test_a_large_data_set_opens_without_reading_its_shards(large: Path, monkeypatch: pytest.MonkeyPatch):
    usual = Dataset.open(large).joints
    monkeypatch.setattr(h5py, "File", None)  # no shard can be opened
    assert np.array_equal(Dataset.open(large).joints, usual)


def test_a_shard_of_a_large_data_set_that_was_changed_is_checked_again(large: Path):
    Dataset.open(large)
    path = shards.shard_path(large, 1)
    content = path.read_bytes()
    path.write_bytes(content[:5000])
    with pytest.raises(UserError, match=r"shard-00001\.h5 is damaged"):
        Dataset.open(large)
    path.unlink()
    with pytest.raises(UserError, match=r"shard-00001\.h5 is damaged or missing"):
        Dataset.open(large)
    path.write_bytes(content)
    assert len(Dataset.open(large)) == 32


def test_a_large_data_set_on_a_disk_that_may_only_be_read_opens(large: Path, small_data: Dataset):
    shutil.rmtree(large / "cache")
    (large / "cache").write_text("no folder")  # nothing can be cached
    assert np.array_equal(Dataset.open(large).joints, small_data.joints)


@given(st.lists(st.integers(-32, 31), max_size=40) | st.slices(32) | st.integers(-32, 31))
def test_pictures_on_disk_are_indexed_like_an_array(small_data: Dataset, rows: object):
    usual = small_data.pictures
    lazy = PicturesOnDisk(usual.shape, 10, [shards.cache_path(small_data.path, k) for k in range(4)])
    rows = np.array(rows, int) if isinstance(rows, list) else rows
    assert np.array_equal(lazy[rows], usual[rows])


def test_pictures_on_disk_that_are_lost_are_made_again(large: Path, small_data: Dataset):
    shards.cache_path(large, 1).unlink()
    cut = shards.cache_path(large, 2)
    cut.write_bytes(cut.read_bytes()[:100])
    lazy = Dataset.open(large).pictures
    assert isinstance(lazy, PicturesOnDisk)
    assert np.array_equal(lazy[[25, 3, 14]], small_data.pictures[[25, 3, 14]])
    assert np.array_equal(lazy[:], small_data.pictures)


def test_networks_train_from_disk_to_the_same_weights(small_data: Dataset, large: Path, tmp_path: Path, monkeypatch):
    torch.set_num_threads(1)
    common = {"epochs": 2, "batch_size": 7, "device": "cpu", "seed": 1}
    stages = (autoencoder, {"width": 4}), (generator, {"width": 1, "points": 2}), (regressor, {})
    for module, more in stages:
        module.run(module.Config(tmp_path / "disk", data=large, **common, **more))
    som.run(som.Config(tmp_path / "disk", rows=9, columns=8, device="cpu", threads=1))
    monkeypatch.undo()
    for module, more in stages:
        module.run(module.Config(tmp_path / "memory", data=small_data.path, **common, **more))
    som.run(som.Config(tmp_path / "memory", rows=9, columns=8, device="cpu", threads=1))
    for path in (tmp_path / "memory").glob("*.safetensors"):
        mine, usual = load_file(tmp_path / "disk" / path.name), load_file(path)
        assert {n: t.numpy().tobytes() for n, t in mine.items()} == {n: t.numpy().tobytes() for n, t in usual.items()}
    assert runs.metrics_of(tmp_path / "disk").som == runs.metrics_of(tmp_path / "memory").som
    assert os.path.exists(tmp_path / "disk" / "latents.safetensors")
