"""A body that differs from the built-in one of its age: lengths, rods, locked and weak joints."""

import json
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.babbling import BabblingAgent
from infant_env import Anthropometry, ArmModel, Body, BodyChange, UserError
from infant_env.body.servos import Servos
from infant_env.senses.skin.touch import Touch
from infant_env.tasks.many_poses import ManyPoses
from infant_env.tasks.workspace import Workspace

ELBOW, SHOULDER = "right_elbow_flexion", "right_shoulder_abduction"


def posed(arm: ArmModel, joints: Any = (0.3, 0.5, 0.0, 1.0, 0.0)) -> mujoco.MjData:
    data = arm.new_data()
    arm.pose(data, np.array(joints))
    return data


def length(data: mujoco.MjData, first: str, second: str) -> float:
    return float(np.linalg.norm(data.body(first).xpos - data.body(second).xpos))


@settings(max_examples=15, deadline=None)
@given(st.floats(1, 24), st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.3, 3))
def test_the_segments_have_the_lengths_that_were_asked_for(age: float, upper: float, fore: float, hand: float):
    data, size = posed(ArmModel.infant(age, change=BodyChange(upper, fore, hand))), Anthropometry.at(age)
    assert length(data, "right_upper_arm", "right_forearm") == pytest.approx(upper * size.upper_arm_length)
    assert length(data, "right_forearm", "right_hand") == pytest.approx(fore * size.forearm_length)
    frame = data.body("right_hand")
    finger, usual = data.geom("right_middle"), posed(ArmModel.infant(age)).geom("right_middle")
    assert finger.id == usual.id
    palm = (data.geom("right_palm").xpos - frame.xpos) @ frame.xmat.reshape(3, 3)
    assert palm == pytest.approx([0, 0, -0.27 * hand * size.hand_length], abs=1e-9)


def test_a_longer_segment_is_not_thicker_and_weighs_more():
    usual, longer = (ArmModel.infant(change=change).model for change in (None, BodyChange(forearm=1.5)))
    assert longer.body("right_forearm").mass == pytest.approx(1.5 * usual.body("right_forearm").mass)
    assert longer.geom("right_forearm_lower").size[0] == usual.geom("right_forearm_lower").size[0]
    for body in ("right_upper_arm", "right_hand", "left_forearm"):
        assert longer.body(body).mass == usual.body(body).mass


def test_a_rod_is_as_long_and_heavy_as_was_asked_and_the_hand_stays_the_palm():
    usual, armed = ArmModel.infant(), ArmModel.infant(change=BodyChange(rod=(0.2, 0.05)))
    before, data = posed(usual), posed(armed)
    np.testing.assert_allclose(armed.hand_position(data), usual.hand_position(before), atol=1e-12)
    way = armed.rod_tip(data) - armed.hand_position(data)
    assert np.linalg.norm(way) == pytest.approx(0.2)
    np.testing.assert_allclose(way / 0.2, -data.body("right_hand").xmat.reshape(3, 3)[:, 2], atol=1e-9)
    np.testing.assert_array_equal(armed.rod_tip(data, "right"), data.site("right_rod_tip").xpos)
    assert armed.model.body("right_hand").mass - usual.model.body("right_hand").mass == pytest.approx(0.05)
    number = armed.model.geom("right_rod").id
    assert armed.arm_geoms[number]
    assert not armed.hand_geoms[number]
    assert armed.hand_geoms.sum() == usual.hand_geoms.sum()


@pytest.mark.parametrize("wrist", [False, True])
@pytest.mark.parametrize("arms", ["left", "both"])
def test_a_rod_in_the_left_hand_is_the_mirror_image_of_one_in_the_right_hand(arms: str, wrist: bool):
    rod, pose = BodyChange(rod=(0.2, 0.05)), np.array([0.3, 0.5, 0.0, 1.0, 0.0, 0.4, 0.1][: 7 if wrist else 5])
    right, armed = ArmModel.infant(wrist=wrist, change=rod), ArmModel.infant(arms=arms, wrist=wrist, change=rod)
    usual, data = ArmModel.infant(arms=arms, wrist=wrist), posed(armed, np.tile(pose, len(armed.hands)))
    mirrored = right.rod_tip(posed(right, pose)) * [1, -1, 1]
    np.testing.assert_allclose(armed.rod_tip(data, "left"), mirrored, atol=1e-9)
    before = posed(usual, np.tile(pose, len(usual.hands)))
    np.testing.assert_allclose(armed.hand_positions(data), usual.hand_positions(before), atol=1e-12)
    for side, hand in armed.hands.items():
        number = armed.model.geom(f"{side}_rod").id
        assert armed.arm_geoms[number]
        assert not hand.geoms[number]
        assert hand.geoms.sum() == usual.hands[side].geoms.sum()
        way = armed.rod_tip(data, side) - armed.hand_position(data, side)
        np.testing.assert_allclose(way / 0.2, -data.body(f"{side}_hand").xmat.reshape(3, 3)[:, 2], atol=1e-9)


