"""Names of another robot's parts that do not fit together are refused in one line, which says what would fit."""

from typing import Any

import mujoco
import numpy as np
import pytest
from planar import planar, planar_arm

from infant_env.body.model import ArmModel
from infant_env.errors import UserError

FREE = {"base": '<freejoint/><geom type="box" size=".01 .01 .01"/>'}
SECOND = {
    "world": """<body name="other" pos="0 -1 .5"><joint name="other shoulder" axis="0 0 1" range="-90 90" damping="1"/>
      <geom size=".05"/></body>"""
}
ON_ARM = {"hand": '<camera name="wrist eye" pos="0 0 .1"/>'}


def following(mode: str, target: str = "", inside: str = "") -> dict[str, str]:
    """A second camera of this mode."""
    camera = f'<camera name="follower" pos="0 0 .9" mode="{mode}" {target}/>'
    return {"base": f'<geom type="box" size=".01 .01 .01"/>{camera}'} if inside else {"world": camera}


CASES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "a joint without a name": ({"joints": ["shoulder", ""]}, {}, r"joint names .*of which \[''\] are unknown"),
    "a body without a name": ({"arm_bodies": [""]}, {"world": "<body/>"}, r"body names .*of which \[''\] are unknown"),
    "a camera without a name": (
        {"eye_camera": ""},
        {"world": "<camera/>"},
        r"camera names .*of which \[''\] are unknown",
    ),
    "a joint twice": ({"joints": ["shoulder", "elbow", "elbow"]}, {}, r"joints with \['elbow'\] more than once"),
    "an arm body twice": ({"arm_bodies": ["upper", "upper"]}, {}, r"arm_bodies with \['upper'\] more than once"),
    "a hand body twice": ({"hand_bodies": ["lower", "lower"]}, {}, r"hand_bodies with \['lower'\] more than once"),
    "inwards": ({"joints": ["elbow", "shoulder"]}, {}, r"from the trunk outwards; write \['shoulder', 'elbow'\]"),
    "inwards, with bodies": (
        {"joints": ["elbow", "shoulder"], "arm_bodies": ["upper", "lower"]},
        {},
        r"from the trunk outwards; write \['shoulder', 'elbow'\]",
    ),
    "a joint of another arm": (
        {"joints": ["other shoulder", "shoulder", "elbow"]},
        SECOND,
        r"'other shoulder', which does not move the hand 'lower'.*such as hand_bodies=\['lower'\]",
    ),
    "a joint beyond the hand": (
        {"arm_bodies": ["upper"]},
        {},
        r"'elbow', which does not move the hand 'upper'.*such as hand_bodies=\['lower'\]",
    ),
    "the world": ({"arm_bodies": ["world"]}, {}, "arm_bodies with the world.*leave out arm_bodies"),
    "a part of the arm": (
        {"arm_bodies": ["lower"]},
        {},
        r"\['lower'\] without 'upper', which the joint 'shoulder' moves",
    ),
    "a hand without geoms": (
        {"arm_bodies": ["upper", "lower", "tip"]},
        {"hand": '<body name="tip" pos=".15 0 0"/>'},
        r"hand \['tip'\].*expected a hand that has geoms",
    ),
    "a free base": ({}, FREE, "arm hangs on 'base', which a free joint lets fall.*hold_others=True"),
    "a free head": (
        {"eye_camera": "head eye"},
        {"world": '<body name="head" pos="0 0 1"><freejoint/><geom size=".1"/><camera name="head eye"/></body>'},
        "eye hangs on 'head', which a free joint lets fall.*hold_others=True",
    ),
    "an eye on the arm": (
        {"eye_camera": "wrist eye"},
        ON_ARM,
        r"'wrist eye', which moves with the arm.*choose another of \['eye'\]",
    ),
    "an eye that looks at the hand": (
        {"eye_camera": "follower"},
        following("targetbody", 'target="lower"'),
        "'follower', which moves with the arm",
    ),
    "an eye that looks at the center of mass": (
        {"eye_camera": "follower"},
        following("targetbodycom", 'target="base"'),
        "'follower', which moves with the arm",
    ),
    "an eye that follows the center of mass": (
        {"eye_camera": "follower"},
        following("trackcom", inside="base"),
        "'follower', which moves with the arm",
    ),
}


@pytest.mark.parametrize(("told", "parts", "message"), CASES.values(), ids=CASES)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path, told: dict[str, Any], parts: dict[str, str], message: str):
    path = planar(tmp_path / "arm.xml", **parts)
    with pytest.raises(UserError, match=message) as refused:
        ArmModel.from_mjcf(path, **{"joints": ["shoulder", "elbow"], **told})
    assert "\n" not in str(refused.value)


def test_an_eye_that_looks_at_what_stays_is_accepted(tmp_path):
    parts = following("targetbody", 'target="base"')
    assert planar_arm(tmp_path, {"eye_camera": "follower"}, **parts).eye_camera == "follower"


def test_joints_alone_make_an_arm(tmp_path):
    tip = {"hand": '<body pos=".15 0 0"><geom size=".02" contype="0"/></body>'}
    least, most = planar_arm(tmp_path, **tip), planar_arm(tmp_path, {"arm_bodies": ["upper", "lower"]}, **tip)
    assert least.arm_geoms.tolist() == most.arm_geoms.tolist()
    assert least.hand_geoms.tolist() == most.hand_geoms.tolist()
    assert (least.arm_geoms.sum(), least.hand_geoms.sum()) == (3, 2)
    assert least.fingerprint == most.fingerprint


def test_bodies_need_no_names(tmp_path):
    path = planar(tmp_path / "arm.xml")
    path.write_text(path.read_text().replace('name="upper"', "").replace('name="lower"', ""))
    arm = ArmModel.from_mjcf(path, ["shoulder", "elbow"])
    assert (arm.arm_geoms.sum(), arm.hand_geoms.sum()) == (2, 1)
    assert ArmModel.of(arm.body.as_dict()).fingerprint == arm.fingerprint


@pytest.mark.parametrize("told", [{}, {"arm_bodies": ["upper"], "hand_bodies": ["lower"]}])
def test_gravity_is_carried_for_the_whole_arm(tmp_path, told: dict[str, Any]):
    heavy = {"hand": '<body name="tool" pos=".2 0 0"><geom size=".04" contype="0"/></body>', "axis": "1 0"}
    arm = planar_arm(tmp_path, told, **heavy)
    data, pose = arm.new_data(), np.array([0.2, 0.5])
    arm.pose(data, pose)
    mujoco.mj_step(arm.model, data, 1000)
    assert np.degrees(data.qpos[arm.qpos_ids] - pose) == pytest.approx([0, 0], abs=0.01)
