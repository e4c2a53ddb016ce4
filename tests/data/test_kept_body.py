"""A data set keeps the MJCF of its body: what happens to the file elsewhere does not matter."""

import json
import shutil
import struct
from pathlib import Path

import mujoco
import numpy as np
import pytest

from agents.tools.files import write_json
from infant_env.body.model import ArmModel
from infant_env.body.raw.mjcf_files import MjcfFiles
from infant_env.errors import UserError
from training.data import collect
from training.data.collect import Config
from training.data.dataset import Dataset
from training.data.info import read_info

SCENE = """
<mujoco>
  <compiler angle="degree" meshdir="../shapes" texturedir="pictures"/>
  <include file="parts/arm.xml"/>
  <asset>
    <mesh file="stone.stl" scale=".05 .05 .05"/>
    <texture name="wall" type="2d" file="wall.png"/>
    <material name="wall" texture="wall"/>
  </asset>
  <worldbody>
    <light pos="0 0 2"/>
    <camera name="eye" pos="0 0 .7" fovy="80"/>
    <geom type="plane" size="2 2 .1" material="wall"/>
    <geom type="mesh" mesh="stone" pos=".2 .2 0"/>
  </worldbody>
</mujoco>
"""
ARM = """
<mujoco>
  <worldbody>
    <body name="upper" pos="0 0 .1">
      <joint name="shoulder" axis="0 0 1" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03" rgba=".2 .3 .6 1"/>
      <body name="lower" pos=".2 0 0">
        <joint name="elbow" axis="0 0 1" range="0 150"/>
        <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" rgba=".9 .5 .2 1" contype="0"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], "<f4")
FACES = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2))


def robot(folder: Path) -> Path:
    """A robot of an MJCF file, an included one, a mesh beside their folder and a texture."""
    for name in ("scene/parts", "scene/pictures", "shapes"):
        (folder / name).mkdir(parents=True)
    (folder / "scene" / "scene.xml").write_text(SCENE)
    (folder / "scene" / "parts" / "arm.xml").write_text(ARM)
    faces = b"".join(bytes(12) + CORNERS[list(face)].tobytes() + bytes(2) for face in FACES)
    (folder / "shapes" / "stone.stl").write_bytes(bytes(80) + struct.pack("<I", len(FACES)) + faces)
    import imageio.v3 as iio

    iio.imwrite(folder / "scene" / "pictures" / "wall.png", np.arange(768, dtype=np.uint8).reshape(16, 16, 3))
    return folder / "scene" / "scene.xml"


def config(mjcf: Path, out: Path) -> Config:
    return Config(
        out, samples=10, eye_size=(60, 100), shard_size=5, mjcf=mjcf, arm_joints=("shoulder", "elbow"), workers=1
    )


@pytest.fixture
def collected(tmp_path: Path) -> Dataset:
    return collect.run(config(robot(tmp_path / "robot"), tmp_path / "data"))


def same_model(one: mujoco.MjModel, other: mujoco.MjModel) -> bool:
    names = [n for n in dir(one) if isinstance(getattr(one, n), np.ndarray) and n != "_sizes" and "path" not in n]
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=False) for name in names)


def test_the_kept_files_give_the_same_body_without_the_originals(tmp_path: Path):
    mjcf = robot(tmp_path / "robot")
    whole, files = mujoco.MjSpec.from_file(str(mjcf)).compile(), MjcfFiles.read(mjcf)
    assert set(files.includes) == {"parts/arm.xml"}
    assert set(files.assets) == {"../shapes/stone.stl", "pictures/wall.png"}
    files.write(tmp_path / "body.zip")
    shutil.rmtree(tmp_path / "robot")
    again = MjcfFiles.read(tmp_path / "body.zip")
    assert again == files
    assert again.fingerprint == files.fingerprint
    assert same_model(again.spec().compile(), whole)


def test_equal_content_gives_equal_bytes_and_a_changed_mesh_another_fingerprint(tmp_path: Path):
    one, other = robot(tmp_path / "one"), robot(tmp_path / "elsewhere" / "other")
    for name, mjcf in (("a", one), ("b", other)):
        MjcfFiles.read(mjcf).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    mesh = tmp_path / "one" / "shapes" / "stone.stl"
    mesh.write_bytes(bytes([1]) + mesh.read_bytes()[1:])
    assert MjcfFiles.read(one).fingerprint != MjcfFiles.read(other).fingerprint


def test_a_mesh_that_is_missing_is_said(tmp_path: Path):
    mjcf = robot(tmp_path / "robot")
    (tmp_path / "robot" / "shapes" / "stone.stl").unlink()
    with pytest.raises(UserError, match=r"scene\.xml cannot be read as MJCF: .*stone\.stl"):
        collect.run(config(mjcf, tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_the_data_do_not_depend_on_where_the_robot_lies(collected: Dataset, tmp_path: Path):
    other = collect.run(config(robot(tmp_path / "far" / "away"), tmp_path / "other"))
    assert other.fingerprint == collected.fingerprint
    assert np.array_equal(other.eye(slice(None)), collected.eye(slice(None)))
    recorded = json.loads((tmp_path / "data" / "dataset.json").read_text())
    assert recorded["config"]["mjcf"] == "body.zip"
    assert recorded == json.loads((tmp_path / "other" / "dataset.json").read_text())


def test_neither_the_robot_s_files_nor_the_place_of_the_data_matter(collected: Dataset, tmp_path: Path):
    before, fingerprint = collected.arm.model, collected.fingerprint
    shutil.rmtree(tmp_path / "robot")
    shutil.move(tmp_path / "data", tmp_path / "moved")
    data = Dataset.open(tmp_path / "moved")
    assert same_model(data.arm.model, before)
    assert data.fingerprint == fingerprint
    assert same_model(ArmModel.of(data.body.as_dict()).model, before)
    assert len(collect.run(collect.again(data, tmp_path / "more", seed=1, workers=1, samples=5))) == 5


def test_a_lost_shard_is_collected_again_without_the_robot_s_files(collected: Dataset, tmp_path: Path):
    mjcf = tmp_path / "robot" / "scene" / "scene.xml"
    shutil.rmtree(tmp_path / "robot")
    (tmp_path / "data" / "shards" / "shard-00001.h5").unlink()
    with pytest.raises(UserError, match=r"scene\.xml is missing; give --mjcf .*body\.zip"):
        collect.run(config(mjcf, tmp_path / "data"))
    again = collect.run(config(tmp_path / "data" / "body.zip", tmp_path / "data"))
    assert again.fingerprint == collected.fingerprint


def test_an_edited_robot_is_another_body_and_does_not_change_the_kept_one(collected: Dataset, tmp_path: Path):
    mjcf = tmp_path / "robot" / "scene" / "scene.xml"
    arm = mjcf.parent / "parts" / "arm.xml"
    arm.write_text(arm.read_text().replace(".15 0 0", ".30 0 0"))
    with pytest.raises(
        UserError, match=r"another data set: fingerprint .* go on with its own body: --mjcf .*body\.zip"
    ):
        collect.run(config(mjcf, tmp_path / "data"))
    assert same_model(Dataset.open(tmp_path / "data").arm.model, collected.arm.model)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_a_damaged_copy_is_said_and_the_advice_mends_it(collected: Dataset, tmp_path: Path, damage: str):
    kept, mjcf = tmp_path / "data" / "body.zip", tmp_path / "robot" / "scene" / "scene.xml"
    whole = kept.read_bytes()
    if damage == "missing":
        kept.unlink()
    elif damage == "cut":
        kept.write_bytes(whole[:-100])
    else:
        files = MjcfFiles.read(kept)
        MjcfFiles(files.xml + b"<!-- -->", files.includes, files.assets).write(kept)
    with pytest.raises(UserError, match="run the same `infant-arm collect` with the original MJCF again"):
        _ = Dataset.open(tmp_path / "data").arm
    collect.run(config(mjcf, tmp_path / "data"))
    assert kept.read_bytes() == whole
    assert same_model(Dataset.open(tmp_path / "data").arm.model, collected.arm.model)


def as_by_0_1(folder: Path, mjcf: Path) -> None:
    """Makes a data set one of version 0.1: it has a path, no copy, and the hash of the MJCF's text."""
    content = json.loads((folder / "dataset.json").read_text())
    content["config"]["mjcf"] = str(mjcf)
    content["body"]["fingerprint"] = ArmModel.from_mjcf(mjcf, ["shoulder", "elbow"]).fingerprint
    write_json(folder / "dataset.json", content)
    (folder / "body.zip").unlink()


