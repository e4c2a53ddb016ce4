"""The other joints of another robot: posed by a keyframe or by the user at every reset, and locked if the user says so."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planar import planar

from infant_env.body.model import ArmModel
from infant_env.body.raw.mjcf_files import MjcfFiles
from infant_env.body.rest import lock_others
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera
from training import cli
from training.data.dataset import Dataset

JOINTS = ("shoulder", "elbow")
OTHERS = {
    "base": '<joint name="waist" axis="0 0 1" range="-60 60" damping="1"/><geom size=".02"/>',
    "world": """<body name="head" pos="-.3 0 1"><joint name="neck" axis="0 0 1" range="-90 90" damping="1"/>
        <geom type="box" size=".1 .05 .05" pos=".1 0 0"/><camera name="head eye" pos=".2 0 .1" xyaxes="0 -1 0 .7 0 .7"/></body>
      <body name="lid" pos="0 -.5 1"><joint name="lift" type="slide" axis="0 0 1" range="0 1"/><geom size=".05"/></body>""",
    "more": """<actuator><position name="turn" joint="neck" kp="3"/><position joint="lift" kp="90" kv="9"/></actuator>
      <keyframe><key name="home" qpos=".2 -.3 .4 .1 .2" ctrl=".7 .6"/>
      <key name="away" qpos="1 .5 0 0 0" ctrl="1 .5"/></keyframe>""",
}
"""Positions in order: neck, lift, waist, shoulder, elbow."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planar(tmp_path_factory.mktemp("rest") / "arm.xml", **{**OTHERS, "options": '<option gravity="0 0 0"/>'})


def arm_of(path: Path, **told: Any) -> ArmModel:
    return ArmModel.of({"mjcf": str(path), "joints": list(JOINTS), **told}, tested=True)


@pytest.mark.parametrize(
    ("told", "neck", "lift", "waist", "ctrl"),
    [
        ({}, 0, 0, 0, [0, 0]),
        ({"keyframe": "away"}, 1, 0.5, 0, [1, 0.5]),
        ({"rest_pose": {"waist": 0.5, "lift": 0.25}}, 0, 0.25, 0.5, [0, 0.25]),
        ({"keyframe": "away", "rest_pose": {"neck": -1}}, -1, 0.5, 0, [-1, 0.5]),
    ],
)
def test_every_reset_poses_the_other_joints(
    path: Path, told: dict[str, Any], neck: float, lift: float, waist: float, ctrl: Any
):
    arm = arm_of(path, **told)
    env = gym.make("InfantArm-v0", arm=arm, eye_size=(60, 100)).unwrapped
    reach = gym.make("InfantArmReach-v0", arm=copy.deepcopy(arm)).unwrapped
    for _ in range(2):
        for each in (env, reach):
            each.reset(seed=0)
            assert each.data.qpos[:3].tolist() == [neck, lift, waist]
            assert each.data.ctrl[:2].tolist() == ctrl
            each.step(each.action_space.sample())
    many = gym.make_vec("InfantArmReach-v0", 3, vectorization_mode="vector_entry_point", arm=arm)
    observations, _ = many.reset(seed=0)
    assert many._qpos[:, :3].tolist() == [[neck, lift, waist]] * 3
    single, _ = reach.reset(seed=0)
    assert all(np.array_equal(observations[sense][0], single[sense]) for sense in single)
    state = arm.new_data()
    assert state.qpos[:3].tolist() == [neck, lift, waist]


def test_a_copy_rests_like_the_original(path: Path):
    arm = arm_of(path, keyframe="home")
    for other in (pickle.loads(pickle.dumps(arm)), copy.deepcopy(arm)):
        assert other.rest.qpos.tolist() == arm.rest.qpos.tolist() == [0.2, -0.3, 0.4, 0.1, 0.2]
        assert (other.fingerprint, other.body) == (arm.fingerprint, arm.body)


