"""`infant-arm bodies` lists an MJCF file, and the command that it proposes works."""

import re
import shlex
from pathlib import Path

import mujoco
import numpy as np
import pytest

from infant_env.body.mjcf import load
from training import cli
from training.bodies.command import proposal
from training.bodies.listing import cameras_of, joints_of, longest_arm, tree_of
from training.data.dataset import Dataset

ROBOT = """
<mujoco>
  <compiler angle="radian"/>
  <worldbody>
    <light pos="0 0 2"/>
    <geom type="plane" size="2 2 .1" rgba=".8 .8 .8 1"/>
    CAMERA
    <body name="base" pos="0 0 .1">
      <geom size=".03"/>
      <body name="tail"><joint name="wag" range="-1 1"/><geom size=".02" pos="-.1 0 0"/></body>
      <body name="upper">
        <joint name="shoulder" axis="0 0 1" range="-1.5 1.5"/>
        <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03" rgba=".2 .3 .6 1"/>
        <body name="lower" pos=".2 0 0">
          <joint name="elbow" axis="0 0 1" range="0 2"/>
          <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" rgba=".9 .5 .2 1" contype="0"/>
          <camera name="wrist" pos=".1 0 .1"/>
          <body name="jaw" pos=".15 0 0"><joint name="gripper" range="0 1"/><geom size=".02" contype="0"/></body>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator><KIND name="drive" joint="elbow"/></actuator>
  <keyframe><key name="home" qpos="0 0 1 0"/></keyframe>
</mujoco>
"""
SIDE = '<camera name="side" pos=".1 0 .9" fovy="60"/>'


def written(folder: Path, camera: str = "", kind: str = 'position kp="20" kv="1"') -> Path:
    path = folder / "robot.xml"
    path.write_text(ROBOT.replace("CAMERA", camera).replace("KIND", kind))
    return path


def test_joints_cameras_and_bodies_are_listed(tmp_path: Path):
    _, model = load(written(tmp_path, SIDE))
    joints = {joint.name: joint for joint in joints_of(model)}
    assert list(joints) == ["wag", "shoulder", "elbow", "gripper"]
    elbow = joints["elbow"]
    assert (elbow.kind, elbow.low, elbow.high, elbow.moves) == ("hinge", 0.0, 2.0, "lower")
    assert elbow.driven_by == ("position servo 'drive'",)
    assert joints["wag"].driven_by == ()
    assert [(camera.name, camera.on, camera.toward, camera.fovy) for camera in cameras_of(model)] == [
        ("side", "world", None, 60.0),
        ("wrist", "lower", None, 45.0),
    ]
    assert tree_of(model) == [
        "base: 1 geom",
        "  tail: 1 geom, moved by 'wag'",
        "  upper: 1 geom, moved by 'shoulder'",
        "    lower: 1 geom, moved by 'elbow'",
        "      jaw: 1 geom, moved by 'gripper'",
    ]


def test_the_arm_is_the_longest_chain_without_its_fingers(tmp_path: Path):
    _, model = load(written(tmp_path))
    assert [joint.name for joint in longest_arm(model)] == ["shoulder", "elbow"]


def test_a_motor_is_no_servo_and_the_proposal_replaces_it(tmp_path: Path):
    path = written(tmp_path, SIDE, "motor")
    _, model = load(path)
    assert joints_of(model)[2].driven_by == ("motor 'drive'",)
    assert not joints_of(model)[2].usable
    (line,) = proposal(path, model)
    assert "--arm-joints shoulder elbow --eye-camera side --keyframe home --new-servos" in line
    path.write_text(re.sub("<actuator>.*</actuator>", "", path.read_text()))  # what the line advises
    assert "reproduce" in proposal(path, load(path)[1])[-1]


def test_the_proposed_command_takes_the_camera_that_sees_the_hand(tmp_path: Path):
    path = written(tmp_path, SIDE)
    (line,) = proposal(path, load(path)[1])
    words = shlex.split(line)
    assert words[:2] == ["infant-arm", "reproduce"]
    assert words[words.index("--eye-camera") + 1] == "side"
    assert words[words.index("--keyframe") + 1] == "home"
    _, config = cli._parse(words[1:], {"reproduce": cli._module("reproduce")})
    assert config.arm_joints == ("shoulder", "elbow")


def test_a_camera_that_turns_toward_the_arm_is_not_taken(tmp_path: Path):
    tracking = SIDE.replace('fovy="60"', 'fovy="60" mode="targetbody" target="lower"')
    path = written(tmp_path, tracking)
    assert cameras_of(load(path)[1])[0].toward == "lower"
    assert proposal(path, load(path)[1])[0].startswith("No camera stands still and sees the hand often")


def test_without_a_camera_it_proposes_one_and_with_it_the_collection_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = written(tmp_path)
    assert cli.main(["bodies", str(path)]) == 0
    shown = capsys.readouterr().out
    own = re.search(r"Write (\S+):\n(<mujoco>\n.*?</mujoco>)\nand then run\n(.+)\n", shown, re.DOTALL)
    assert own is not None
    Path(own[1]).write_text(own[2])
    assert mujoco.MjModel.from_xml_path(own[1]).ncam == 2
    words = shlex.split(own[3])
    body = [word for word in words[4 : words.index("--out")] if word != "tiny"]
    small = ["--out", str(tmp_path / "data"), "--samples", "30", "--eye-size", "60", "100", "--workers", "1"]
    assert cli.main(["collect", *body, *small]) == 0
    assert Dataset.open(tmp_path / "data").shows_hand.mean() > 0.5


def test_joints_that_cannot_be_used_are_answered_by_one_line(tmp_path: Path):
    path = written(tmp_path, SIDE)
    (line,) = proposal(path, load(path)[1], ("nose",))
    assert line.startswith("With --arm-joints nose: got the joint names")


def test_a_file_that_is_no_mjcf_is_answered_by_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "robot.xml").write_text("<nothing")
    assert cli.main(["bodies", str(tmp_path / "robot.xml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_reproduction_takes_all_options_of_a_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The body reaches the collection; the rest of a reproduction is tested with the infant."""
    from training import reproduce

    class EnoughError(Exception):
        pass

    def stop(*_: object, **__: object) -> None:
        raise EnoughError

    path = written(tmp_path, SIDE)
    words = ["--mjcf", str(path), "--arm-joints", "shoulder", "elbow", "--eye-camera", "side", "--keyframe", "home"]
    words += ["--rest-pose", "wag", "0.5", "--joint-ranges", "elbow", "0.5", "1.5", "--min-hand-in-view", "0.002"]
    monkeypatch.setattr(reproduce.generator, "Config", stop)
    with pytest.raises(EnoughError):
        cli.main(["reproduce", "--preset", "tiny", "--out", str(tmp_path / "run"), "--workers", "1", *words])
    data = Dataset.open(tmp_path / "run" / "dataset")
    assert len(data) == 160
    assert np.allclose(data.joint_ranges[1], [0.5, 1.5])
    assert data.body.rest_pose == {"wag": 0.5}
    assert data.info.recipe.min_hand_in_view == 0.002
