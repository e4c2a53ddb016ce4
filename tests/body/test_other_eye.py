"""Another robot with an eye of another aspect, a hand of two bodies and an onlooker of its own, from babbling to the report."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio.v3 as iio
import mujoco
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

import agents  # noqa: F401 (registers the imagined environment)
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import OutsideCamera
from training import cli
from training.act.goals import goal_picture
from training.data import collect
from training.data.dataset import Dataset

GRIPPER = """
<mujoco>
  <compiler angle="degree"/>
  <worldbody>
    <light pos="0 0 2"/>
    <geom type="plane" size="2 2 .1" rgba=".8 .8 .8 1"/>
    <camera name="eye" pos=".1 0 .8" fovy="70"/>
    <camera name="wall" pos="1.2 0 .6" xyaxes="0 1 0 -.4 0 1"/>
    <body name="upper" pos="0 0 .1">
      <joint name="shoulder" axis="0 0 1" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03" rgba=".2 .3 .6 1"/>
      <body name="lower" pos=".2 0 0">
        <joint name="elbow" axis="0 0 1" range="0 150"/>
        <geom type="capsule" fromto="0 0 0 .1 0 0" size=".025" rgba=".9 .5 .2 1" contype="0"/>
        <body name="palm" pos=".12 0 0">
          <geom size=".03" rgba=".9 .2 .2 1" contype="0"/>
          <body name="left" pos=".06 .04 0"><geom size=".03" rgba=".9 .2 .2 1" contype="0"/></body>
          <body name="right" pos=".06 -.04 0"><geom size=".03" rgba=".9 .2 .2 1" contype="0"/></body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
NAMES = ["--arm-joints", "shoulder", "elbow", "--arm-bodies", "upper", "lower"]
HAND = ["--hand-bodies", "left", "right", "--outside-camera", "wall"]