def test_only_the_hand_of_the_side_that_changes_holds_a_rod():
    arm = ArmModel.infant(arms="both", change=BodyChange(rod=(0.2, 0.05), side="left"))
    data = posed(arm, [0.3, 0.5, 0.0, 1.0, 0.0] * 2)
    np.testing.assert_array_equal(arm.rod_tip(data), arm.rod_tip(data, "left"))
    with pytest.raises(UserError, match=r"^got side='right' of a rod, expected one of \['left'\]"):
        arm.rod_tip(data, "right")


@pytest.mark.parametrize("arms", ["right", "left", "both"])
def test_a_rod_has_no_skin_but_the_skin_that_it_presses_feels_it(arms: str):
    usual, armed = (Touch(ArmModel.infant(arms=arms, change=change)) for change in (None, BodyChange(rod=(0.3, 0.02))))
    assert armed.names == usual.names
    np.testing.assert_allclose(armed.areas, usual.areas)
    arm = ArmModel.infant(arms=arms, change=BodyChange(rod=(0.3, 0.02)))
    rods = [arm.model.geom(f"{side}_rod").id for side in arm.hands]
    data, random = arm.new_data(), np.random.default_rng(0)
    felt = 0
    for _ in range(1000):
        arm.place(data, arm.any_pose(random))
        by_rod = np.isin(data.contact.geom, rods).any(axis=1) & arm.touches(data)
        if by_rod.any() and by_rod.sum() == arm.touches(data).sum():  # nothing else touches
            assert not armed.touched_by_hands(data).any()
            felt += int(armed.felt(data).any())
    assert felt > 4


def test_a_rod_touches_what_it_meets():
    armed = ArmModel.infant(change=BodyChange(rod=(0.3, 0.02)))
    data = posed(armed, (0.0, 0.9, 0.0, 0.0, 0.0))  # the hand is 5 cm above the mat
    assert armed.penetration(data) > 0.05
    assert ArmModel.infant().penetration(posed(ArmModel.infant(), (0.0, 0.9, 0.0, 0.0, 0.0))) == 0


def test_only_a_hand_with_a_rod_has_a_tip():
    with pytest.raises(UserError, match=r"^got side=None of a rod, expected one of \[\], whose hands hold rods$"):
        ArmModel.infant().rod_tip(posed(ArmModel.infant()))


@pytest.mark.parametrize("target", [-1.0, 1.0])
def test_a_locked_joint_does_not_move_under_full_torque(target: float):
    arm = ArmModel.infant(change=BodyChange(locked={ELBOW: 1.0}))
    data, servos = posed(arm), Servos(arm)
    action = servos.action_for(np.array([0.3, 0.5, 0.0, 1.0, 0.0]))
    action[[2, 3, 4]] = target
    for _ in range(100):
        servos.move(data, action)
        assert abs(data.joint(ELBOW).qpos[0] - 1.0) < np.deg2rad(0.01)
    assert abs(data.joint("right_forearm_rotation").qpos[0]) > 1  # the others move


def test_poses_are_drawn_with_the_joint_locked():
    arm = ArmModel.infant(change=BodyChange(locked={ELBOW: 1.25, SHOULDER: 0.5}))
    data, random = arm.new_data(), np.random.default_rng(0)
    many, _ = ManyPoses([arm] * 3, 1).draw(np.arange(3), [np.random.default_rng(i) for i in range(3)])
    pose, miss = Workspace(arm).nearest_pose(np.array([0.2, -0.2, 0.3]), 0.005)
    for joints in (arm.any_pose(random), arm.valid_pose(data, random), *many, pose):
        assert joints[3] == 1.25
        assert joints[1] == 0.5
    assert miss < 0.1
    touching = BabblingAgent(arm, (36, 60), touching=True, min_arm_in_view=0.0).sample(0).joints
    for joints in (BabblingAgent(arm, (36, 60)).sample(0).joints, touching):
        assert joints[[3, 1]].tolist() == [1.25, 0.5]


