"""What `dataset.json` says: of version 0.1, of another body, and damaged in any way."""

import copy
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import SMALL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infant_env.body.description import Body
from infant_env.errors import UserError
from training.data import collect
from training.data.collect import Config
from training.data.dataset import Dataset
from training.data.info import read_info
from training.data.recipe.recipe import Recipe

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def damaged(small_data: Dataset, tmp_path: Path) -> Path:
    """A data set of one's own to damage."""
    return Path(shutil.copytree(small_data.path, tmp_path / "damaged"))


def head(folder: Path) -> dict[str, Any]:
    """The content of `dataset.json` without its checksum."""
    content = json.loads((folder / "dataset.json").read_text())
    return {name: value for name, value in content.items() if name != "sha256"}


def write(folder: Path, content: Any) -> None:
    (folder / "dataset.json").write_text(json.dumps(content))


def places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value, with every key or index in it."""
    keys = content.keys() if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield content, key
        yield from places(content[key])


@pytest.mark.parametrize("age_months", [12.0, 9, 7.5])
def test_the_usual_recipe_is_recorded_as_by_0_1(age_months: float):
    recipe = Config(Path("data"), samples=7, age_months=age_months).recipe
    assert json.dumps(recipe.as_json()) == json.dumps(
        {
            "samples": 7, "eye_size": [300, 500], "age_months": age_months, "min_arm_in_view": 0.01, "mjcf": None,
            "arm_joints": [], "eye_camera": "eye", "arm_bodies": [], "shard_size": 250, "seed": 0,
        }
    )  # fmt: skip


def test_another_body_is_recorded_as_by_0_1_where_nothing_new_is_told():
    config = Config(Path("data"), mjcf=Path("/arm.xml"), arm_joints=("a",), eye_camera="see", arm_bodies=("upper",))
    recorded, usual = config.recipe.as_json(), Config(Path("data")).recipe.as_json()
    assert list(recorded) == list(usual)
    told = {"mjcf": "body.zip", "arm_joints": ["a"], "eye_camera": "see", "arm_bodies": ["upper"]}
    assert recorded == usual | told


def test_the_fingerprint_is_that_of_0_1(small_data: Dataset):
    hashed = {key: head(small_data.path)[key] for key in ("schema", "config", "body")}
    content = json.dumps(hashed, sort_keys=True).encode() + small_data.joints.tobytes()
    assert small_data.fingerprint == hashlib.sha256(content).hexdigest()


def test_what_was_written_is_read(small_data: Dataset):
    assert read_info(small_data.path).as_json() == head(small_data.path)
    assert small_data.arm.fingerprint == head(small_data.path)["body"]["fingerprint"]
    assert small_data.arm is small_data.squeezed_to(small_data.format).arm
    assert small_data.body == Body(12.0)
    assert small_data.eye_size == (60, 100)
    assert small_data.joint_names == small_data.arm.joint_names


def test_all_that_was_told_of_a_body_is_recorded():
    body = Body(12.0, "/arm.xml", ("a", "b"), "see", ("upper", "hand"), ("thumb",), "wall", "infant")
    rest = {"keyframe": "home", "rest_pose": {"head": 1}, "joint_ranges": {"a": (0, 0.5)}, "hold_others": True}
    body = replace(body, **rest)
    others = body.hand_bodies, body.outside_camera, "infant", *rest.values()
    recipe = Recipe(5, (48, 64), 12.0, 0.01, body.mjcf, body.joints, "see", body.arm_bodies, 5, 0, *others)
    assert recipe.body == body
    recorded = recipe.as_json()
    told = {"mjcf": "/arm.xml", "arm_joints": ["a", "b"], "eye_camera": "see", "arm_bodies": ["upper", "hand"]}
    assert recorded.items() >= {**told, "hand_bodies": ["thumb"], "outside_camera": "wall"}.items()
    assert recorded.items() >= {**rest, "joint_ranges": {"a": [0, 0.5]}}.items()
    assert Body.from_dict(json.loads(json.dumps(body.as_dict()))) == body


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("config.samples", -1, r"Expected `int` >= 1 - at `\$\.config\.samples`"),
        ("config.samples", True, r"Expected `int`, got `bool` - at `\$\.config\.samples`"),
        ("config.samples", 10**9, r"got shard_size=10, expected 1000 or more for 1000000000 samples - at `\$\.config`"),
        ("config.eye_size", [60], r"Expected `array` of length 2, got 1 - at `\$\.config\.eye_size`"),
        ("config.eye_size", [48, 64], "got camera.size=.60, 100., expected .48, 64., as in config.eye_size"),
        ("config.age_months", "old", r"Expected `int | float`, got `str` - at `\$\.config\.age_months`"),
        ("config.arm_joints", "elbow", r"Expected `array`, got `str` - at `\$\.config\.arm_joints`"),
        ("config.mjcf", "arm.xml", "without joints, expected the names"),
        ("config.hands", 2, r"unknown field `hands` - at `\$\.config`"),
        ("config.seed", None, r"Expected `int`, got `null` - at `\$\.config\.seed`"),
        ("body.joint_ranges", [[0.0, float("nan")]] * 5, r"got `null` - at `\$\.body\.joint_ranges"),
        ("body.joint_ranges", [[0.0, 1e99]] * 5, "5 pairs of numbers, each rising"),
        ("body.joint_ranges", [[0.0, 1.0]] * 4, "5 pairs of numbers, each rising"),
        ("body.joint_names", [], r"Expected `array` of length >= 1 - at `\$\.body\.joint_names`"),
        ("versions", {"torch": 2}, r"Expected `str`, got `int` - at `\$\.versions"),
        ("accepted", 31, "accepted=31, expected 32, as in config.samples"),
        ("rejected", {"penetrates": -3}, r"Expected `int` >= 0 - at `\$\.rejected"),
        ("schema", 2, "schema 2, this version reads 1"),
    ],
)
def test_what_is_wrong_is_said(damaged: Path, key: str, value: Any, told: str):
    content = head(damaged)
    *outer, last = key.split(".")
    part = content[outer[0]] if outer else content
    part[last] = value
    write(damaged, content)
    with pytest.raises(UserError, match=told):
        Dataset.open(damaged)


@pytest.mark.parametrize(
    ("key", "told"),
    [(key, f"missing required field `{key}`") for key in ("config", "body", "camera", "versions")]
    + [("rejected", "accepted without rejected, expected the number")],
)
def test_what_is_missing_is_said(damaged: Path, key: str, told: str):
    content = head(damaged)
    del content[key]
    write(damaged, content)
    with pytest.raises(UserError, match=rf"dataset\.json is damaged: .*{told}.*; run `infant-arm collect"):
        Dataset.open(damaged)


@pytest.mark.parametrize("content", [b"[1]", b"null", b"\xff", b"[" * 100_000, b'{"schema": ' + b"1" * 5000 + b"}"])
def test_what_is_no_description_at_all_is_said(damaged: Path, content: bytes):
    (damaged / "dataset.json").write_bytes(content)
    with pytest.raises(UserError, match=r"dataset\.json is damaged: .*; run `infant-arm collect"):
        Dataset.open(damaged)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_gives_the_same_poses_or_one_clear_line(damaged: Path, small_data: Dataset, data: st.DataObject):
    content = copy.deepcopy(head(small_data.path))
    container, key = data.draw(st.sampled_from(list(places(content))))
    change = data.draw(st.sampled_from(["remove", "replace", "nudge", "add"]))
    if change == "remove":
        del container[key]
    elif change == "nudge" and isinstance(container[key], int | float):
        container[key] += data.draw(st.integers(-3, 3) | st.floats(allow_nan=False))
    elif change == "add" and isinstance(container, dict):
        container[data.draw(st.text())] = data.draw(ANYTHING)
    else:
        container[key] = data.draw(ANYTHING)
    write(damaged, content)
    told = None
    try:
        opened = Dataset.open(damaged)
        assert opened.arm.joint_names == opened.joint_names
    except UserError as error:
        told = str(error)
    if told is not None:
        assert "\n" not in told
        assert "expected" in told or "collect" in told
        return
    assert np.array_equal(opened.joints, small_data.joints)
    assert np.array_equal(opened.pictures, small_data.pictures)
    assert np.isfinite(opened.normalized_joints).all()
    identities = {json.dumps(one.info.identity(), sort_keys=True) for one in (opened, small_data)}
    assert (opened.fingerprint == small_data.fingerprint) == (len(identities) == 1)


def test_a_body_that_changed_since_is_said(damaged: Path):
    content = head(damaged)
    content["body"]["joint_ranges"][0][1] += 0.1
    write(damaged, content)
    with pytest.raises(UserError, match="as when the data were collected; restore the body"):
        _ = Dataset.open(damaged).arm


def test_an_index_that_is_lost_is_not_missed_and_is_written_anew(damaged: Path, small_data: Dataset):
    (damaged / "index.h5").unlink()
    assert np.array_equal(Dataset.open(damaged).joints, small_data.joints)
    collect.run(Config(damaged, workers=1, **SMALL))
    with h5py.File(damaged / "index.h5") as file:
        assert np.array_equal(file["joints"], small_data.joints)


def test_pictures_of_another_size_than_recorded_are_not_taken(damaged: Path):
    content = head(damaged)
    content["config"]["eye_size"] = content["camera"]["size"] = [48, 64]
    write(damaged, content)
    with pytest.raises(UserError, match=r"describes another data set than the shards.*--eye-size 60 100 "):
        Dataset.open(damaged)
