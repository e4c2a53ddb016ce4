"""The left arm, both arms, and the wrists: bodies, motion, contacts, and what is refused."""

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, UserError
from infant_env.body.description import Body
from infant_env.body.model import PENETRATION_LIMIT
from infant_env.senses.camera import EyeCamera

MIRROR = np.array([1, -1, 1])
FIVE = ["shoulder_flexion", "shoulder_abduction", "shoulder_rotation", "elbow_flexion", "forearm_rotation"]
WRIST = ["wrist_flexion", "wrist_radial_deviation"]
KINDS = [
    {"arms": "left"},
    {"arms": "both"},
    {"wrist": True},
    {"arms": "left", "wrist": True},
    {"arms": "both", "wrist": True},
]


@pytest.fixture(scope="module")
def both() -> ArmModel:
    return ArmModel.infant(arms="both")


@pytest.fixture(scope="module")
def pairs() -> list[tuple[ArmModel, ArmModel]]:
    """Right and left arm, without and with a wrist."""
    return [(ArmModel.infant(wrist=wrist), ArmModel.infant(arms="left", wrist=wrist)) for wrist in (False, True)]


@pytest.mark.parametrize(
    ("arms", "wrist", "names"),
    [
        ("right", False, [f"right_{name}" for name in FIVE]),
        ("left", False, [f"left_{name}" for name in FIVE]),
        ("right", True, [f"right_{name}" for name in FIVE + WRIST]),
        ("both", False, [f"{side}_{name}" for side in ("right", "left") for name in FIVE]),
        ("both", True, [f"{side}_{name}" for side in ("right", "left") for name in FIVE + WRIST]),
    ],
)
def test_joints_are_named_after_their_side(arms: str, wrist: bool, names: list[str]):
    arm = ArmModel.infant(arms=arms, wrist=wrist)
    assert list(arm.joint_names) == names
    assert arm.model.nu == arm.model.nv == len(names)
    one = len(FIVE) + len(WRIST) * wrist
    assert [hand.joints.tolist() for hand in arm.hands.values()] == [
        list(range(k, k + one)) for k in range(0, len(names), one)
    ]


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_the_left_arm_is_the_mirror_image_of_the_right_one(pairs: list[tuple[ArmModel, ArmModel]], seed: int):
    for right, left in pairs:
        joints, here, there = right.any_pose(np.random.default_rng(seed)), right.new_data(), left.new_data()
        right.place(here, joints)
        left.place(there, joints)
        np.testing.assert_allclose(left.hand_position(there), MIRROR * right.hand_position(here), atol=1e-8)
        np.testing.assert_allclose(left.penetration(there), right.penetration(here), atol=1e-6)


@pytest.mark.parametrize("months", [1.0, 24.0])
def test_hands_are_mirrored_at_all_ages(months: float):
    arm = ArmModel.infant(months, arms="both", wrist=True)
    data = arm.new_data()
    arm.place(data, np.tile(arm.any_pose(np.random.default_rng(0))[:7], 2))
    np.testing.assert_allclose(arm.hand_position(data, "left"), MIRROR * arm.hand_position(data, "right"), atol=1e-8)
    np.testing.assert_array_equal(arm.hand_positions(data)[0], arm.hand_position(data))


def test_the_left_arm_moves_as_the_mirror_image_of_the_right_one():
    right, left = (gym.make("InfantArmReach-v0", arms=arms, wrist=True).unwrapped for arms in ("right", "left"))
    first, second = right.reset(seed=4)[0], left.reset(seed=4)[0]
    for action in np.random.default_rng(0).uniform(-1, 1, (20, 7)).astype(np.float32):
        np.testing.assert_allclose(second["observation"][:7], first["observation"][:7], atol=2e-3)
        np.testing.assert_allclose(second["achieved_goal"], MIRROR * first["achieved_goal"], atol=1e-3)
        first, second = right.step(action)[0], left.step(action)[0]


def test_the_left_eye_sees_the_left_arm_as_the_right_one_sees_the_right_arm():
    shares = []
    for arms in ("right", "left"):
        arm = ArmModel.infant(arms=arms)
        assert arm.eye_camera == f"{arms}_eye"
        eye, data, random = EyeCamera(arm, (60, 100)), arm.new_data(), np.random.default_rng(0)
        seen = []
        for _ in range(20):
            arm.place(data, arm.valid_pose(data, random))
            seen.append(eye.in_view(data))
        shares.append(seen)
        eye.close()
    np.testing.assert_allclose(shares[0], shares[1], atol=5e-3)


@pytest.mark.parametrize(("arms", "eyes"), [("right", "right"), ("left", "left"), ("both", "right")])
def test_the_eye_on_the_arm_s_side_sees_unless_another_is_named(arms: str, eyes: str):
    assert Body(arms=arms).eyes == eyes
    assert Body(arms=arms, eyes="both").eyes == "both"
    assert gym.make("InfantArm-v0", arm=ArmModel.infant(3.0), arms=arms).unwrapped.arm.body.eyes == eyes
    assert gym.make("InfantArm-v0", arm=ArmModel.infant(eyes="both"), arms=arms).unwrapped.arm.body.eyes == "both"


@given(st.sampled_from(["right", "left", "both"]), st.booleans(), st.sampled_from([None, "right", "left", "both"]))
def test_a_description_gives_the_same_body_again(arms: str, wrist: bool, eyes: str | None):
    body = Body(arms=arms, wrist=wrist, eyes=eyes)
    assert Body.from_dict(json.loads(json.dumps(body.as_dict()))) == body


def test_the_right_arm_alone_leaves_no_trace():
    assert Body(arms="right", wrist=False).as_dict() == {}
    assert ArmModel.infant(arms="right", wrist=False).fingerprint == ArmModel.infant().fingerprint