def test_the_background_shows_the_rest_pose(path: Path):
    pictures = []
    for angle in (0.0, 1.0):
        eye = EyeCamera(arm_of(path, rest_pose={"neck": angle}), (60, 100))
        pictures.append(eye.background())
        eye.close()
    assert not np.array_equal(*pictures)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"keyframe": "start"},
            r"keyframe names \['start'\], of which \['start'\] are unknown; available: \['home', 'away'\]",
        ),
        ({"rest_pose": {"tail": 0}}, r"joint names \['tail'\].*available: \['neck', 'lift', 'waist'"),
        ({"rest_pose": {"elbow": 1}}, "'elbow' is a joint of the arm, whose poses are drawn; leave it out"),
        ({"rest_pose": {"neck": 2}}, r"neck=2.0, expected a number within the joint's range, -1.5708 to 1.5708"),
        ({"rest_pose": {"neck": float("nan")}}, "neck=nan, expected a number within"),
        ({"rest_pose": {"neck": "up"}}, "rest_pose=.*, expected numbers by the names of joints"),
        ({"joint_ranges": {"neck": (0, 1)}}, r"joint names \['neck'\].*available: \['shoulder', 'elbow'\]"),
        (
            {"joint_ranges": {"elbow": (0, 3)}},
            r"elbow=\(0.0, 3.0\), expected two rising numbers within.*0 to 2.61799 rad",
        ),
        ({"joint_ranges": {"elbow": (1, 1)}}, "two rising numbers"),
        ({"joint_ranges": {"elbow": (0, float("nan"))}}, "two rising numbers"),
        ({"joint_ranges": {"elbow": [1]}}, "joint_ranges=.*, expected pairs of numbers by the names of joints"),
        ({"keyframe": ""}, r"keyframe names \[''\], of which \[''\] are unknown"),
        ({"rest_pose": {"": 0}}, r"joint names \[''\], of which \[''\] are unknown"),
        ({"hold_others": 1}, "hold_others=1, expected true or false"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(path: Path, told: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message) as refused:
        arm_of(path, **told)
    assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match=message):
        ArmModel.from_mjcf(path, JOINTS, **told)


def test_numbers_of_numpy_become_plain_ones(path: Path):
    told = {"rest_pose": {"neck": np.float32(0.5)}, "joint_ranges": {"elbow": (np.float64(0), np.int64(1))}}
    described = arm_of(path, **told).body.as_dict()
    assert json.loads(json.dumps(described)) == described
    assert described["joint_ranges"] == {"elbow": [0.0, 1.0]}


def test_names_without_an_mjcf_file_are_refused():
    with pytest.raises(UserError, match="keyframe, hold_others without an MJCF file"):
        ArmModel.of({"keyframe": "home", "hold_others": True})


def test_a_narrower_range_limits_poses_targets_and_the_joint(path: Path):
    arm = arm_of(path, joint_ranges={"shoulder": (-0.5, 0.25)})
    assert arm.joint_ranges[0] == pytest.approx([-0.5, 0.25])
    assert arm.joint_ranges[1].tolist() == arm_of(path).joint_ranges[1].tolist()
    assert arm.model.joint("shoulder").range == pytest.approx([-0.5, 0.25])
    random, data = np.random.default_rng(0), arm.new_data()
    shoulders = [arm.valid_pose(data, random)[0] for _ in range(50)]
    assert -0.5 <= min(shoulders) < -0.4 < 0.2 < max(shoulders) <= 0.25
    assert arm.fingerprint != arm_of(path).fingerprint


def test_a_hinge_without_a_range_gets_one(tmp_path: Path):
    path = planar(tmp_path / "arm.xml")
    path.write_text(path.read_text().replace('range="0 150"', ""))
    with pytest.raises(UserError, match="'elbow', expected a hinge with a range.*give it one by joint_ranges"):
        ArmModel.from_mjcf(path, JOINTS)
    arm = ArmModel.from_mjcf(path, JOINTS, joint_ranges={"elbow": (-1, 2)})
    assert arm.joint_ranges[1] == pytest.approx([-1, 2])
    assert arm.model.jnt_limited.tolist() == [1, 1]
    with pytest.raises(UserError, match=r"elbow=\(-100.0, 2.0\), expected two rising numbers"):
        ArmModel.from_mjcf(path, JOINTS, joint_ranges={"elbow": (-100, 2)})


def test_collect_records_all_of_it_and_the_data_set_gives_it_back(path: Path, tmp_path: Path):
    command = [
        "collect", "--out", tmp_path / "data", "--mjcf", path, "--arm-joints", *JOINTS, "--keyframe", "away", "--rest-pose",
        "waist", 0.5, "lift", 0.25, "--joint-ranges", "shoulder", -0.5, 0.5, "--hold-others", "--samples", 4, "--eye-size", 60,
        100, "--workers", 1, "--min-arm-in-view", 0,
    ]  # fmt: skip
    assert cli.main([str(word) for word in command]) == 0
    data = Dataset.open(tmp_path / "data")
    assert (data.body.keyframe, data.body.hold_others) == ("away", True)
    assert data.body.rest_pose == {"waist": 0.5, "lift": 0.25}
    assert data.body.joint_ranges == {"shoulder": (-0.5, 0.5)}
    assert data.info.body.fingerprint == MjcfFiles.read(path).fingerprint
    assert np.abs(data.joints[:, 0]).max() <= 0.5