def test_a_data_set_of_0_1_finds_its_body_by_the_path_and_goes_on(collected: Dataset, tmp_path: Path):
    mjcf = tmp_path / "robot" / "scene" / "scene.xml"
    before = collected.arm.model
    as_by_0_1(tmp_path / "data", mjcf)
    old = Dataset.open(tmp_path / "data")
    assert same_model(old.arm.model, before)
    (tmp_path / "data" / "shards" / "shard-00001.h5").unlink()
    assert collect.run(config(mjcf, tmp_path / "data")).fingerprint == old.fingerprint
    assert not (tmp_path / "data" / "body.zip").exists()


@pytest.mark.parametrize(("change", "told"), [("edit", "has changed since"), ("remove", "cannot be made again")])
def test_a_data_set_of_0_1_whose_robot_changed_says_so(collected: Dataset, tmp_path: Path, change: str, told: str):
    mjcf = tmp_path / "robot" / "scene" / "scene.xml"
    as_by_0_1(tmp_path / "data", mjcf)
    if change == "edit":
        mjcf.write_text(mjcf.read_text().replace("0 0 .7", "0 0 .8"))
    else:
        mjcf.unlink()
    with pytest.raises(UserError, match=rf"{told}.*put .*scene\.xml back as it was"):
        _ = Dataset.open(tmp_path / "data").arm


def test_a_built_in_body_needs_no_copy(small_data: Dataset):
    assert not (small_data.path / "body.zip").exists()
    assert read_info(small_data.path).recipe.keeps_body is False