@pytest.mark.parametrize("months", [1.0, 12.0, 24.0])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_arms_of_all_ages_go_where_they_are_sent(kind: dict[str, Any], months: float):
    env: Any = gym.make("InfantArmReach-v0", age_months=months, goal="joints", **kind).unwrapped
    arrived = []
    for seed in range(10):
        env.reset(seed=seed)
        for _ in range(25):
            *_, info = env.step(env.action_for(env.goal_joints))
        arrived.append(info["is_success"])
    assert np.mean(arrived) >= 0.7  # a body or an arm is in the way of some


@pytest.mark.parametrize(("joint", "moves"), [("wrist_flexion", "palm"), ("wrist_radial_deviation", "thumb")])
@pytest.mark.parametrize("side", ["right", "left"])
def test_the_wrist_turns_in_the_direction_of_its_joint_s_name(side: str, joint: str, moves: str):
    arm = ArmModel.infant(arms=side, wrist=True)
    data, pose, tips = arm.new_data(), np.clip(np.zeros(7), *arm.joint_ranges.T), []
    toward = {}
    for angle in (0.0, 0.3):
        pose[arm.joint_names.index(f"{side}_{joint}")] = angle
        arm.place(data, pose)
        tips.append(data.geom(f"{side}_middle").xpos.copy())
        if not toward:  # from the back of the hand to the palm, and from the little finger to the index finger
            palm = data.geom(f"{side}_palm_pad").xpos - data.geom(f"{side}_palm").xpos
            thumb = data.geom(f"{side}_index").xpos - data.geom(f"{side}_little").xpos
            toward = {"palm": palm / np.linalg.norm(palm), "thumb": thumb / np.linalg.norm(thumb)}
    assert (tips[1] - tips[0]) @ toward[moves] > 0.005


def crossed(arm: ArmModel) -> tuple[Any, Any]:
    """A pose with both forearms side by side in front of the belly, and one in which they have gone through each other."""
    apart, across = (np.deg2rad([30, 0, rotation, 90, 0] * 2) for rotation in (20, 60))
    return np.clip(apart, *arm.joint_ranges.T), np.clip(across, *arm.joint_ranges.T)


def test_arms_that_are_sent_through_each_other_stop(both: ArmModel):
    apart, across = crossed(both)
    env: Any = gym.make("InfantArm-v0", arm=both, eye_size=(36, 60)).unwrapped
    env.reset(seed=0, options={"joints": apart})
    for _ in range(50):
        *_, info = env.step(env.action_for(across))
    pairs = [
        {env.model.body(int(body)).name.split("_")[0] for body in env.model.geom_bodyid[contact.geom]}
        for contact in env.data.contact
    ]
    assert {"right", "left"} in pairs
    assert 0 < info["penetration"] < 0.01
    assert info["hand_position"][1] < info["left_hand_position"][1]  # the world's y axis points to the left
    alone: Any = gym.make("InfantArm-v0", eye_size=(36, 60)).unwrapped
    alone.reset(seed=0, options={"joints": apart[:5]})
    for _ in range(50):
        *_, info = alone.step(alone.action_for(across[:5]))
    assert info["hand_position"][1] > 0.02


def test_a_pose_with_one_arm_in_the_other_is_not_valid(both: ArmModel):
    apart, across = crossed(both)
    data = both.new_data()
    assert both.is_valid(data, apart)
    assert not both.is_valid(data, across)
    assert both.penetration(data) > PENETRATION_LIMIT
    with pytest.raises(UserError, match="deep"):
        gym.make("InfantArmReach-v0", arm=both).reset(options={"joints": across})


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ({"arms": "three"}, r"got arms='three', expected one of \['right', 'left', 'both'\]"),
        ({"arms": ["left"]}, r"got arms=\['left'\], expected one of"),
        ({"wrist": "yes"}, "got wrist='yes', expected True or False"),
        ({"wrist": 1}, "got wrist=1, expected True or False"),
        (
            {"hand": "left"},
            r"got hand='left', expected None or one of \['right'\], the hands that move; arms=\"both\" moves",
        ),
        ({"hand": "third", "arms": "both"}, r"got hand='third', expected None or one of \['right', 'left'\]"),
        ({"hand": "right", "goal": "joints"}, "got hand='right' with goal='joints', expected goal=\"hand\""),
    ],
    ids=str,
)
def test_what_is_unknown_is_refused_in_one_line(make: Any, kind: dict[str, Any], told: str):
    with pytest.raises(UserError, match=told) as refused:
        make("InfantArmReach-v0", **kind)
    assert "\n" not in str(refused.value)


def test_another_body_s_arm_is_the_one_whose_joints_are_named():
    for kind in ({"arms": "both"}, {"wrist": True}):
        with pytest.raises(UserError, match=r"robot.xml.*'elbow'.*name its joints \(joints=..., --arm-joints\)$"):
            Body(mjcf="robot.xml", joints=("elbow",), **kind)


def test_another_body_s_hand_has_no_side(tmp_path: Path):
    spec = mujoco.MjSpec()
    spec.worldbody.add_camera(name="eye", pos=[0, 0, 2])
    upper = spec.worldbody.add_body(name="upper")
    upper.add_joint(name="shoulder", range=[-1, 1], axis=[0, 0, 1])
    upper.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[0.02, 0.1, 0], fromto=[0, 0, 0, 0.3, 0, 0])
    (tmp_path / "arm.xml").write_text(spec.to_xml())
    arm = ArmModel.from_mjcf(tmp_path / "arm.xml", ["shoulder"])
    assert list(arm.hands) == ["hand"]
    assert gym.make("InfantArm-v0", arm=arm, arms="right", eye_size=(36, 60)).unwrapped.arm is arm
