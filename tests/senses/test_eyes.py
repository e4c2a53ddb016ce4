"""One eye or two: where they are, what they show, and which eyes a body can have."""

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, Sense, UserError

SMALL = (60, 100)


@pytest.mark.parametrize(("months", "apart"), [(1.0, 0.0407), (12.0, 0.043), (24.0, 0.0465)])
def test_the_left_eye_is_as_far_from_the_right_one_as_the_pupils_are(months: float, apart: float):
    arm = ArmModel.infant(months, "both")
    data = arm.new_data()
    arm.pose(data, arm.joint_ranges.mean(axis=1))
    right, left = (arm.model.camera(camera).id for camera in arm.eyes.values())
    head = data.xmat[arm.model.body("head").id].reshape(3, 3)
    between = head.T @ (data.cam_xpos[left] - data.cam_xpos[right])
    np.testing.assert_allclose(between, [0, apart, 0], atol=1e-4)
    np.testing.assert_allclose(data.cam_xmat[left], data.cam_xmat[right])


def test_both_eyes_show_what_each_eye_shows():
    both, left, right = (
        gym.make("InfantArm-v0", eye_size=SMALL, eyes=eyes).reset(seed=2)[0] for eyes in ("both", "left", None)
    )
    assert list(both) == ["eye", "eye_left", "joints", "joint_velocities"]
    assert list(left) == list(right) == ["eye", "joints", "joint_velocities"]
    assert np.array_equal(both["eye"], right["eye"])
    assert np.array_equal(both["eye_left"], left["eye"])
    assert not np.array_equal(left["eye"], right["eye"])


def test_near_things_stand_farther_to_the_right_in_the_left_eye():
    arm = ArmModel.infant(eyes="both")
    data, shifts = arm.new_data(), []
    for joints in ([1.3, 0.3, 0.0, 0.2, 0.0], [1.3, 0.3, 0.0, 2.2, 0.0]):  # stretched away, and bent to the face
        arm.pose(data, np.array(joints))
        place = data.site(arm.hand_site).xpos
        columns = []
        for camera in arm.eyes.values():
            seen = data.camera(camera).xmat.reshape(3, 3).T @ (place - data.camera(camera).xpos)
            columns.append(seen[0] / -seen[2])
        shifts.append(columns[1] - columns[0])
    assert shifts[1] > shifts[0] > 0


def test_the_eyes_have_noise_of_their_own():
    clean = gym.make("InfantArm-v0", eye_size=SMALL, eyes="both").reset(seed=2)[0]
    noisy = gym.make("InfantArm-v0", eye_size=SMALL, eyes="both", senses={"eye": Sense(0.02)}).reset(seed=2)[0]
    noise = [(noisy[name].astype(float) - clean[name]).ravel() for name in ("eye", "eye_left")]
    assert abs(np.corrcoef(noise)[0, 1]) < 0.05
    for each in noise:
        assert each.std() == pytest.approx(5.1, rel=0.05)


def test_a_body_with_the_right_eye_is_the_body_that_it_was():
    assert ArmModel.infant().fingerprint == ArmModel.infant(eyes="right").fingerprint
    assert ArmModel.infant().body.as_dict() == {}
    assert ArmModel.infant(eyes="both").body.as_dict() == {"eyes": "both"}


def test_eyes_are_those_of_the_given_body_unless_others_are_named():
    for arm in (ArmModel.infant(3.0, "both"), {"age_months": 3.0, "eyes": "both"}):
        assert list(gym.make("InfantArm-v0", arm=arm).unwrapped.arm.eyes) == ["eye", "eye_left"]
        other = gym.make("InfantArm-v0", arm=arm, eyes="left").unwrapped.arm
        assert other.eyes == {"eye": "left_eye"}
        assert other.body.age_months == 3.0


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("InfantArm-v0", {"eyes": "both"}),
        ("InfantArm-v0", {"eyes": "left", "senses": "age", "acuity": "age"}),
        ("InfantArmReach-v0", {"eyes": "both", "eye_size": SMALL, "goal_eye": True}),
        ("InfantArmReach-v0", {"eyes": "both"}),
    ],
    ids=str,
)
def test_both_checkers_are_content(check: Any, name: str, kind: dict[str, Any]):
    env = gym.make(name, **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


@pytest.mark.parametrize("eyes", ["three", "", 2, ["left"]])
def test_unknown_eyes_are_refused_in_one_line(eyes: Any):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(UserError, match=r"^got eyes=.*, expected one of \['right', 'left', 'both'\]$"):
            make("InfantArmReach-v0", eyes=eyes)


def test_another_body_has_one_eye(tmp_path: Path):
    spec = mujoco.MjSpec()
    spec.worldbody.add_camera(name="eye", pos=[0, 0, 2])
    upper = spec.worldbody.add_body(name="upper")
    upper.add_joint(name="shoulder", range=[-1, 1], axis=[0, 0, 1])
    upper.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[0.02, 0.1, 0], fromto=[0, 0, 0, 0.3, 0, 0])
    (tmp_path / "arm.xml").write_text(spec.to_xml())
    arm = ArmModel.from_mjcf(tmp_path / "arm.xml", ["shoulder"])
    assert arm.eyes == {"eye": "eye"}
    with pytest.raises(
        UserError, match="has one eye, here the camera 'eye'; for another one, give its name as eye_camera$"
    ):
        gym.make("InfantArm-v0", arm=arm, eyes="both")
