from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera
from infant_env.senses.vision import Format
from training.act.disturbed_world import AS_THEY_ARE, KINDS, disturbances, disturbed_frames, disturbed_pictures
from training.act.other_room import other_room
from training.data import collect
from training.data.dataset import Dataset

SOME = np.array([7, 2, 31])
BARE = """
<mujoco>
  <worldbody>
    <camera name="eye" pos="0 0 1.2" fovy="60"/>
    <body name="upper" pos="0 0 .5"><joint name="shoulder" axis="0 0 1" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03"/>
      <body name="lower" pos=".2 0 0"><joint name="elbow" axis="0 0 1" range="0 150"/>
        <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" contype="0"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
"""A robot in the dark: no lamp, no floor, no sky."""


@pytest.fixture(scope="module")
def kinds(small_data: Dataset) -> dict[str, np.ndarray]:
    return dict(disturbed_frames(small_data, SOME, seed=1))


def test_undisturbed_frames_are_those_of_the_data_set(kinds: dict[str, np.ndarray], small_data: Dataset):
    assert np.array_equal(kinds[AS_THEY_ARE], small_data.eye(SOME))


def test_each_disturbance_changes_each_frame(kinds: dict[str, np.ndarray]):
    assert tuple(kinds) == KINDS
    for kind, frames in kinds.items():
        assert frames.shape == (3, 60, 100, 3)
        assert frames.dtype == np.uint8
        changed = (frames != kinds[AS_THEY_ARE]).any(-1).mean((1, 2))  # share of the pixels
        assert (changed > 0.01).all() or kind == AS_THEY_ARE, kind


def test_equal_seeds_give_equal_bytes_whichever_samples_come_along(kinds: dict[str, np.ndarray], small_data: Dataset):
    for kind, frames in disturbed_frames(small_data, SOME[1:], seed=1):
        assert np.array_equal(frames, kinds[kind][1:]), kind


def test_some_kinds_alone_are_the_same(kinds: dict[str, np.ndarray], small_data: Dataset):
    some = "a rail in front", "light x 0.9"
    found = dict(disturbed_frames(small_data, SOME, seed=1, kinds=some))
    assert tuple(found) == some
    assert all(np.array_equal(found[kind], kinds[kind]) for kind in some)
    with pytest.raises(UserError, match="'fog'.*'as they are'"):
        next(disturbed_frames(small_data, SOME, seed=1, kinds=["fog"]))


def test_another_seed_gives_another_disturbance_where_it_is_drawn(kinds: dict[str, np.ndarray], small_data: Dataset):
    others = dict(disturbed_frames(small_data, SOME, seed=2))
    drawn = {kind for kind, frames in others.items() if not np.array_equal(frames, kinds[kind])}
    assert drawn == {
        *("camera turned by 3 degrees", "camera shifted by 1 cm"),
        *("a toy in front of the hand", "a rail in front"),
    }


def test_the_body_is_drawn_as_before_afterwards(small_data: Dataset):
    arm = small_data.arm
    fields = {name: np.array(getattr(arm.model, name)) for name in ("geom_rgba", "geom_matid", "light_dir", "cam_quat")}
    text = arm.spec.to_xml()
    eye, state = EyeCamera(arm, small_data.eye_size), arm.new_data()
    arm.pose(state, small_data.joints[7])
    before = eye.render(state)
    for _ in disturbed_frames(small_data, SOME, seed=1):
        assert np.array_equal(eye.render(state), before)
    assert all(np.array_equal(getattr(arm.model, name), value) for name, value in fields.items())
    assert arm.spec.to_xml() == text
    eye.close()


def test_bright_light_is_cut_as_in_a_camera(kinds: dict[str, np.ndarray]):
    usual = kinds[AS_THEY_ARE].astype(float)
    assert np.abs(kinds["light x 1.4"] - np.minimum(1.4 * usual, 255)).max() < 0.501
    assert np.abs(kinds["light x 0.7"] - 0.7 * usual).max() < 0.501


def test_another_room_leaves_the_arm_as_it_is(arm: ArmModel):
    other = other_room(arm)
    mine = arm.arm_geoms
    assert np.array_equal(other.arm_geoms, mine)
    assert np.array_equal(other.model.geom_rgba[mine], arm.model.geom_rgba[mine])
    assert (other.model.geom_matid[mine] == -1).all()
    world = arm.model.geom_bodyid == 0
    assert (other.model.geom_matid[world] >= 0).all()
    assert sum(other.model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX) == 1


def test_a_sleeve_leaves_hand_and_room_as_they_are(kinds: dict[str, np.ndarray], small_data: Dataset):
    changed = (kinds["a sleeve of another color"] != kinds[AS_THEY_ARE]).any(-1).mean((1, 2))
    arm, hand = (small_data.column(name, SOME) for name in ("arm_in_view", "hand_in_view"))
    assert changed == pytest.approx(arm - hand, abs=0.01)


@pytest.mark.parametrize("joints", [("shoulder", "elbow"), ("shoulder",)])  # the latter arm is all hand
def test_a_robot_without_lamp_floor_and_sky_is_disturbed_in_all_ways(joints: tuple[str, ...], tmp_path: Path):
    (tmp_path / "robot.xml").write_text(BARE)
    body = {"mjcf": tmp_path / "robot.xml", "arm_joints": joints}
    told = {"samples": 5, "eye_size": (60, 100), "shard_size": 5, "workers": 1}
    data = collect.run(collect.Config(tmp_path / "data", **body, **told))
    found = dict(disturbed_frames(data, np.arange(2), seed=0))
    assert np.array_equal(found[AS_THEY_ARE], data.eye(np.arange(2)))
    for kind, frames in found.items():
        assert (frames != found[AS_THEY_ARE]).any((1, 2, 3)).all() or kind == AS_THEY_ARE, kind


def test_noise_of_the_eye_stays_in_each_frame(tmp_path: Path):
    told = {"samples": 5, "eye_size": (60, 100), "shard_size": 5, "workers": 1}
    data = collect.run(collect.Config(tmp_path / "data", senses={"eye": (0.05, 0.0)}, **told))
    frames = dict(disturbed_frames(data, np.arange(2), seed=0))[AS_THEY_ARE].astype(float)
    assert (frames - data.eye(np.arange(2))).std() == pytest.approx(255 * 0.05 * 2**0.5, rel=0.15)


@given(st.booleans(), st.sampled_from([64, 96, 128]), st.integers(0, 99))
def test_disturbed_pictures_stay_pictures_of_their_format(color: bool, side: int, seed: int):
    pictures = np.random.default_rng(seed).random((3, *Format(side, color).shape), np.float32)
    kinds = dict(disturbed_pictures(pictures, np.random.default_rng(seed)))
    assert len(kinds) == 5
    for kind, changed in kinds.items():
        assert changed.dtype == np.float32, kind
        assert changed.shape == pictures.shape
        assert 0 <= changed.min() <= changed.max() <= 1, kind
        assert (changed != pictures).any(tuple(range(1, pictures.ndim))).all(), kind
    gray, any_color = kinds["a third hidden"], kinds["a third hidden, any color"]
    assert (gray == 0.5).mean() == pytest.approx(21 / 64, abs=0.01)
    assert np.array_equal(gray != pictures, any_color != pictures)  # the same pixels


def test_all_kinds_come_preprocessed_in_the_format_of_the_data(small_data: Dataset):
    for format in (Format(), Format(32, color=True)):
        data = small_data.squeezed_to(format)
        found = dict(disturbances(data, SOME, seed=1))
        assert len(found) == 17
        assert {pictures.shape for pictures in found.values()} == {(3, *format.shape)}
        assert np.array_equal(found[AS_THEY_ARE], data.pictures[SOME])
