"""Data sets with touch, and babbled contacts."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from infant_env.errors import UserError
from infant_env.senses.skin.touch import Touch
from training import cli
from training.act import plan
from training.data import collect
from training.data.dataset import Dataset
from training.data.info import collect_line

SIZE: dict[str, Any] = {"samples": 30, "eye_size": (60, 100), "shard_size": 20, "seed": 3, "workers": 1}


@pytest.fixture(scope="module")
def contacts(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("contacts") / "data"
    return collect.run(collect.Config(folder, touch=True, touching=True, **SIZE))


def test_touch_is_that_of_the_recorded_pose(contacts: Dataset):
    touch, state = Touch(contacts.arm), contacts.arm.new_data()
    assert contacts.touch.shape == (30, 525)
    for pose, felt in zip(contacts.joints, contacts.touch, strict=True):
        contacts.arm.pose(state, pose)
        assert np.array_equal(touch.felt(state), felt)
    assert contacts.patches == touch.names
    assert contacts.touch_shares.max() < 1
    with h5py.File(contacts.path / "index.h5") as index:
        assert index["touch"].shape == (30, 525)


def test_in_each_babbled_contact_the_hand_touches_the_body(contacts: Dataset):
    touch, state = Touch(contacts.arm), contacts.arm.new_data()
    for pose, start in zip(contacts.joints, contacts.approach, strict=True):
        contacts.arm.pose(state, start)
        assert contacts.arm.penetration(state) <= 0.00501
        contacts.arm.pose(state, pose)
        assert touch.touched_by(state, contacts.arm.hand_geoms).any()
        assert contacts.arm.penetration(state) <= 0.005
    assert contacts.column("rejected").shape == (30, 3)
    assert contacts.info.rejected is not None
    assert contacts.info.rejected["not_touching"] > 100


def test_each_contact_depends_on_seed_and_number_alone(contacts: Dataset, tmp_path: Path):
    size = SIZE | {"shard_size": 7, "workers": 2}
    again = collect.run(collect.Config(tmp_path / "data", touch=True, touching=True, **size))
    assert np.array_equal(again.touch, contacts.touch)
    assert np.array_equal(again.joints, contacts.joints)


def test_poses_are_the_same_with_touch_and_without(tmp_path: Path):
    numb, feeling = (collect.run(collect.Config(tmp_path / str(touch), touch=touch, **SIZE)) for touch in (False, True))
    assert np.array_equal(numb.joints, feeling.joints)
    assert feeling.touch.shape == (30, 525)
    assert not {"touch", "touching"} & json.loads((numb.path / "dataset.json").read_text())["config"].keys()
    with pytest.raises(UserError, match="has no touch, expected a data set of `infant-arm collect --touch`"):
        _ = numb.touch


def test_contacts_with_a_head_that_turns_touch_the_turned_head(tmp_path: Path):
    data = collect.run(collect.Config(tmp_path / "data", touch=True, touching=True, gaze="head", **SIZE))
    touch, state = Touch(data.arm), data.arm.new_data()
    for pose, gaze, felt in zip(data.joints, data.gaze, data.touch, strict=True):
        data.arm.pose(state, pose, gaze)
        assert np.array_equal(touch.felt(state), felt)
        assert touch.touched_by(state, data.arm.hand_geoms).any()


def test_the_line_that_goes_on_with_contacts(contacts: Dataset):
    line = collect_line(contacts.path, contacts.info)
    assert "--touch --touching" in line
    assert cli.main(line.split()[1:]) == 0
    assert Dataset.open(contacts.path).fingerprint == contacts.fingerprint


def test_ways_need_poses_without_contact_and_babbled_contacts_have_none(contacts: Dataset):
    with pytest.raises(UserError, match=r"got 0 of 6 test poses without contact .* a data set without --touching"):
        plan.free_pairs(plan.Config(contacts.path.parent), contacts, contacts.arm)