def run(*arguments: Any) -> None:
    assert cli.main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of the gripper at 4:3, collected by the command line."""
    folder = tmp_path_factory.mktemp("gripper")
    mjcf = folder / "gripper.xml"
    mjcf.write_text(GRIPPER)
    small = ["--samples", 60, "--eye-size", 120, 160, "--workers", 1]
    run("collect", "--out", folder / "data", "--mjcf", mjcf, *NAMES, *HAND, *small)
    return folder


def test_the_data_set_records_and_gives_back_the_whole_body(folder: Path):
    data = Dataset.open(folder / "data")
    assert data.eye_size == (120, 160)
    assert data.joint_names == ("shoulder", "elbow")
    assert data.body.hand_bodies == ("left", "right")
    arm = data.arm
    assert arm.outside_camera == "wall"
    assert {arm.model.body(arm.model.geom_bodyid[geom]).name for geom in np.flatnonzero(arm.hand_geoms)} == {
        "left",
        "right",
    }
    state = mujoco.MjData(arm.model)
    arm.pose(state, data.joints[7])
    assert arm.hand_position(state) == pytest.approx(data.hand_position[7], abs=1e-6)
    again = collect.again(data, folder / "other", seed=1, workers=1)
    assert again.mjcf == folder / "data" / "body.zip"
    assert replace(again.recipe.body, mjcf=data.body.mjcf) == data.body


def test_a_half_collected_one_goes_on_and_another_hand_is_another_data_set(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    command = ["collect", "--out", str(folder / "data"), "--mjcf", str(folder / "gripper.xml"), *NAMES]
    small = ["--samples", "60", "--eye-size", "120", "160", "--workers", "1"]
    (folder / "data" / "shards" / "shard-00000.h5").unlink()
    assert cli.main([*command, *HAND, *small]) == 0
    assert cli.main([*command, *small]) == 2
    assert "hand_bodies ['left', 'right'] (asked for: None)" in capsys.readouterr().err


def test_all_of_it_goes_through(folder: Path):
    data, out = ["--data", folder / "data", "--run", folder / "run"], ["--run", folder / "run"]
    run("train-ae", *data, "--epochs", 2, "--width", 8)
    run("train-som", *out, "--rows", 8, "--columns", 7)
    run("train-generator", *data, "--epochs", 1, "--width", 4)
    run("train-glance", *data, "--epochs", 1)
    run("calibrate", *out, "--samples", 8)
    run("evaluate", *out)
    run("reach", *out, "--goals", 2, "--steps", 2, "--looks", 1, "--video", "--video-goals", 1)
    run("reach", *out, "--goal-joints", 10, 40, "--steps", 2, "--looks", 1)
    run("imagery", *out, "--goals", 4)
    run("train-world-model", *out, "--steps", 50, "--check", 25, "--pictures", 1)
    run("report", *out)
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert set(metrics["joint_error_deg"]["som_ae"]["all"]) == {"shoulder", "elbow"}
    assert {"test", "pose"} <= set(metrics["reach"])
    frame = iio.imread(folder / "run" / "videos" / "reach.mp4", index=0, plugin="FFMPEG")
    assert frame.shape == (640, 1440, 3)
    eye = frame[32:320, 480:960]
    assert (eye[:, :40] > 240).all()  # 4:3 in a panel of 5:3: white at the sides
    assert eye[144, 96:384].mean() < 240


def test_the_imagined_arm_is_the_run_s_wherever_the_run_lies(folder: Path, tmp_path: Path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("world_model.safetensors", "generator.safetensors", "body.zip"):
        (moved / name).write_bytes((folder / "run" / name).read_bytes())
    env = gym.make("ImaginedArmReach-v0", world=str(moved), render_mode="rgb_array")
    assert env.unwrapped.arm.joint_names == ("shoulder", "elbow")
    env.reset(seed=0)
    assert env.render().shape == (120, 160, 3)  # type: ignore[union-attr]
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.arm.joint_names == ("shoulder", "elbow")


def test_a_policy_sees_pictures_of_that_aspect(folder: Path):
    run(
        "train-rl", "--run", folder / "run", "--algorithm", "random", "--observation", "pixels", "--goals", 2, "--no-video"
    )  # fmt: skip


def test_a_goal_picture_must_have_the_eye_s_aspect(folder: Path):
    eye = Dataset.open(folder / "data").eye(0)
    iio.imwrite(folder / "goal.png", eye)
    assert np.array_equal(goal_picture(folder / "goal.png", eye_size=(120, 160)), eye)
    with pytest.raises(UserError, match="160x120 pixels, expected the eye's aspect 5:3 such as 500x300; crop it"):
        goal_picture(folder / "goal.png")


def test_the_onlooker_is_the_body_s_own(folder: Path):
    arm = Dataset.open(folder / "data").arm
    state = mujoco.MjData(arm.model)
    arm.pose(state, np.radians([10.0, 40.0]))
    own, free = OutsideCamera(arm, (48, 64)), OutsideCamera(arm_without_onlooker(folder), (48, 64))
    assert not np.array_equal(own.render(state), free.render(state))
    own.close()
    free.close()


def arm_without_onlooker(folder: Path) -> ArmModel:
    return ArmModel.from_mjcf(folder / "gripper.xml", ["shoulder", "elbow"], "eye", ["upper", "lower"])


def test_a_square_eye_does_too(folder: Path, tmp_path: Path):
    run(
        "collect", "--out", tmp_path / "data", "--mjcf", folder / "gripper.xml", *NAMES, "--samples", 40, "--eye-size", 64, 64,
        "--workers", 1,
    )  # fmt: skip
    run("train-ae", "--data", tmp_path / "data", "--run", tmp_path / "run", "--epochs", 1, "--width", 4)
    run("train-som", "--run", tmp_path / "run", "--rows", 4, "--columns", 4)
    run("evaluate", "--run", tmp_path / "run")
    run("reach", "--run", tmp_path / "run", "--goals", 1, "--steps", 2)


def test_too_small_an_eye_is_refused_before_any_work(tmp_path: Path):
    with pytest.raises(UserError, match="eye_size=.30, 50., expected"):
        collect.run(collect.Config(tmp_path / "data", samples=5, eye_size=(30, 50), workers=1))
    assert not (tmp_path / "data").exists()