def test_joints_that_are_held_stay_exactly_and_cost_nothing(tmp_path: Path):
    path = planar(tmp_path / "arm.xml", **OTHERS)
    with pytest.raises(UserError, match="'lift', which is not the arm's, moves by .* cm .*hold_others=True"):
        ArmModel.from_mjcf(path, JOINTS, keyframe="away")
    arm = ArmModel.from_mjcf(path, JOINTS, keyframe="away", rest_pose={"waist": 0.5}, hold_others=True)
    assert (arm.model.nq, arm.model.nu, arm.model.nkey) == (2, 2, 0)
    free = arm_of(path, keyframe="away", rest_pose={"waist": 0.5})
    held, loose = arm.new_data(), free.new_data()
    for pose in ([0.0, 0.0], [-0.7, 1.9]):
        arm.pose(held, np.array(pose))
        free.pose(loose, np.array(pose))
        assert held.xpos == pytest.approx(loose.xpos, abs=1e-12)
        assert arm.hand_position(held) == pytest.approx(free.hand_position(loose), abs=1e-12)
    mujoco.mj_step(arm.model, held, 500)
    mujoco.mj_forward(arm.model, held)
    assert held.body("head").xmat.tolist() == loose.body("head").xmat.tolist()


def test_a_free_base_is_held_too_and_does_not_collide_with_the_arm(tmp_path: Path):
    base = '<freejoint/><geom type="sphere" size=".1"/>'
    arm = ArmModel.from_mjcf(planar(tmp_path / "arm.xml", base=base), JOINTS, hold_others=True)
    data = arm.new_data()
    arm.pose(data, np.array([0.3, 0.0]))
    assert arm.penetration(data) == 0  # the upper arm begins inside the base
    mujoco.mj_step(arm.model, data, 500)
    assert data.body("base").xpos.tolist() == [0, 0, 0.5]


TREE = """
<mujoco><compiler angle="degree"/><worldbody>
  <frame pos=".1 .2 .3" euler="10 20 30">
    <body name="base" pos="0 0 1" euler="40 0 5"><freejoint name="float"/><geom size=".1"/>
      <body name="a" pos=".3 0 0" axisangle="0 1 1 35">
        <frame pos=".2 0 0" euler="0 50 0"><joint name="a1" axis="1 1 0" pos="0 .1 0"/></frame>
        <joint name="a2" type="slide" axis="0 1 1"/>
        <joint name="a3" axis="0 0 1" pos=".1 0 .1" ref="20"/><geom size=".1"/>
        <body name="b" pos="0 0 .3" quat="1 .2 0 0"><joint name="b1" type="ball" pos="0 0 .1"/><geom size=".1"/>
          <body name="c" pos="0 .2 0"><joint name="c1" axis="1 0 0"/><joint name="c2" axis="0 1 0"/><geom size=".1"/></body>
        </body>
      </body>
      <body name="d" pos="0 .3 0" xyaxes="0 1 0 -1 0 0"><joint name="d1" axis="1 0 1"/><geom size=".1"/></body>
    </body>
  </frame>
</worldbody>
<tendon><fixed name="t"><joint joint="a1" coef="1"/><joint joint="c1" coef="1"/></fixed></tendon>
<equality><joint joint1="a1" joint2="d1"/><tendon tendon1="t"/><weld body1="b" body2="d"/></equality>
<actuator><motor joint="a1"/><position name="mine" joint="c2" kp="1"/><motor tendon="t"/><motor joint="b1"/></actuator>
<sensor><jointpos joint="d1"/><ballquat joint="b1"/><actuatorfrc actuator="mine"/><tendonpos tendon="t"/></sensor>
<contact><exclude body1="base" body2="a"/></contact>
<keyframe><key name="k"/></keyframe></mujoco>"""
HINGES = {"a1", "a2", "a3", "c1", "c2", "d1"}


@given(kept=st.sets(st.sampled_from(sorted(HINGES))), seed=st.integers(0, 2**32 - 1))
def test_locked_parts_stay_where_their_joints_were_and_the_others_move_as_before(kept: set[str], seed: int):
    random, spec = np.random.default_rng(seed), mujoco.MjSpec.from_string(TREE)
    whole = spec.compile()
    data = mujoco.MjData(whole)
    data.qpos[:] = random.normal(size=whole.nq)
    mujoco.mj_normalizeQuat(whole, data.qpos)
    lock_others(spec, whole, data.qpos, kept)
    locked = spec.compile()
    assert {locked.joint(i).name for i in range(locked.njnt)} == kept
    less = mujoco.MjData(locked)
    for name in kept:
        less.joint(name).qpos = data.joint(name).qpos = random.normal()
    mujoco.mj_kinematics(whole, data)
    mujoco.mj_kinematics(locked, less)
    assert less.xpos == pytest.approx(data.xpos, abs=1e-9)
    assert less.xmat == pytest.approx(data.xmat, abs=1e-9)