def test_a_weak_joint_cannot_hold_what_a_strong_one_holds():
    joints, sagged = np.array([0.0, 1.2, 0.0, 0.2, 0.0]), []
    for share in (1.0, 0.05):
        arm = ArmModel.infant(change=BodyChange(weak={SHOULDER: share}))
        data, servos = posed(arm, joints), Servos(arm)
        for _ in range(25):
            servos.move(data, servos.action_for(joints))
        sagged.append(np.rad2deg(joints[1] - data.joint(SHOULDER).qpos[0]))
    assert sagged[0] < 1
    assert sagged[1] > 10


def test_a_heavy_rod_is_more_than_an_infant_can_hold():
    joints, sagged = np.array([1.5, 0.0, 0.0, 0.0, 0.0]), []
    for mass in (0.001, 1.0):
        arm = ArmModel.infant(change=BodyChange(rod=(0.3, mass)))
        data, servos = posed(arm, joints), Servos(arm)
        for _ in range(25):
            servos.move(data, servos.action_for(joints))
        sagged.append(np.rad2deg(np.abs(data.qpos[arm.qpos_ids] - joints).max()))
    assert sagged[0] < 1
    assert sagged[1] > 10


def test_no_change_leaves_no_trace():
    assert ArmModel.infant(change=BodyChange()).fingerprint == ArmModel.infant().fingerprint
    assert Body(change=BodyChange()).as_dict() == {}
    assert BodyChange(locked={}).as_dict() == {}


def test_a_change_is_plain_data_of_the_body():
    change = BodyChange(forearm=0.8, rod=(0.1, 0.02), locked={ELBOW: 1}, weak={SHOULDER: 0.5}, side="right")
    body = Body(6.0, change=change)
    plain = json.loads(json.dumps(body.as_dict()))
    assert plain == {
        "age_months": 6.0,
        "change": {
            "forearm": 0.8, "rod": [0.1, 0.02], "locked": {ELBOW: 1.0}, "weak": {SHOULDER: 0.5}, "side": "right",
        },
    }  # fmt: skip
    assert Body.from_dict(plain) == body
    assert ArmModel.of(plain).fingerprint == ArmModel.infant(6.0, change=change).fingerprint
    assert replace(body, change=BodyChange()).as_dict() == {"age_months": 6.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"forearm": 0}, r"got forearm=0, expected a length relative to that of the age from 0\.25 to 4"),
        ({"hand": "long"}, "got hand='long', expected a length"),
        ({"rod": 0.2}, r"got rod=0\.2, expected its length \(m\) and its mass \(kg\)"),
        ({"rod": (5, 0.1)}, "got rod=5, expected the length of a rod, m, from 0.02 to 1"),
        ({"rod": (0.1, -1)}, "got rod=-1, expected the mass of a rod, kg, from"),
        ({"locked": {"elbow": 1}}, r"got locked joints \['elbow'\], expected names among \['right_shoulder_flexion'"),
        ({"locked": {ELBOW: 3}}, "'right_elbow_flexion' locked at 3 rad, expected an angle within its range, 0 to 2.58"),
        ({"weak": {ELBOW: 2}}, "got weak right_elbow_flexion=2, expected a share of the torque from 0 to 1"),
        ({"weak": ELBOW}, "got weak='right_elbow_flexion', expected a share of the torque by the names of joints"),
        ({"side": "up"}, r"got side='up', expected one of \['right', 'left'\], or None"),
        ({"side": "left", "rod": (0.1, 0.1)}, r"got a change of side='left', expected an arm that moves, here \['right'\]"),
        ({"arm": 2}, r"expected a BodyChange, such as BodyChange\(forearm=0.8\), or a dictionary"),
        (3, "got change=3, expected a BodyChange"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_in_one_line(change: Any, message: str):
    with pytest.raises(UserError, match=message) as error:
        ArmModel.infant(change=change)
    assert "\n" not in str(error.value)


def test_a_body_from_an_mjcf_file_is_changed_in_its_file():
    with pytest.raises(
        UserError, match="of the body robot.xml, expected none: change a body from an MJCF file in that file"
    ):
        Body(mjcf="robot.xml", joints=("elbow",), change=BodyChange(forearm=2.0))
